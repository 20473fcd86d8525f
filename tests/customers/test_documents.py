"""The record as the database writes it is the record as Python writes it, to the byte."""

import datetime
import json
import random
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.documents import documents
from customers.hooks import hooks
from customers.models import (
    Address,
    Avatar,
    ChargeAccount,
    Consent,
    ContactPerson,
    Customer,
    Device,
    Email,
    Label,
    Phone,
    StoreExtension,
    StoreProfile,
)
from customers.records import records
from groups.models import Group, Subscription
from loyalty.models import Level, LoyaltyAccount
from normalise import json_bytes, json_bytes_of_texts
from tenancy import clock
from tests.factories import CustomerFactory, StaffMemberFactory, StoreFactory

pytestmark = pytest.mark.django_db

# What JSON escapes, what SQL does, and letters of every length in UTF-8.
TEXTS = (
    *("", "Ada", 'say "hi"', "back\\slash", "it's", "100%", "%(ids)s", "two\nlines\r\n", "\t\b\f"),
    *(
        "\x01\x1f\x7f\x80",
        "\u2028\u2029",
        "æøå ß",
        "李",
        "👩‍👩‍👧",
        "</script>",
        "{}[],:",
        "é",
        "\ufeff",
        "NULL",
    ),
)


def told(customers, **options):
    return [one for batch in documents(customers, **options) for one in batch]


def instants(chance):
    """Also whole seconds and fractions that end in zeros."""
    micro = chance.choice((0, 1, 120_000, 999_999, chance.randrange(10**6)))
    return datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(
        seconds=chance.randrange(10**8), microseconds=micro
    )


def any_value(field, chance):
    """Some value of a column, read from what kind of column it is."""
    kind = field.get_internal_type()
    if field.null and chance.random() < 0.3:
        return None
    if field.choices:
        return chance.choice([value for value, _label in field.choices])
    if kind == "UUIDField":
        return None
    if kind == "BooleanField":
        return chance.random() < 0.5
    if kind == "DateTimeField":
        return instants(chance)
    if kind in ("PositiveSmallIntegerField", "PositiveIntegerField", "IntegerField"):
        return chance.choice((0, 1, 7, 99))
    if kind == "BigIntegerField":
        return chance.choice((0, 1, -5, 100, 12_345, -9_007_199_254_740_991, 9_007_199_254_740_991))
    return "".join(chance.choices(TEXTS, k=2))[: field.max_length]


def fill(row, chance, *, apart=()):
    """Give every column of a row some value that its table allows."""
    for field in row._meta.concrete_fields:
        if not (field.is_relation or field.primary_key or field.name in apart):
            setattr(row, field.name, any_value(field, chance))
    return row


def make_crowd(acme, size):
    """Customers with anything in any column and any number of rows in any table that is told."""
    chance = random.Random(20261201)
    stores = [StoreFactory(tenant=acme, code=code) for code in ("oslo", "Bergen", "ål", "_x")]
    staff = [StaffMemberFactory(tenant=acme) for _ in range(2)]
    groups = [
        Group.objects.create(tenant=acme, code=code, title=f'{code} "{text}"')
        for code, text in zip(("gold", "Silver", "ærlig", "a_b"), TEXTS[2:], strict=False)
    ]
    levels = [
        Level.objects.create(tenant=acme, name=name, threshold=n, reward_percent=n)
        for n, name in enumerate(("Bronze", 'G"old', "Ø"), 1)
    ]
    made = []
    for number in range(size):
        customer = CustomerFactory(tenant=acme)
        apart = {"number", "merged_into", "name_given", *Customer.IDENTIFIERS, "login_phone_key"}
        fill(customer, chance, apart={*apart, "birth_year", "birth_month", "birth_day"})
        for name in ("external_id", "username", "card_number"):
            text = any_value(Customer._meta.get_field(name), chance)
            setattr(customer, name, None if text is None else f"{number}{text}"[:100])
        if chance.random() < 0.7:
            customer.birth_year = chance.choice((None, 1, 987, 1999))
            customer.birth_month, customer.birth_day = (
                chance.randrange(1, 13),
                chance.randrange(1, 29),
            )
        if chance.random() < 0.8:
            customer.anonymised_at = None
        customer.home_store = chance.choice((None, *stores))
        customer.seller = chance.choice((None, *staff))
        customer.save()
        made.append(customer)
        _children(customer, chance, stores, groups)
        _loyalty(customer, chance, levels)
    for former in made[1::9]:
        survivor = made[made.index(former) + 1]
        Customer.objects.filter(pk=former.pk).update(merged_into=survivor)
    return made


