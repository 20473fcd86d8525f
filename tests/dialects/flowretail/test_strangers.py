"""The external search: another register is asked, and may answer whatever it likes."""

import json

import pytest
from django.core.exceptions import ValidationError

from customers.models import Customer
from events.models import Circuit
from events.outbound.client import CONNECT_SECONDS
from tenancy.scoping import in_tenant
from tenancy.services import update_tenant
from tests.dialects.flowretail.client import fields_of
from tests.events.servers import Neighbour, answer, drip, hang

pytestmark = pytest.mark.django_db
OLA = {
    "firstname": "Ola",
    "lastname": "Nordmann",
    "email": "ola@ex.no",
    "mobile": "+47 900 00 001",
    "city": "Oslo",
    "countryCode": "no",
    "vatNumber": "999888777",
    "externalId": "R-1",
    "internalNote": "not ours to tell",
}


@pytest.fixture
def asking(tenant, access, settings):
    """A function (register, asked=None) -> the answer to a search in it; the register stands on
    this machine, which is allowed for once."""
    settings.OUTBOUND_ALLOW = ["127.0.0.0/8"]
    settings.OUTBOUND_ALLOW_HTTP = True

    def asking(register, asked=None, body=None):
        extension = {"external_customer_search": True, "external_search_url": register.url}
        update_tenant(tenant, settings=extension)
        return access.post("search/external", body or {"query": "ola"}, query_params=asked or {})

    return asking


def saying(content, status=200, **headers):
    content = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Neighbour(lambda request, connection: answer(status, content, **headers))


def test_w34_without_the_extension_nobody_is_asked(access, tenant):
    refused = access.post("search/external", {"query": "ola"})
    update_tenant(tenant, settings={"external_customer_search": True})
    nowhere = access.post("search/external", {"query": "ola"})

    assert refused.status_code == 403
    assert "EXTERNAL_CUSTOMER_SEARCH" in refused.json()["message"]
    assert (nowhere.status_code, nowhere.json()["items"]) == (200, [])


def test_w34_strangers_come_labelled_and_stay_strangers(asking, access, acme):
    with saying({"items": [OLA], "paging": {"totalCount": 7}}) as register:
        told = asking(register, {"pageNumber": 2, "pageSize": 5, "sortBy": "lastname"})
    [asked] = register.requests

    [item] = told.json()["items"]
    assert told.status_code == 200
    assert (item["external"], item["customerUid"]) == (True, None)
    assert (item["firstname"], item["mobile"], item["countryCode"]) == (
        *("Ola", "+47 900 00 001"),
        "NO",
    )
    assert "internalNote" not in item
    assert told.json()["paging"] == {"pageNumber": 2, "pageSize": 5, "totalCount": 7}
    assert (asked.method, json.loads(asked.content)) == (
        "POST",
        {"query": "ola", "pageNumber": 2, "pageSize": 5, "sortBy": "lastname"},
    )
    assert Customer.objects.count() == 0
    assert access.found(query="ola") == []


@pytest.mark.parametrize(
    ("content", "items"),
    [
        ([OLA], 1),
        ({"items": []}, 0),
        ({"items": [None, 7, "x", [], {}, {"firstname": None}]}, 0),
        ({"items": [{"firstname": "x" * 10_000, "email": "x", "lastname": "N"}]}, 1),
        ({"items": [{"firstname": "<b>\u202e", "mobile": {"$ne": 1}, "city": ["Oslo"]}]}, 1),
        ({"items": [{"customerUid": "mine", "external": False, "ledgerNumber": "1"}]}, 0),
        ({"items": [{"firstname": "Bo"}] * 2_000, "paging": {"totalCount": -5}}, 50),
        ({"items": [{"firstname": "Bo"}], "paging": {"totalCount": "many"}}, 1),
        ({"items": [{"firstname": "Bo"}], "paging": [True]}, 1),
    ],
)
def test_what_no_client_may_send_no_register_may_tell(asking, content, items):
    with saying(content) as register:
        told = asking(register)

    assert (told.status_code, len(told.json()["items"])) == (200, items)
    for item in told.json()["items"]:
        assert item["external"] is True
        assert all(value is None or isinstance(value, str) for name, value in item.items()
                   if name != "external")  # fmt: skip
        assert item["email"] is None or "@" in item["email"]
    assert isinstance(told.json()["paging"]["totalCount"], int)


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"nothing", b"<html>", b"\xff\xfe", b"7", b"null", b'"x"', b'{"items": 7}'),
        *(b'{"items": {}}', b"[" * 100_000, b'{"items": [NaN]}', b'{"items": ["\\ud800"]}'),
        *(b'{"items": [1e999]}', b'{"items": [], "items": []}', b"9" * 5_000),
    ],
)
def test_an_answer_that_cannot_be_read_is_refused(asking, content):
    with saying(content) as register:
        told = asking(register)

    assert (told.status_code, told.json()["code"]) == (424, "external_search_failed")


