"""Every text field keeps an odd text as documented, or refuses it by name; nothing else happens."""

import unicodedata

import pytest
from django.core.exceptions import ValidationError

from customers.models import Address, ContactPerson, Customer, Label
from customers.records import record_of, records
from customers.search import search_customers
from customers.services import (
    add_device,
    add_extension,
    deactivate_customer,
    record_consent,
    register_customer,
    set_charge_account,
    set_store_profile,
    update_customer,
)
from events.models import HistoryEntry
from tenancy.models import Store
from tests.odd_texts import ODD_TEXTS

pytestmark = pytest.mark.django_db

NOT_TEXT = {
    *("birth_date", "eu_citizen", "hidden", "no_loyalty", "discount_percent", "e_invoice"),
    *("payment_terms_days", "no_email", *Customer.MONEY),
}
COLUMNS = [name for name in Customer.PROFILE if name not in NOT_TEXT]
CHILDREN = {
    "emails": ("address",),
    "phones": ("given", "extension"),
    "addresses": tuple(
        name for name in Address.FIELDS if name not in ("latitude", "longitude", "primary")
    ),
    "contact_persons": ContactPerson.FIELDS,
    "labels": Label.FIELDS,
}
REQUIRED = {
    "emails": {"address": "a@example.org"},
    "phones": {"given": "90000001"},
    "addresses": {"city": "Oslo", "street": "Storgata 1"},
    "contact_persons": {"first_name": "Grace", "last_name": "Hopper"},
    "labels": {"key": "k"},
}


def normalised(text):
    """What the documentation promises: NFC, outer white space trimmed, CRLF as LF."""
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def is_found_everywhere(customer):
    """The row does not poison what reads it later."""
    list(records(Customer.objects.all()))
    list(search_customers(Customer.objects.all(), "customer"))
    list(HistoryEntry.objects.values())
    return Customer.objects.filter(pk=customer.pk).exists()


def refused(deed):
    """The fields that the deed refuses; empty when it was done."""
    try:
        deed()
    except ValidationError as refusal:
        return set(refusal.error_dict)
    return set()


odd_texts = pytest.mark.parametrize("odd", ODD_TEXTS.values(), ids=ODD_TEXTS)


@odd_texts
def test_every_column(acme, odd):
    everything = dict.fromkeys(COLUMNS, odd)
    bad = refused(lambda: register_customer(**everything))

    kept_names = [name for name in COLUMNS if name not in bad]
    customer = register_customer(phones=[{"given": "1"}], **dict.fromkeys(kept_names, odd))

    assert bad <= set(COLUMNS)
    record = record_of(customer.pk)
    for name in kept_names:
        if name not in ("login_email", "login_phone", "language", "vat_number", "gender", "name"):
            assert (record[name] or "") == normalised(odd), name
    assert is_found_everywhere(customer)


@odd_texts
@pytest.mark.parametrize("list_name", CHILDREN)
def test_every_column_of_every_child(acme, list_name, odd):
    names = CHILDREN[list_name]
    customer = register_customer(first_name="Customer")

    def store(row):
        update_customer(customer, **{list_name: [{**REQUIRED.get(list_name, {}), **row}]})

    bad = {
        path.removeprefix(f"{list_name}.0.")
        for name in names
        for path in refused(lambda name=name: store({name: odd}))
    }
    kept_names = [name for name in names if name not in bad]
    assert bad <= set(names)
    if not normalised(odd):
        return  # a row of blanks says nothing and is refused as a whole
    store(dict.fromkeys(kept_names, odd))

    rows = record_of(customer.pk)[list_name]
    for name in kept_names:
        if name not in ("address", "email", "country", "kind"):
            assert rows[0][name] == normalised(odd), name
    assert is_found_everywhere(customer)


@odd_texts
def test_every_other_text(ada, odd):
    store = Store.objects.get()
    deeds = {
        "token": lambda: add_device(ada, odd),
        "code": lambda: add_extension(ada, store, odd),
        "number": lambda: set_charge_account(ada, number=odd),
        "pos_ref": lambda: set_store_profile(ada, store, pos_ref=odd),
        "note": lambda: set_store_profile(ada, store, note=odd),
        "consents.0.purpose": lambda: record_consent(ada, purpose=odd, granted=True),
        "consents.0.source": lambda: record_consent(
            ada, purpose=f"p{len(odd)}", granted=True, source=odd
        ),
        "password": lambda: register_customer(name="P", password=odd),
        "created_at": lambda: register_customer(name="P", created_at=odd),
        "reason": lambda: deactivate_customer(ada, reason=odd),
    }

    for name, deed in deeds.items():
        assert refused(deed) <= {name}

    assert is_found_everywhere(ada)


@pytest.mark.parametrize("name", COLUMNS)
def test_what_is_longer_than_its_column_is_refused_by_name(acme, name):
    """SQLite would keep it whatever the column says; PostgreSQL would answer with an error."""
    longest = Customer._meta.get_field(name).max_length or 254

    for text in ("x" * (longest + 1), "7" * (longest + 1), "\uff34" * (longest + 1)):
        assert refused(lambda text=text: register_customer(**{name: text})) == {name}


@pytest.mark.parametrize(
    ("list_name", "name"), [(child, name) for child, names in CHILDREN.items() for name in names]
)
def test_what_is_longer_than_a_childs_column_is_refused_by_name(acme, list_name, name):
    model = Customer._meta.get_field(list_name).related_model
    longest = model._meta.get_field(name).max_length

    for text in ("x" * (longest + 1), "7" * (longest + 1)):
        row = {**REQUIRED.get(list_name, {}), name: text}
        profile = {"first_name": "Customer", list_name: [row]}
        assert refused(lambda p=profile: register_customer(**p)) == {f"{list_name}.0.{name}"}
