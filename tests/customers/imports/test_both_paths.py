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

MANY = 12
NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
LEFT_BEHIND = (
    *("customers.Customer", "customers.Email", "customers.Phone", "customers.Address"),
    *("customers.ContactPerson", "customers.Label", "customers.Consent"),
    *("customers.ChargeAccount", "loyalty.LoyaltyAccount", "loyalty.Entry", "loyalty.EntryNote"),
    *("loyalty.Lot", "groups.Subscription", "events.HistoryEntry", "events.Event"),
)

few = st.sampled_from(["k1", "k2", "k3"])
word = st.sampled_from(["", "Ada", "Bjørn", "O'Neil", "a\\b", "=1+1", "  Zoë ", "x" * 130])
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
    """Every row of every table, without what is made up anew each time: ids become the external id
    (else the number) of the customer that they lead to, or nothing. Numbers are given in the order
    of the writing, and are nothing to go by."""
    keys, numbers = {}, {}
    for key, external_id, number in Customer.objects.values_list("pk", "external_id", "number"):
        keys[key], numbers[f"cust-{number}"] = external_id or "", str(number)

    def told(name, value):
        if isinstance(value, uuid.UUID):
            return ("customer", keys[value]) if value in keys else "id"
        if name == "search_text":
            words = value.split()
            own = {word for code, number in numbers.items() if code in words
                   for word in (code, number)}  # fmt: skip
            return sorted(word for word in words if word not in own)
        return value

    found = {}
    for label in LEFT_BEHIND:
        model = apps.get_model(label)
        left_out = {"id", "uid", "request_id", "source_id", "number"}
        if label == "customers.ChargeAccount":
            left_out.remove("number")
        names = [f.attname for f in model._meta.concrete_fields if f.attname not in left_out]
        found[label] = sorted(
            ([(name, told(name, row[name])) for name in names if name != "data"]
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


# Rows that are mostly taken, so that the second file changes what the first one made.
known = st.fixed_dictionaries(
    {"external_id": st.sampled_from(["k1", "k2", "k3", "k4"])},
    optional={
        "card_number": st.sampled_from(["c7", "c8", "c9"]),
        "login_email": st.sampled_from(["a@example.org", "B@example.org"]),
        "login_phone": st.sampled_from(["900 00 001", "+4790000002"]),
        "first_name": st.sampled_from(["", "Ada", "Bjørn", "a\\b"]),
        "name": st.sampled_from(["", "Ada Ltd", "Somebody"]),
        "birth_date": st.sampled_from(["1990-02-03", "--02-29", ""]),
        "status": st.sampled_from(["active", "blocked"]),
        "credit_limit": st.sampled_from(["12.50", "7"]),
        "home_store": st.sampled_from(["oslo", ""]),
        "no_loyalty": st.booleans(),
        "charge_account_number": few,
        "level": st.just("Gold"),
        "emails": st.lists(
            st.fixed_dictionaries(
                {"address": st.sampled_from(["a@example.org", "A@example.org", "b@example.org"])},
                optional={"primary": st.booleans(), "opted_out": st.booleans()},
            ),
            max_size=2,
        ),
        "phones": st.lists(
            st.fixed_dictionaries(
                {"given": st.sampled_from(["900 00 001", "+4790000002", "030 901820"])},
                optional={"kind": st.sampled_from(["home", "work"]), "primary": st.booleans()},
            ),
            max_size=2,
        ),
        "addresses": st.lists(
            st.fixed_dictionaries(
                {"street": st.sampled_from(["High St", "Low St"])},
                optional={"country": st.sampled_from(["NO", "DE"]), "primary": st.booleans(),
                          "latitude": st.sampled_from([59.9, 0.0])},
            ),
            max_size=2,
        ),
        "consents": st.lists(
            st.fixed_dictionaries(
                {"purpose": st.sampled_from(["marketing", "newsletter"]), "granted": st.booleans()},
                optional={"at": st.sampled_from(["2020-01-01", "2021-01-01"])},
            ),
            max_size=2,
        ),
        "groups": st.lists(st.sampled_from(["news", "club"]), max_size=2, unique=True),
        "labels": st.sampled_from([[], [{"key": "a", "value": "1"}], [{"key": "a", "value": "2"}]]),
        "contact_persons": st.sampled_from([[], [{"first_name": "Ada"}], [{"email": "p@x.org"}]]),
    },
)  # fmt: skip
known_files = st.lists(known, min_size=2, max_size=6)


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


@settings(max_examples=MANY, suppress_health_check=list(HealthCheck))
@given(
    both=st.tuples(files, files),
    match=st.sampled_from(["external_id", "email", "phone", None]),
    on_match=st.sampled_from(["skip", "fill", "overwrite", "refuse", "review"]),
    blank=st.sampled_from(["keep", "clear"]),
    events=st.booleans(),
)
def test_together_or_one_by_one_leaves_the_same_behind(
    programme, both, match, on_match, blank, events
):
    # A file has one header; every record may leave things out.
    full = {"external_id": "9", "first_name": "Last", "emails": [{"address": "z@example.org"}],
            "phones": [{"given": "900 00 009"}]}  # fmt: skip
    both = tuple([*records, full] for records in both)
    options = {"match": match, "on_match": on_match, "blank": blank, "events": events}

    one_by_one = imported(both, 10**9, **options)
    at_once = imported(both, 1, **options)

    assert differences(at_once, one_by_one) == []


@settings(max_examples=MANY, suppress_health_check=list(HealthCheck))
@given(
    both=st.tuples(known_files, known_files),
    match=st.sampled_from(["external_id", "external_id", "email", "phone", "card_number"]),
    on_match=st.sampled_from(["fill", "overwrite", "overwrite", "review"]),
    overwrites=st.sampled_from([(), (), ("first_name", "emails")]),
    blank=st.sampled_from(["keep", "clear"]),
    events=st.booleans(),
)
def test_changed_together_or_one_by_one_leaves_the_same_behind(
    programme, both, match, on_match, overwrites, blank, events
):
    if on_match != "overwrite":
        overwrites = ()
    options = {"match": match, "on_match": on_match, "overwrites": overwrites, "blank": blank,
               "events": events}  # fmt: skip
    # The header is that of all rows.
    full = {"card_number": "c99", "external_id": "k99", "emails": [{"address": "z@example.org"}],
            "phones": [{"given": "900 00 009"}]}  # fmt: skip
    both = tuple([*records, full] for records in both)

    one_by_one = imported(both, 10**9, **options)
    at_once = imported(both, 1, **options)

    assert differences(at_once, one_by_one) == []


def differences(found, wanted, path=""):
    """Where two nested values differ, as a list short enough to be read."""
    if type(found) is not type(wanted) or not isinstance(found, (dict, list)):
        return [] if found == wanted else [f"{path}: {found!r} is not {wanted!r}"]
    if len(found) != len(wanted):
        return [f"{path}: {found!r} is not as long as {wanted!r}"]
    keys = found if isinstance(found, dict) else range(len(found))
    return [one for key in keys for one in differences(found[key], wanted[key], f"{path}.{key}")]


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
