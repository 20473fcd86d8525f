"""Two records of one person, and what stands in the tables about everybody."""

import random

from django.core.exceptions import ValidationError

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
    NotDuplicate,
    Phone,
    StoreExtension,
    StoreProfile,
)
from customers.services import (
    activate_customer,
    add_device,
    add_extension,
    deactivate_customer,
    record_consent,
    register_customer,
    set_charge_account,
    set_store_profile,
)
from customers.snapshots import kept
from groups.models import Subscription
from groups.services import subscribe_customer

TABLES = (
    *(Email, Phone, Address, ContactPerson, Label, Device, Consent, StoreProfile),
    *(StoreExtension, ChargeAccount, Avatar, NotDuplicate, Subscription),
)
PURPOSES = ("legal", "marketing", "data_processing", "newsletter")


def everything():
    """Every row of every table about customers, to the byte; but for the two columns that count
    changes, and the order of the words that a search looks at."""
    told = {model._meta.label: {str(row.pk): kept(row) for row in model.objects.all()}
            for model in TABLES}  # fmt: skip
    told["customers.Customer"] = {
        str(row.pk): {
            **kept(row),
            "version": None,
            "updated_at": None,
            "search_text": sorted(row.search_text.split()),
        }
        for row in Customer.with_merged.all()
    }
    return told


def somebody(pick, stores, groups, **fixed):
    """Register a customer by the dice of `pick` (a random.Random), from values so few that two of
    them have much in common."""

    def perhaps(value, blank=None):
        return value if pick.random() < 0.6 else blank

    def some(values):
        return pick.sample(values, pick.randint(0, len(values)))

    unique = pick.randrange(10**12)
    customer = register_customer(
        password=perhaps("correct horse battery staple"),
        status=pick.choice(["new", "active"]),
        first_name=pick.choice(["Ada", "Augusta"]),
        last_name=perhaps("Lovelace", ""),
        name=perhaps("The Countess", "") if pick.random() < 0.3 else "",
        gender=pick.choice(["female", "not_disclosed"]),
        birth_date=perhaps(pick.choice(["1915-12-10", "--12-10"])),
        external_id=perhaps(f"ext-{unique}"),
        username=perhaps(f"user-{unique}"),
        card_number=perhaps(f"card-{unique}"),
        card_state=pick.choice(["no-card", "with-card"]),
        login_email=perhaps(f"in-{unique}@example.org"),
        login_phone=perhaps(f"+479{unique % 10_000_000:07d}"),
        home_store=perhaps(pick.choice(stores)),
        discount_percent=pick.choice([0, 10]),
        credit_balance=perhaps(pick.choice(["0", "10.50", "20"])),
        no_email=pick.random() < 0.3,
        hidden=pick.random() < 0.2,
        internal_note=perhaps(pick.choice(["kind", "curt"]), ""),
        emails=[
            {"address": f"{name}@example.org", "opted_out": pick.random() < 0.4,
             "verified": pick.random() < 0.4}
            for name in some(["a", "b", "c"])
        ],
        phones=[
            {"given": given, "opted_out": pick.random() < 0.4}
            for given in some(["900 00 001", "900 00 002", "+46 8 123 456"])
        ],
        addresses=[
            {"street": street, "city": "Oslo", "first_name": perhaps("Ada", "")}
            for street in some(["Storgata 1", "Storgata 2"])
        ],
        contact_persons=[{"first_name": name} for name in some(["Per", "Kari"])],
        labels=[{"key": "size", "value": value} for value in some(["S", "M"])],
        **fixed,
    )  # fmt: skip
    for _again in range(2):
        for purpose in some(PURPOSES):
            record_consent(customer, purpose=purpose, granted=pick.random() < 0.5)
    for token in some(["token-1", "token-2"]):
        add_device(customer, token)
    for store in some(stores):
        set_store_profile(customer, store, note=perhaps("regular", ""))
        if pick.random() < 0.3:
            set_store_profile(customer, store, pos_ref=f"pos-{unique}")
        add_extension(customer, store, pick.choice(["delivery", "repairs"]))
    if pick.random() < 0.5:
        set_charge_account(customer, number=f"account-{unique}", retired=pick.random() < 0.5)
    for group in some(groups):
        subscribe_customer(
            customer, group, subscribed=pick.random() < 0.5, custom_data1=perhaps("x", "")
        )
    if customer.status == "active" and pick.random() < 0.2:
        deactivate_customer(customer)
    elif pick.random() < 0.2:
        activate_customer(customer)
    customer.refresh_from_db()
    return customer


def dice(seed):
    """A generator of chances that always falls the same way."""
    return random.Random(seed)


def codes_of(error):
    """The codes of a ValidationError by field."""
    assert isinstance(error, ValidationError)
    if not hasattr(error, "error_dict"):
        return {None: error.error_list[0].code}
    return {name: errors[0].code for name, errors in error.error_dict.items()}
