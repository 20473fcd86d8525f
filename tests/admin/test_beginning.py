"""The register form that is opened with something in it: it shows the values and saves them."""

import pytest

from customers.admin.beginning import begin_with
from customers.models import Customer
from tenancy.scoping import in_tenant
from tenancy.services import update_staff
from tests.admin.browsing import form_data, send, text_of
from tests.factories import StoreFactory

pytestmark = pytest.mark.django_db
LIST = "/admin/customers/customer/"
ADD = f"{LIST}add/"
FORM = "customer_form"


def place(user, tenant):
    """Let the person work at one store only."""
    store = StoreFactory(tenant=tenant, code="harbour")
    with in_tenant(tenant):
        update_staff(user.membership_in(tenant), stores=[store])
    return store


def the_only_customer():
    return Customer.objects.get()


@pytest.mark.parametrize(
    ("typed", "beginning"),
    [
        ("Ada", {"first_name": "Ada"}),
        ("  Ada   King  Lovelace ", {"first_name": "Ada King", "last_name": "Lovelace"}),
        ("ada@example.org", {"emails": [{"address": "ada@example.org"}]}),
        ("+47 911 22 333", {"phones": [{"given": "+47 911 22 333"}]}),
        ("(02) 91-12", {"phones": [{"given": "(02) 91-12"}]}),
        ("1234", {}),
        ("CUST-12", {}),
        ("cust-12", {}),
        ("   ", {}),
        ("\x00", {"first_name": "\x00"}),
    ],
)
def test_what_was_typed_stands_where_it_belongs(typed, beginning):
    assert begin_with(typed) == beginning


def test_the_store_that_a_seller_works_at_is_saved(shop, clerk, tenant, acme):
    store = place(clerk, tenant)
    opened = form_data(shop.get(ADD), FORM, first_name="Ada")

    response = shop.post(ADD, opened)

    assert opened["home_store"] == [str(store.pk)]
    assert response.status_code == 302
    assert the_only_customer().home_store == store


def test_the_store_that_a_seller_works_at_may_be_taken_out(shop, clerk, tenant, acme):
    place(clerk, tenant)

    send(shop, ADD, FORM, first_name="Ada", home_store="")

    assert the_only_customer().home_store is None


def test_a_search_that_finds_nobody_offers_to_register_what_was_typed(office, acme):
    response = office.get(f"{LIST}?q=Ada+%26+Lovelace")

    assert f"{ADD}?typed=Ada%20%26%20Lovelace" in text_of(response)


def test_a_name_from_the_search_is_registered(office, acme):
    response = send(office, f"{ADD}?typed=Ada%20Lovelace", FORM)

    assert response.status_code == 302
    customer = the_only_customer()
    assert (customer.first_name, customer.last_name) == ("Ada", "Lovelace")
    assert office.get(response["Location"]).status_code == 200


@pytest.mark.parametrize(
    ("typed", "part", "column"),
    [("ada%40example.org", "emails", "address"), ("911%2022%20333", "phones", "given")],
)
def test_a_contact_point_from_the_search_is_registered(office, acme, typed, part, column):
    response = send(office, f"{ADD}?typed={typed}", FORM)

    assert response.status_code == 302
    row = getattr(the_only_customer(), part).get()
    assert getattr(row, column) in ("ada@example.org", "911 22 333")


def test_what_no_field_would_take_is_refused_beside_the_field(office, acme):
    response = send(office, f"{ADD}?typed=ada%40", FORM)

    assert response.status_code == 200
    assert not Customer.objects.exists()
