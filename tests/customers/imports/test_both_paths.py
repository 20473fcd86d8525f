"""One by one or together: the same rows leave the same behind, in every table."""

import io
import json
import uuid
from datetime import UTC, datetime

import pytest
from django.apps import apps
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.hooks import hooks
from customers.imports import together
from customers.imports.engine import import_customers
from customers.models import Customer
from groups.services import create_group
from loyalty.services import create_earning_rule, create_level
from tenancy import clock
from tests.factories import StoreFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
LEFT_BEHIND = (
    *("customers.Customer", "customers.Email", "customers.Phone", "customers.Address"),
    *("customers.ContactPerson", "customers.Label", "customers.Consent"),
    *("customers.ChargeAccount", "loyalty.LoyaltyAccount", "loyalty.Entry", "loyalty.EntryNote"),
    *("loyalty.Lot", "groups.Subscription", "events.HistoryEntry", "events.Event"),
)

few = st.sampled_from(["1", "2", "3"])
word = st.sampled_from(["Ada", "Bjørn", "O'Neil", "a\\b", "=1+1", "  Zoë ", "x" * 130])
address = st.sampled_from(["a@example.org", "B@Example.org", "c@exämple.org", "nowhere"])
phone = st.sampled_from(["900 00 001", "+4790000002", "030 901820", "none", "0047 900 00 003 x7"])
emails = st.lists(
    st.fixed_dictionaries({"address": address}, optional={"primary": st.booleans(),
                                                          "opted_out": st.booleans()}),
    max_size=3,
)  # fmt: skip
phones = st.lists(
    st.fixed_dictionaries({"given": phone}, optional={"kind": st.sampled_from(["home", "work"])}),
    max_size=2,
)
addresses = st.lists(
    st.fixed_dictionaries(
        {"street": word},
        optional={
            "country": st.sampled_from(["NO", "Norway", "Narnia"]),
            "kind": st.sampled_from(["billing", "work"]),
            "latitude": st.sampled_from([59.9, 200]),
            "email": address,
        },
    ),
    max_size=2,
)
consents = st.lists(
    st.fixed_dictionaries(
        {"purpose": st.sampled_from(["marketing", "legal"]), "granted": st.booleans()},
        optional={"at": st.sampled_from(["2020-01-01", "2030-01-01"])},
    ),
    max_size=2,
)
groups = st.lists(
    st.one_of(
        st.sampled_from(["news", "club", "nowhere"]),
        st.fixed_dictionaries({"code": st.just("news"), "subscribed": st.booleans()}),
    ),
    max_size=2,
)
rows = st.fixed_dictionaries(
    {},
    optional={
        "external_id": few,
        "card_number": few,
        "username": few,
        "login_email": address,
        "login_phone": phone,
        "first_name": word,
        "last_name": word,
        "company_name": word,
        "name": word,
        "birth_date": st.sampled_from(["1990-02-03", "--02-29", "2990-01-01"]),
        "status": st.sampled_from(["new", "active", "blocked"]),
        "created_at": st.sampled_from(["2020-05-17 12:00:00", "2021-01-01"]),
        "discount_percent": st.sampled_from([5, 101]),
        "credit_limit": st.sampled_from(["12.50", "1.234"]),
        "gender": st.sampled_from(["female", "x"]),
        "language": st.sampled_from(["nb", "qq"]),
        "home_store": st.sampled_from(["oslo", "nowhere"]),
        "no_loyalty": st.booleans(),
        "charge_account_number": few,
        "level": st.sampled_from(["Gold", "Lead"]),
        "internal_note": st.sampled_from(["two\nlines\tand a tab", "back\\slash"]),
        "emails": emails,
        "phones": phones,
        "addresses": addresses,
        "consents": consents,
        "groups": groups,
        "labels": st.sampled_from([[{"key": "a", "value": "1"}], [{"key": "", "value": "1"}]]),
        "contact_persons": st.sampled_from([[{"first_name": "Ada"}], [{}]]),
    },
)
files = st.lists(rows, min_size=2, max_size=6)