def test_a_register_in_trouble_is_no_trouble_of_ours(asking, monkeypatch):
    monkeypatch.setattr("customers.registry.SECONDS", 0.4)
    moved = {"Location": "http://169.254.169.254/"}
    for behave in (
        lambda request, connection: answer(500),
        lambda request, connection: answer(302, b"", **moved),
        lambda request, connection: answer(200, b"[" + b" " * 1_100_000 + b"]"),
        lambda request, connection: answer(200, b"[]", Content_Encoding="gzip"),
        lambda request, connection: b"what?",
        drip(b"HTTP/1.1 200 OK\r\n\r\n" + b" " * 500),
    ):
        with Neighbour(behave) as register:
            told = asking(register)

        assert (told.status_code, told.json()["code"]) == (424, "external_search_failed")
        assert len(register.requests) == 1


def test_a_register_that_hangs_is_left_alone_after_five_times(asking, monkeypatch):
    monkeypatch.setattr("customers.registry.SECONDS", 0.1)
    assert CONNECT_SECONDS >= 1

    with Neighbour(lambda request, connection: hang(register)) as register:
        told = [asking(register).status_code for _n in range(7)]

    assert told == [424] * 7
    assert register.n_connections == 5
    assert Circuit.objects.get().failures == 5


@pytest.mark.parametrize(
    "url",
    ["http://register.example.com/", "https://127.0.0.1/", "https://169.254.169.254/x",
     "file:///etc/passwd", "https://u:p@register.example.com/", "nonsense"],
)  # fmt: skip
def test_a_register_inside_our_walls_cannot_be_named(tenant, url):
    with pytest.raises(ValidationError) as refusal:
        update_tenant(tenant, settings={"external_search_url": url})

    assert set(refusal.value.message_dict) == {"external_search_url"}


def test_a_name_that_leads_inside_is_not_asked(tenant, access, monkeypatch):
    monkeypatch.setattr(
        "socket.getaddrinfo", lambda host, port, **options: [(2, 1, 6, "", ("10.0.0.1", port))]
    )
    url = "https://register.example.com/"
    update_tenant(tenant, settings={"external_customer_search": True, "external_search_url": url})

    assert access.post("search/external", {"query": "ola"}).status_code == 424


def test_a_wrong_question_asks_nobody(asking, access):
    with saying([]) as register:
        for asked, body, field in (
            ({"pageSize": "x"}, {"query": "ola"}, "pageSize"),
            ({"sortBy": "x"}, {"query": "ola"}, "sortBy"),
            ({}, {"query": 7}, "query"),
            ({}, {"query": "x" * 201}, "query"),
        ):
            told = asking(register, asked, body)

            assert (told.status_code, fields_of(told)) == (400, [field])
    assert register.requests == []


def test_another_tenants_extension_is_no_other_tenants(asking, access, rival):
    with saying([OLA]) as register, in_tenant(rival):
        update_tenant(
            rival, settings={"external_customer_search": True, "external_search_url": register.url}
        )

    assert access.post("search/external", {"query": "ola"}).status_code == 403