def _children(customer, chance, stores, groups):
    own = {"tenant": customer.tenant, "customer": customer}
    for model in (Email, Phone, Address, ContactPerson, Label, Device):
        # What fixtures and registrations left is told, too.
        for n in range(chance.choice((0, 0, 1, 3))):
            row = fill(model(**own), chance, apart={"primary"})
            if model is Email:
                row.address_key = f"{n}{row.address_key}"[:254]
            if model is Device:
                row.token = f"{n}{row.token}"
            if model is Address:
                row.latitude_micro = chance.choice((None, 0, 1, -33_868_820, 59_913_900))
                row.longitude_micro = chance.choice((None, -180_000_000, 10_752_200))
            row.save()
    for n in range(chance.choice((0, 2, 6))):
        row = fill(Consent(**own), chance)
        row.version = n - 2
        row.purpose = chance.choice((Consent.MARKETING, "legal", "_own", "Übel"))
        row.store = chance.choice((None, *stores))
        row.save()
    for store in chance.sample(stores, chance.randrange(4)):
        if chance.random() < 0.7:
            StoreProfile.objects.create(
                **own, store=store, pos_ref=f"{customer.number}" if chance.random() < 0.5 else None,
                note=chance.choice(TEXTS),
            )  # fmt: skip
        for code in chance.sample(("b", "a", "C"), chance.randrange(3)):
            StoreExtension.objects.create(**own, store=store, code=code)
    if chance.random() < 0.3:
        ChargeAccount.objects.create(
            **own, number=f"00{customer.number}", retired=chance.random() < 0.5
        )
    if chance.random() < 0.2:
        Avatar.objects.create(**own, file="avatars/x", mime="image/png", width=1, height=1)
    for n, group in enumerate(chance.sample(groups, chance.randrange(4))):
        Subscription.objects.create(
            **own, group=group, code=customer.number * 10 + n, subscribed=chance.random() < 0.5
        )


def _loyalty(customer, chance, levels):
    LoyaltyAccount.objects.filter(customer=customer).delete()
    if chance.random() < 0.8:
        account = fill(LoyaltyAccount(tenant=customer.tenant, customer=customer), chance)
        account.level = chance.choice((None, *levels))
        account.manual_level = chance.choice((None, *levels))
        account.next_due_at = chance.choice(
            (None, None, clock.now() - datetime.timedelta(1), clock.now() + datetime.timedelta(1))
        )
        for name, value in vars(account).items():
            if type(value) is int:
                setattr(account, name, abs(value))
        account.frozen_at = None
        account.save()


@pytest.fixture
def crowd(acme):
    """A few of them, for what needs no variety."""
    return make_crowd(acme, 5)


def test_the_documents_are_the_records_to_the_byte(acme):
    make_crowd(acme, 40)
    customers = Customer.objects.order_by("number")

    found = list(records(customers))

    assert told(customers) == [json_bytes(one) for one in found]
    assert told(customers, texts=True) == [json_bytes_of_texts(one) for one in found]
    # The crowd has something of everything, or equality would say little.
    empty = {name for name in found[0] if not any(one[name] for one in found)}
    assert empty <= {"anonymised_at", "login_email", "login_phone"}


def test_money_follows_the_currency_of_the_tenant(crowd, acme):
    acme.currency = "JPY"
    acme.save()

    customers = Customer.objects.order_by("number")

    assert told(customers) == [json_bytes(one) for one in records(customers)]


def test_documents_come_in_the_order_and_within_the_filter_of_the_queryset(crowd):
    customers = Customer.objects.exclude(pk=crowd[0].pk).order_by("-name", "id")[1:4]

    ids = [json.loads(one)["id"] for one in told(customers, batch=2)]

    assert ids == [str(pk) for pk in customers.values_list("pk", flat=True)]


def test_nothing_of_another_tenant_stands_in_a_document(crowd, rival):
    secret = StoreFactory(tenant=rival, code="mallory")
    planted = Email(
        tenant=rival, customer=crowd[0], address="m@x.example", address_key="m@x.example"
    )
    planted.save()
    Customer.objects.filter(pk=crowd[0].pk).update(home_store=secret)

    (document,) = told(Customer.objects.filter(pk=crowd[0].pk))

    assert json.loads(document)["home_store"] is None
    assert b"m@x.example" not in document


def test_a_hook_without_words_for_the_database_is_heard_all_the_same(crowd, monkeypatch):
    monkeypatch.setattr(
        hooks,
        "records",
        [*hooks.records, lambda ids: {one: {"lucky": Decimal("7.10")} for one in ids}],
    )

    assert told(Customer.objects.all())[0].endswith(b',"lucky":7.10}')


def test_a_batch_takes_as_many_queries_as_a_customer(crowd):
    def n_queries(customers):
        with CaptureQueriesContext(connection) as queries:
            told(customers)
        return len(queries)

    not_due = Customer.objects.filter(pk__in=[
        account.customer_id for account in LoyaltyAccount.objects.filter(next_due_at=None)
    ])  # fmt: skip

    assert n_queries(not_due) == n_queries(not_due.order_by("pk")[:1])
