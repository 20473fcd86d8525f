"""Demonstration data: one tenant with believable people, the same every time.

Everything here is invented: names are common ones put together by a seeded generator, addresses
are made up from ordinary street names, e-mails end in example domains, and the companies do not
exist. Made through the services, so that history, numbers and consents look as in real use.
"""

import hashlib
import hmac
import json
import random
import re
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings

import normalise
from config.demo_desk import load_import, load_requests, load_twins
from config.demo_loyalty import SETTINGS as PROGRAMME
from config.demo_loyalty import load_programme, shop
from customers.models import Customer, Tombstone
from customers.services import (
    add_extension,
    deactivate_customer,
    record_consent,
    register_customer,
    set_charge_account,
    set_store_profile,
    update_customer,
)
from events.actors import Actor, acting
from groups.models import Group
from groups.services import create_group
from tenancy import clock
from tenancy.models import AccessToken, Store
from tenancy.scoping import in_tenant
from tenancy.services import create_staff, create_store, create_tenant, create_token, revoke_token
from tenancy.services.staff import set_user_password

TENANT = "demo"
N_CUSTOMERS = 360
SEED = 20261101
LAST_DAY = datetime(2026, 11, 1, 16, 0, tzinfo=UTC)
NAMESPACE = uuid.UUID("8f2c6f2e-3a55-4b0e-9a34-2f1f6d3f0f10")
STAFF = (
    ("admin@example.org", "Ingrid Berg", "admin"),
    ("seller@example.org", "Jonas Lie", "seller"),
)
STORES = (
    ("oslo", "Oslo, Karl Johans gate", ""),
    ("bergen", "Bergen, Torgallmenningen", ""),
    ("berlin", "Berlin, Kastanienallee", "DE"),
)
GROUPS = (
    ("news", "Newsletter", "public", "Hear about new arrivals twice a month.", None),
    ("news-kids", "Newsletter: children's books", "public", "New books for small readers.", "news"),
    ("club", "Readers' club", "public", "Evenings with authors, by invitation.", None),
    ("staff-friends", "Friends and family", "private", "", None),
    ("schools", "Schools and libraries", "private", "", None),
)
# country -> first names by gender, last names, [city, postal code] pairs, streets, and how a phone
# number looks (# is a digit).
PEOPLE = json.loads((Path(__file__).parent / "demo_people.json").read_text("utf-8"))
COMPANIES = (
    ("Nordlys Skole", "NO"),
    ("Fjordbiblioteket", "NO"),
    ("Kafé Blå AS", "NO"),
    ("Lesesirkelen Hamar", "NO"),
    ("Buchcafé Linde GmbH", "DE"),
    ("Harbour Nursery Ltd", "GB"),
)
ORIGINS = ("till", "web shop", "event", "")


def demo_password():
    """The demonstration staff's password: different on every installation, never stored."""
    digest = hmac.new(settings.SECRET_KEY.encode(), b"demo password", hashlib.sha256).hexdigest()
    return f"demo-{digest[:5]}-{digest[5:10]}"


def load_demo(report=lambda line: None):
    """Make or complete the demonstration tenant; returns {"created": n, "customers": n}.

    Customers that are there already stay as they are, so it can run at every start. `report` is
    called with a line now and then.
    """
    tenant, _created = create_tenant(
        TENANT,
        name="Bokhandelen Lesehesten",
        country="NO",
        currency="NOK",
        timezone="Europe/Oslo",
        settings={"self_registration": True, "activation_method": "email", **PROGRAMME},
        bare=True,
    )
    with in_tenant(tenant), acting(Actor("system", label="demonstration data")):
        for code, name, country in STORES:
            create_store(tenant, code, name=name, country=country or None)
        load_programme()
        for email, name, role in STAFF:
            member, _is_new = create_staff(tenant, email, role=role, name=name)
            if not member.user.check_password(demo_password()):
                set_user_password(member.user, demo_password())
        for code, title, subscribable, text, parent in GROUPS:
            if not Group.objects.filter(code=code).exists():
                create_group(
                    code=code,
                    title=title,
                    subscribable=subscribable,
                    subscribe_text=text,
                    parent=parent,
                )
        stores = {store.code: store for store in Store.objects.all()}
        n_created = _load_customers(report, stores) + load_twins(NAMESPACE, stores, LAST_DAY)
        load_requests()
        load_import()
        n_customers = Customer.objects.count()
    return {"created": n_created, "customers": n_customers}


def demo_token(tenant):
    """A fresh token for trying the API as an administrator; the one before ends."""
    with in_tenant(tenant):
        for old in AccessToken.objects.live().filter(name="demo"):
            revoke_token(old)
        scopes = (
            *("customers:read", "customers:write", "customers:export", "groups:read"),
            *("loyalty:read", "loyalty:write", "points:adjust", "transactions:write"),
        )
        return create_token(tenant, holder="service", scopes=scopes, name="demo")[1]


