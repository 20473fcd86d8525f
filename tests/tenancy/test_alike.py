"""Known and unknown people cost the same work, so that the time of an answer tells nothing either.

The small tests compare what is asked of the database, statement by statement; the long one compares
the clock.
"""

import logging
import re
import statistics
import time

import pytest
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from customers.models import Customer
from customers.services import set_customer_password
from tenancy.scoping import in_tenant
from tenancy.services import update_tenant
from tests.api_client import Api
from tests.factories import (
    PASSWORD,
    CustomerFactory,
    StaffMemberFactory,
    TenantFactory,
    UserFactory,
)

# The commits of a request must be real to cost what they cost.
pytestmark = pytest.mark.django_db(transaction=True)

logger = logging.getLogger("tests.alike")

N_ALIKE = 30
N_TIMED = 300
WARM_UP = 20
# Argon2 as an installation has it, only cheaper: its work must not drown what is looked for.
REAL_HASHER = "tests.tenancy.cheap_argon2.CheapArgon2"


def body_of_reset(name):
    return {"login": name}


def body_of_send_code(name):
    return {"contact": name}


def body_of_sign_in(name):
    return {"login": name, "password": "a wrong one"}


def body_of_staff_sign_in(name):
    return {"email": name, "password": "a wrong one"}


ASKED = {
    "password-reset": body_of_reset,
    "send-code": body_of_send_code,
    "customer-sign-in": body_of_sign_in,
    "sign-in": body_of_staff_sign_in,
}


@pytest.fixture
def acme():
    """A business that activates by mail."""
    tenant = TenantFactory(code="acme")
    return update_tenant(tenant, settings={"self_registration": True, "activation_method": "email"})


@pytest.fixture
def known(acme):
    """A function that makes customers and staff whom a request may name, and answers their names:
    half of the customers new, half active."""

    def make(n):
        names = [f"known{i:03d}@example.org" for i in range(n)]
        users = [UserFactory(email=name) for name in names]
        users[0].set_password(PASSWORD)
        for i, (name, user) in enumerate(zip(names, users, strict=True)):
            customer = CustomerFactory(
                tenant=acme,
                status="new" if i % 2 else "active",
                login_email=name,
                emails=[{"address": name}, {"address": f"second{i}@example.org"}],
                phones=[{"given": f"900 1{i:04d}"}],
            )
            user.password = users[0].password
            user.save()
            StaffMemberFactory(tenant=acme, user=user)
            if i == 0:
                with in_tenant(acme):
                    set_customer_password(customer, PASSWORD)
                    password = Customer.objects.get(pk=customer.pk).password
            with in_tenant(acme):
                Customer.objects.filter(pk=customer.pk).update(password=password)
        return names

    return make


def ask(endpoint, name, address):
    # Each caller from an address of its own: nothing is counted against the one before.
    return Api().post(f"tenants/acme/{endpoint}/", ASKED[endpoint](name), REMOTE_ADDR=address)


def told(answer):
    body = {**answer.json(), "request_id": ""}
    headers = {name: value for name, value in answer.headers.items() if name != "X-Request-Id"}
    return answer.status_code, body, headers


def statement(sql):
    """An SQL statement without its values, and without the names of savepoints."""
    for what in (r"'(?:[^']|'')*'", r'"s\d+_x\d+"', r"\b\d+\b"):
        sql = re.sub(what, "?", sql)
    return sql


@pytest.mark.parametrize("endpoint", ASKED)
def test_known_and_unknown_people_cost_the_same_statements_and_get_the_same_answer(endpoint, known):
    names = known(N_ALIKE)
    seen = {}

    for kind, people in (("known", names), ("unknown", [f"un{name}" for name in names])):
        for n, name in enumerate(people):
            address = f"198.51.{int(kind == 'known')}.{n}"
            with CaptureQueriesContext(connection) as asked:
                answer = ask(endpoint, name, address)
            statements = [statement(query["sql"]) for query in asked.captured_queries]
            seen.setdefault(kind, []).append((told(answer), statements))

    assert seen["known"][0][0][0] in (202, 401)
    assert len(seen["known"][0][1]) > 5
    everything = [one for kind in seen.values() for one in kind]
    assert all(one == everything[0] for one in everything)


@pytest.mark.parametrize("login", ["known000@example.org", "900 10000", "nobody", "900 99999"])
def test_every_kind_of_sign_in_is_looked_up_by_one_query(known, acme, login):
    known(1)

    with in_tenant(acme), CaptureQueriesContext(connection) as asked:
        from customers.services.passwords import find_by_login

        find_by_login(login)

    assert len(asked) == 1


# --- The clock -----------------------------------------------------------------------------------
def timed(endpoint, names):
    """({kind: [seconds]}) for known and unknown people, asked in turn."""
    seconds = {"known": [], "unknown": []}
    for n, name in enumerate(names):
        kinds = ["known", "unknown"] if n % 2 else ["unknown", "known"]
        for kind in kinds:
            who = name if kind == "known" else f"un{name}"
            address = f"198.51.{100 + int(kind == 'known') * 10 + n // 250}.{n % 250}"
            begun = time.perf_counter()
            answer = ask(endpoint, who, address)
            spent = time.perf_counter() - begun
            assert answer.status_code in (202, 401)
            if n >= WARM_UP:
                seconds[kind].append(spent)
    return seconds


def area_under_curve(known, unknown):
    """How well the time alone tells the two apart: 0.5 is not at all, 1 is always."""
    wins = sum((a > b) + (a == b) / 2 for a in known for b in unknown)
    area = wins / (len(known) * len(unknown))
    return max(area, 1 - area)


@pytest.mark.long
@pytest.mark.parametrize("endpoint", ASKED)
def test_the_time_of_an_answer_does_not_tell_who_is_known(endpoint, known):
    with override_settings(PASSWORD_HASHERS=[REAL_HASHER]):
        names = known(N_TIMED + WARM_UP)
        # A busy machine may spoil one series; it does not spoil two in the same way.
        for _series in range(2):
            seconds = timed(endpoint, names)
            medians = {kind: statistics.median(values) for kind, values in seconds.items()}
            differs = abs(medians["known"] / medians["unknown"] - 1)
            area = area_under_curve(seconds["known"], seconds["unknown"])
            figures = f"medians {medians}, {differs:.1%} apart; area {area:.3f}"
            logger.info("%s: %s", endpoint, figures)
            if differs <= 0.05 and area <= 0.55:
                return
            names = [f"x{name}" for name in names]
    pytest.fail(figures)
