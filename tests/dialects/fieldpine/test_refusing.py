"""Who is refused over Fieldpine's wire, and in which words."""

import pytest

from customers.models import Customer
from tests.dialects.fieldpine.client import Fieldpine, is_packet
from tests.factories import make_token

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("headers", [{}, {"X-Api-Key": "wrong"}, {"X-Api-Key": "é" * 9}])
def test_who_has_no_key_is_refused(tenant, headers):
    answer = Fieldpine().get(headers=headers)

    assert is_packet(answer, 401)
    assert answer["WWW-Authenticate"].startswith("X-Api-Key")


def test_a_customer_and_who_may_not_read_are_refused(acme, ada):
    for token in (
        make_token(acme, "customer", customer=ada),
        make_token(acme, "service", scopes=["groups:read"]),
    ):
        assert is_packet(Fieldpine(token).get(), 403)


def test_a_seller_is_shown_what_sellers_see(acme, ada):
    (row,) = Fieldpine(make_token(acme, "seller")).rows()

    assert (row["Name"], row["Email"]) == ("Ada Lovelace", "ada@example.org")


@pytest.mark.parametrize("path", ["/OpenApi2/Sales", "/openapi2", "/Customers/5", "/Sales"])
def test_what_the_vendor_has_elsewhere_is_not_there_in_its_own_words(api, path):
    assert is_packet(api.get(path), 404)
    assert is_packet(api.post({}, path), 404)


def test_a_bug_is_told_in_the_vendors_words(acme, monkeypatch):
    def broken(*args, **options):
        raise RuntimeError("ada@example.org")

    monkeypatch.setattr("dialects.fieldpine.asking.narrowed", broken)
    answer = Fieldpine(make_token(acme), raises=False).get()

    assert is_packet(answer, 500)
    assert b"example" not in answer.content
    assert Customer.objects.count() == 0