def _load_customers(report, stores):
    known = set(Customer.with_merged.values_list("pk", flat=True))
    # Whom somebody deleted stays deleted; the purchases are still there, and cannot be made twice.
    known |= set(Tombstone.objects.values_list("pk", flat=True))
    n_created = 0
    for index in range(N_CUSTOMERS + len(COMPANIES)):
        customer_id = uuid.uuid5(NAMESPACE, str(index))
        if customer_id in known:
            continue
        pick = random.Random(SEED * 1_000 + index)
        instant = LAST_DAY - timedelta(hours=int(24 * 420 * pick.random() ** 1.4))
        with clock.frozen(instant):
            if index < N_CUSTOMERS:
                customer = register_customer(id=customer_id, **_person(pick, index, stores))
            else:
                customer = register_customer(
                    id=customer_id, **_company(pick, COMPANIES[index - N_CUSTOMERS], stores)
                )
        with clock.frozen(min(LAST_DAY, instant + timedelta(days=pick.randint(1, 60)))):
            _live_a_little(customer, pick, stores)
        shop(customer, random.Random(SEED * 2_000 + index), LAST_DAY, stores, index)
        n_created += 1
        if n_created % 100 == 0:
            report(f"{n_created} demonstration customers so far")
    return n_created


def _person(pick, index, stores):
    country = pick.choices(list(PEOPLE), weights=[60, 10, 16, 9, 5])[0]
    people = PEOPLE[country]
    gender = pick.choice(["female", "male"])
    first, last = pick.choice(people[gender]), pick.choice(people["last"])
    city, postal_code = pick.choice(people["cities"])
    profile = {
        "first_name": first,
        "last_name": last,
        "gender": gender if pick.random() < 0.7 else "not_disclosed",
        "language": {"NO": "nb", "SE": "sv", "DE": "de", "GB": "en", "FR": "fr"}[country],
        "origin": pick.choice(ORIGINS),
        "home_store": stores["berlin" if country == "DE" else pick.choice(["oslo", "bergen"])],
        "emails": [{"address": _address(first, last, index), "verified": pick.random() < 0.5}],
        "consents": [
            {"purpose": "legal", "granted": True, "source": "registration form"},
            {
                "purpose": "marketing",
                "granted": pick.random() < 0.6,
                "source": "registration form",
                "wording_version": "2026-01",
            },
        ],
    }
    if pick.random() < 0.85:
        profile["phones"] = [{"given": _phone(people, pick), "kind": "mobile"}]
    if pick.random() < 0.6:
        profile["addresses"] = [
            {
                "kind": "home",
                "street": f"{pick.choice(people['streets'])} {pick.randint(1, 99)}",
                "postal_code": postal_code,
                "city": city,
                "country": country,
            }
        ]
    if pick.random() < 0.5:
        year = pick.randint(1940, 2006)
        day = f"{pick.randint(1, 12):02d}-{pick.randint(1, 28):02d}"
        profile["birth_date"] = f"{year}-{day}" if pick.random() < 0.8 else f"--{day}"
    if pick.random() < 0.4:
        profile |= {"card_number": f"2900{index:06d}", "card_state": "with-card"}
    if pick.random() < 0.15:
        profile["labels"] = [{"key": "interest", "value": pick.choice(["crime", "poetry", "sea"])}]
    groups = [code for code, chance in _chances() if pick.random() < chance]
    return profile | ({"groups": groups} if groups else {})


def _chances():
    return (("news", 0.45), ("news-kids", 0.15), ("club", 0.2), ("staff-friends", 0.04))


def _company(pick, company, stores):
    name, country = company
    people = PEOPLE[country]
    city, postal_code = people["cities"][0]
    first, last = pick.choice(people["female"]), pick.choice(people["last"])
    domain = "".join(letter for letter in name.lower() if letter.isascii() and letter.isalnum())
    return {
        "kind": "company",
        "company_name": name,
        "home_store": stores["berlin" if country == "DE" else "oslo"],
        "payment_terms_days": 30,
        "discount_percent": 10,
        "ledger_number": f"00{pick.randint(1000, 9999)}",
        "e_invoice": country == "NO",
        "credit_limit": "25000.00",
        "emails": [{"address": f"invoice@{domain}.example"}],
        "phones": [{"given": _phone(people, pick), "kind": "work"}],
        "addresses": [
            {
                "kind": "billing",
                "street": f"{people['streets'][0]} {pick.randint(1, 40)}",
                "postal_code": postal_code,
                "city": city,
                "country": country,
            }
        ],
        "contact_persons": [{"first_name": first, "last_name": last}],
        "groups": ["schools"],
    }


def _address(first, last, index):
    name = normalise.fold(f"{first} {last}").replace(" ", ".")
    return f"{name}{index}@example.com"


def _phone(people, pick):
    # The first digit after the prefix is never 0 or 1: such numbers belong to nobody's plan.
    return re.sub("#", lambda _mark: str(pick.randint(2, 9)), people["phone"])


def _live_a_little(customer, pick, stores):
    """What happens to customers after they registered, to some of them."""
    if pick.random() < 0.08:
        record_consent(customer, purpose="marketing", granted=False, source="mail footer")
    if pick.random() < 0.06:
        deactivate_customer(customer, reason="Card reported lost")
    if pick.random() < 0.1:
        update_customer(customer, internal_note="Prefers to be called in the evening.")
    if pick.random() < 0.05:
        set_store_profile(customer, stores["bergen"], note="Picks up orders at the back door.")
    if customer.kind == "company":
        set_charge_account(customer, number=f"A-{customer.number:05d}")
        add_extension(customer, stores["oslo"], "TWO_INVOICE")
