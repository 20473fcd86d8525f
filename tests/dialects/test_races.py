"""Two clients of one wire who write the same customers at the same time."""

import threading
from functools import partial

import pytest
from django.db import connection

from customers.models import Customer
from tenancy.scoping import in_tenant
from tests.dialects.flowretail.client import FlowRetail
from tests.dialects.zeald.client import Zeald, customer, group, link
from tests.factories import TenantFactory, make_token

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor == "sqlite", reason="one writer at a time"),
]


@pytest.fixture
def shop(db):
    return TenantFactory(code="acme")


def at_once(*deeds):
    """Do all of these in threads that start together; what they answered, in no order."""
    start, answers = threading.Barrier(len(deeds)), []

    def work(deed):
        try:
            start.wait(timeout=60)
            answers.append(deed())
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(deed,)) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    return answers


def n_customers(shop):
    with in_tenant(shop):
        return Customer.objects.count()


def test_flow_retail_upserts_of_one_new_external_id_make_one_customer(shop):
    token = make_token(shop, "service", scopes=["customers:read", "customers:write"])

    def upsert(external_id, name):
        body = {"upsert": [{"externalId": external_id, "firstname": name}]}
        return FlowRetail(token).post("batch", body).json()["upsert"][0]["status"]

    for round_ in range(5):
        names = (f"Ola {n}" for n in range(6))
        statuses = at_once(*[partial(upsert, f"K-{round_}", name) for name in names])
        assert sorted(statuses) == [200, 200, 200, 200, 200, 201]

    assert n_customers(shop) == 5


def test_flow_retail_changes_of_different_fields_are_both_kept(shop):
    token = make_token(shop, "service", scopes=["customers:read", "customers:write"])
    uid = FlowRetail(token).make(externalId="K-1")["customerUid"]
    bodies = [{"city": "Oslo"}, {"firstname": "Kari"}, {"origin": "till"}, {"internalNote": "n"}]

    at_once(*[partial(FlowRetail(token).put, uid, body) for body in bodies])

    told = FlowRetail(token).get(uid).json()
    assert {name: told[name] for body in bodies for name in body} == {
        name: value for body in bodies for name, value in body.items()
    }
    with in_tenant(shop):
        assert Customer.objects.get(pk=uid).version == 5


def test_zeald_bodies_with_the_same_customers_in_another_order_do_not_block_each_other(shop):
    token = make_token(shop, "admin")
    names = [f"u{n}" for n in range(8)]
    Zeald(token).post("Customer", *(customer(username=name, b_fname="A") for name in names))

    def post(order, text):
        body = [customer(username=name, b_fname=f"{text}{name}") for name in order]
        return Zeald(token).post("Customer", *body).status_code

    for n in range(3):
        deeds = partial(post, names, f"x{n}"), partial(post, names[::-1], f"y{n}")
        assert at_once(*deeds) == [200, 200]

    with in_tenant(shop):
        found = set(Customer.objects.values_list("first_name", flat=True))
    assert {name[:2] for name in found} in ({"x2"}, {"y2"})


def test_zeald_memberships_of_the_same_customers_in_another_order_do_not_block_each_other(shop):
    token = make_token(shop, "admin")
    names = [f"u{n}" for n in range(8)]
    Zeald(token).post("UserGroups", group(code="vip", title="Vip"))
    Zeald(token).post("Customer", *(customer(username=name, b_fname="A") for name in names))

    def post(order, text):
        body = [link(username=name, group_code="vip", custom_data1=text) for name in order]
        return Zeald(token).post("UserCustomerGroups", *body).status_code

    for n in range(3):
        deeds = partial(post, names, f"x{n}"), partial(post, names[::-1], f"y{n}")
        assert set(at_once(*deeds)) <= {200, 201}

    with in_tenant(shop):
        assert Customer.objects.count() == 8