def left_behind():
    """Every row of every table, without what is made up anew each time: ids become the number of
    the customer that they lead to, or nothing."""
    numbers = dict(Customer.objects.values_list("pk", "number"))

    def told(value):
        if isinstance(value, uuid.UUID):
            return ("customer", numbers[value]) if value in numbers else "id"
        return value

    found = {}
    for label in LEFT_BEHIND:
        model = apps.get_model(label)
        left_out = {"id", "uid", "request_id", "source_id"}
        names = [f.attname for f in model._meta.concrete_fields if f.attname not in left_out]
        found[label] = sorted(
            ([(name, told(row[name])) for name in names if name != "data"]
             for row in model.objects.values(*names)),
            key=repr,
        )  # fmt: skip
    return found


class _Undone(Exception):
    pass


def imported(both, fewest, **options):
    """What these files leave behind, and what their reports say; taken back again."""
    found = []
    before, together.FEWEST = together.FEWEST, fewest
    try:
        with transaction.atomic(), clock.frozen(NOW):
            for records in both:
                text = "".join(json.dumps(record) + "\n" for record in records)
                report = import_customers(
                    io.BytesIO(text.encode()), format="jsonl", **options
                ).as_dict()
                found.append({name: report[name] for name in report if name != "notes"})
            found.append(left_behind())
            raise _Undone
    except _Undone:
        return found
    finally:
        together.FEWEST = before


@pytest.fixture
def programme(acme):
    """A tenant in which a registration sets off all that it can."""
    StoreFactory(tenant=acme, code="oslo", country="DE")
    for code in ("news", "club"):
        create_group(code=code)
    create_level(name="Gold", threshold="1000")
    create_earning_rule(name="Welcome", kind="registration", points="10")
    acme.settings |= {"newsletter_points": 5, "points_lock_days": 2}
    acme.save()
    return acme


@settings(max_examples=12, suppress_health_check=list(HealthCheck))
@given(
    both=st.tuples(files, files),
    match=st.sampled_from(["external_id", "email", "phone", None]),
    on_match=st.sampled_from(["skip", "fill", "overwrite", "refuse"]),
    events=st.booleans(),
)
def test_together_or_one_by_one_leaves_the_same_behind(programme, both, match, on_match, events):
    # A file has one header; every record may leave things out.
    full = {"external_id": "9", "first_name": "Last", "emails": [{"address": "z@example.org"}],
            "phones": [{"given": "900 00 009"}]}  # fmt: skip
    both = tuple([*records, full] for records in both)
    options = {"match": match, "on_match": on_match, "events": events}

    one_by_one = imported(both, 10**9, **options)
    at_once = imported(both, 1, **options)

    assert at_once == one_by_one


def test_the_bulk_way_is_taken_at_all(programme, monkeypatch):
    taken = []
    register = together.register
    monkeypatch.setattr(
        together, "register", lambda *args: taken.extend(args[0]) or register(*args)
    )

    imported([[{"external_id": str(n), "first_name": "A"} for n in range(5)]], 1)

    assert len(taken) == 5


def test_whoever_joins_one_registration_joins_many():
    apps_of = [{hook.__module__.split(".")[0] for hook in table}
               for table in (hooks.registered, hooks.registered_many)]  # fmt: skip
    assert apps_of[0] == apps_of[1]
    assert len(hooks.registered) == len(hooks.registered_many)
    assert all(field.apply_many for field in hooks.fields.values())


def test_one_that_the_database_refuses_takes_no_other_with_it(programme, monkeypatch):
    monkeypatch.setattr(together, "_taken", lambda *args: set())
    rows = [{"external_id": str(n), "first_name": "A", "card_number": "7"} for n in range(2)]
    rows += [{"external_id": "5", "first_name": "B", "card_number": "8"}]

    found = imported([rows[:1], rows[1:]], 1)

    assert (found[1]["created"], found[1]["refused"]) == (1, 1)
