"""Who may be registered already, told beside the form while somebody types."""

import pytest

from customers.services import find_duplicates
from tenancy.scoping import in_tenant
from tests.admin.browsing import form_data, text_of
from tests.factories import CustomerFactory, StoreFactory
from tests.odd_texts import ODD_TEXTS

pytestmark = pytest.mark.django_db
ADD = "/admin/customers/customer/add/"
DOUBLES = "/admin/customers/customer/doubles/"
FORM = "customer_form"


def hinted(client, typed):
    return [double["customer"] for double in client.post(DOUBLES, typed).context["doubles"]]


def test_the_whole_form_is_asked_about_and_says_why(shop, ada):
    data = form_data(
        shop.get(ADD), FORM, first_name="Ada", last_name="Lovelase", phones__0__given="90000001"
    )
    response = shop.post(DOUBLES, data)

    text = text_of(response)
    assert "Ada Lovelace" in text
    assert ada.code in text
    assert "same phone" in text
    assert "similar last name" in text
    assert "<html" not in text


@pytest.mark.parametrize(
    "typed",
    [
        {"emails-0-address": "ada@example.org"},
        {"phones-3-given": "+47 900 00 001"},
        {"first_name": "Ada", "last_name": "Lovelace", "birth_date": "1985-12-10"},
        {
            "first_name": "Ada",
            "last_name": "Lovelace",
            "addresses-0-postal_code": "0155",
            "addresses-0-street": "Storgata 1",
        },
    ],
)
def test_each_sign_of_the_same_person_is_seen(shop, ada, grace, typed):
    find_duplicates()  # what the night has looked at is found by its name, too

    assert hinted(shop, typed) == [ada]


@pytest.mark.parametrize("typed", [{}, {"first_name": "Ada"}, {"emails-0-address": "ada@"}])
def test_too_little_says_nothing(shop, ada, typed):
    response = shop.post(DOUBLES, typed)

    assert response.status_code == 200
    assert not text_of(response).strip()


def test_a_phone_is_read_as_the_chosen_store_would(shop, acme):
    store = StoreFactory(tenant=acme, code="malmo", country="SE")
    kim = CustomerFactory(tenant=acme, first_name="Kim", phones=[{"given": "+46 70 123 45 67"}])

    assert hinted(shop, {"phones-0-given": "070-123 45 67", "home_store": str(store.pk)}) == [kim]


def test_nobody_next_door_is_hinted_at(shop, acme, rival):
    CustomerFactory(tenant=rival, first_name="Zan", emails=[{"address": "zan@example.org"}])
    with in_tenant(acme):
        assert hinted(shop, {"emails-0-address": "zan@example.org"}) == []


def test_no_text_breaks_the_hints(shop, ada):
    for text in ODD_TEXTS.values():
        sendable = text[:10_000].encode("utf-8", "replace").decode()
        typed = dict.fromkeys(("first_name", "birth_date", "home_store"), sendable)
        typed |= {"emails-0-address": sendable, "phones-0-given": sendable}

        assert shop.post(DOUBLES, typed).status_code == 200, ascii(text)


def test_strangers_and_plain_visits_get_no_hint(client, shop, ada):
    assert client.post(DOUBLES, {"emails-0-address": "ada@example.org"}).status_code == 302
    assert "Lovelace" not in text_of(shop.get(f"{DOUBLES}?emails-0-address=ada@example.org"))
