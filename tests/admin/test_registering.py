"""Who may be registered already, told beside the form while somebody types."""

import pytest

from customers.models import Customer
from customers.services import find_duplicates
from customers.services.erasure_receipts import anonymise_with_receipt
from events.models import HistoryEntry
from tenancy.scoping import in_tenant
from tests.admin.browsing import form_data, text_of
from tests.admin.conftest import customer_page
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


# --- In spite of the hint ------------------------------------------------------------------------
def register(client, *hinted, because=None, **typed):
    """Save the form after it showed these customers; answers the response."""
    data = form_data(client.get(ADD), FORM, **typed)
    data["hinted"] = [getattr(one, "pk", one) for one in hinted]
    if because is not None:
        data["hint_because"] = because
    return client.post(ADD, data)


def begun(first_name):
    """The first line of the history of the one customer of this name."""
    customer = Customer.objects.get(first_name=first_name)
    return HistoryEntry.objects.about("customer", customer.pk).last()


def test_the_hint_asks_why_it_is_somebody_else(shop, ada):
    hint = text_of(shop.post(DOUBLES, {"emails-0-address": "ada@example.org"}))

    assert f'name="hinted" value="{ada.pk}"' in hint
    assert 'name="hint_because"' in hint
    assert 'name="hint_because"' not in text_of(shop.post(DOUBLES, {"first_name": "Ada"}))


def test_whoever_is_registered_in_spite_of_a_hint_has_it_in_the_history(shop, ada, grace, clerk):
    register(shop, grace, ada, because="Lives in the same household", first_name="Augusta")

    entry = begun("Augusta")
    assert (entry.deed, entry.actor_id) == ("customer.registered", clerk.pk)
    assert entry.changes["created_in_spite_of"] == [None, [ada.code, grace.code]]
    assert entry.changes["created_because"] == [None, "Lives in the same household"]
    page = text_of(shop.get(customer_page(Customer.objects.get(first_name="Augusta"), "history")))
    assert "created in spite of" in page
    assert f"{ada.code}, {grace.code}" in page
    assert "Lives in the same household" in page


def test_the_reason_is_asked_of_nobody_who_does_not_give_it(shop, ada):
    register(shop, ada, first_name="Augusta")

    assert begun("Augusta").changes["created_in_spite_of"] == [None, [ada.code]]
    assert "created_because" not in begun("Augusta").changes


def test_where_no_hint_was_shown_the_history_says_nothing_of_one(shop, ada):
    register(shop, because="made up", first_name="Augusta")

    assert not {"created_in_spite_of", "created_because"} & set(begun("Augusta").changes)


def test_nobody_is_named_who_is_not_there(shop, acme, rival):
    with in_tenant(rival):
        theirs = CustomerFactory(tenant=rival, first_name="Zan")

    register(shop, theirs, "nonsense", "00000000-0000-4000-8000-000000000000", first_name="Kim")

    assert "created_in_spite_of" not in begun("Kim").changes


@pytest.mark.parametrize("because", ["x" * 201, "a\x00b"])
def test_a_reason_that_cannot_be_kept_is_refused_and_nothing_is_lost(shop, ada, because):
    response = register(shop, ada, because=because, first_name="Augusta")

    assert response.status_code == 200
    assert "Because: " in text_of(response)
    assert 'value="Augusta"' in text_of(response)
    assert not Customer.objects.filter(first_name="Augusta").exists()


def test_a_form_that_is_refused_comes_back_with_the_reason(shop, ada):
    response = register(shop, ada, because="<b>same name", birth_date="never", first_name="Augusta")

    assert 'data-because="&lt;b&gt;same name"' in text_of(response)


def test_the_erasure_of_the_other_leaves_nothing_of_them_and_that_of_the_new_one_no_reason(
    shop, ada
):
    register(shop, ada, because="Her sister Beate", first_name="Augusta")
    receipt = anonymise_with_receipt(ada)
    assert receipt["scan"]["clean"], receipt["scan"]["left"]

    augusta = Customer.objects.get(first_name="Augusta")
    assert anonymise_with_receipt(augusta)["scan"]["clean"]

    entry = HistoryEntry.objects.about("customer", augusta.pk).last()
    assert "Beate" not in str(entry.changes)
