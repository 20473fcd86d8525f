"""Whoever asks what is wrong on Flow Retail's wire is told so in its words, never with a 500."""

import uuid

import pytest

from tests.dialects.flowretail.client import FlowRetail
from tests.factories import make_token

pytestmark = pytest.mark.django_db
UID = str(uuid.uuid4())
TWO = "extensions/TWO_INVOICE"
ENDPOINTS = [
    ("GET", ""),
    ("POST", ""),
    ("POST", "search"),
    ("POST", "search/external"),
    ("POST", "batch"),
    ("GET", "{uid}"),
    ("PUT", "{uid}"),
    ("DELETE", "{uid}"),
    ("GET", "{uid}/export"),
    ("POST", "{uid}/extensions/TWO_INVOICE"),
    ("DELETE", "{uid}/extensions/TWO_INVOICE"),
    ("GET", "/stores/main/customers/{uid}"),
    ("GET", "{uid}/contacts"),
    ("POST", "{uid}/contacts"),
    ("PUT", "{uid}/contacts/{uid}"),
    ("DELETE", "{uid}/contacts/{uid}"),
    ("GET", "{uid}/addresses"),
    ("POST", "{uid}/addresses"),
    ("PUT", "{uid}/addresses/{uid}"),
    ("DELETE", "{uid}/addresses/{uid}"),
]


def refuses(answer, *statuses):
    return (
        answer.status_code in statuses
        and answer["Content-Type"] == "application/json"
        and set(answer.json()) == {"code", "message", "errors"}
    )


def test_w36_no_endpoint_answers_without_a_token(tenant):
    for token in (None, "garbage"):
        for method, path in ENDPOINTS:
            answer = FlowRetail(token).send(method, path.format(uid=UID), {})

            assert refuses(answer, 401), (method, path)
            assert answer["WWW-Authenticate"]


def test_w37_no_endpoint_trips_over_a_uid(backoffice):
    for method, path in ENDPOINTS:
        if "{uid}" in path:
            for uid in ("a%20b", "x!", "%00%ff", "0" * 5_000):
                answer = backoffice.send(method, path.format(uid=uid), {"storeUid": "main"})

                assert refuses(answer, 400, 404), (method, path, uid)
    for tenant in ("a%20b", "x!", "%00", "%ff", "nobody", str(uuid.uuid4())):
        assert refuses(FlowRetail(backoffice.token, tenant=tenant).get(), 400, 404), tenant


def test_another_tenant_is_answered_like_none(backoffice, rival):
    theirs = FlowRetail(make_token(rival), tenant="rival").make()["customerUid"]

    for method, path in ENDPOINTS:
        if "{uid}" in path:
            foreign = backoffice.send(method, path.format(uid=theirs), {"storeUid": "main"})
            missing = backoffice.send(method, path.format(uid=UID), {"storeUid": "main"})

            assert foreign.content == missing.content, (method, path)
        elsewhere = FlowRetail(backoffice.token, tenant="rival").send(
            method, path.format(uid=UID), {}
        )
        nowhere = FlowRetail(backoffice.token, tenant="nobody").send(
            method, path.format(uid=UID), {}
        )
        assert refuses(elsewhere, 404)
        assert elsewhere.content == nowhere.content


def test_what_is_not_served_is_said_in_its_words(access):
    assert refuses(access.get("one/two/three"), 404)
    assert refuses(access.get("/nothing"), 404)
    assert refuses(FlowRetail(access.token, tenant="").get("/"), 404)
    for method, path in (
        ("PATCH", UID), ("DELETE", ""), ("GET", "search"), ("PUT", "batch"),
        ("OPTIONS", ""), ("TRACE", ""), ("POST", UID),
    ):  # fmt: skip
        assert refuses(access.send(method, path), 405), (method, path)


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"[]", b"7", b"null", b'"x"', b"\xff", b"{}{}", b"[" * 100_000),
        *(b'{"firstname": "\\u0000"}', b'{"firstname": "\\ud800"}', b'{"paymentTerms": NaN}'),
        *(b'{"firstname": "a", "firstname": "b"}', b'{"paymentTerms": 1e400}'),
        *(b'{"paymentTerms": ' + b"9" * 5_000 + b"}", b'{"firstname": "' + b"x" * 100_000 + b'"}'),
        *(b"firstname=Ola", b'{"firstname": {"a": [[[[]]]]}}', b'{"email": ["x"]}'),
    ],
)
def test_a_hostile_body_is_refused(access, body):
    answer = access.post("", body)

    assert refuses(answer, 400)
    assert access.get().json()["items"] == []


def test_a_body_that_was_lost_on_its_way_is_not_answered_as_done(backoffice):
    made = backoffice.make(contacts=[{"firstname": "Bo", "lastname": "Ek"}])
    (contact,) = made["contacts"]
    row = f"{made['customerUid']}/contacts/{contact['customerContactUid']}"

    for method, path in (("PUT", made["customerUid"]), ("PUT", row), ("POST", "batch")):
        answer = backoffice.send(method, path, b"")

        assert refuses(answer, 400), (method, path)
        assert answer.json()["message"] == "The body is empty."
    assert backoffice.get(made["customerUid"]).json() == made
    assert backoffice.post("search", b"").json()["paging"]["totalCount"] == 1


def test_a_refusal_names_no_field_that_the_format_does_not_have(access):
    told = access.post("", {"customerType": "PERSON"}).json()

    assert told["errors"][0]["field"] is None
    assert told["message"] == told["errors"][0]["message"]


def test_a_body_of_the_wrong_charset_is_refused(access):
    latin = '{"firstname": "Åse"}'.encode("latin-1")

    told = access.post("", latin, content_type="application/json; charset=iso-8859-1")

    assert refuses(told, 400)


def test_a_bug_is_told_in_its_words_and_says_nothing(access, monkeypatch):
    def broken(*args, **options):
        raise RuntimeError("ada@example.org")

    monkeypatch.setattr("dialects.flowretail.views.customers.register", broken)
    monkeypatch.setattr("dialects.flowretail.views.batch.register", broken)
    wire = FlowRetail(access.token, raises=False)

    alone = wire.post("", {"firstname": "Ada"})
    in_batch = wire.post("batch", {"create": [{"firstname": "Ada"}]})

    assert refuses(alone, 500)
    assert (in_batch.status_code, in_batch.json()["create"][0]["status"]) == (207, 500)
    assert b"example" not in alone.content + in_batch.content
