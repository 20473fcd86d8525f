"""One customer base behind all wires: what one of them writes, the others show at once."""

import json
from datetime import datetime, timedelta

import pytest
from django.test import Client

from customers.models import Customer
from events.models import HistoryEntry
from tenancy import clock
from tests.api_client import Api
from tests.dialects.flowretail.client import FlowRetail
from tests.dialects.zeald.client import Zeald, customer, one
from tests.factories import make_token

pytestmark = pytest.mark.django_db


class Wires:
    """The same business over every wire."""

    def __init__(self, tenant):
        self.token = make_token(tenant)
        self.tenant = tenant
        self.client = Client()
        self.flow = FlowRetail(self.token, tenant=tenant.code)
        self.spider = Zeald(self.token)

    def send(self, method, path, body=None, *, header="Authorization"):
        value = self.token if header == "X-Api-Key" else f"Bearer {self.token}"
        data = b"" if body is None else json.dumps(body)
        answer = self.client.generic(
            method, path, data, content_type="application/json", headers={header: value}
        )
        assert answer.status_code < 300, answer.content
        return json.loads(answer.content) if answer.content else None

    # --- ways in: each answers the id
    def from_house(self):
        body = {"first_name": "Ada", "emails": [{"address": "ada@example.org"}]}
        return self.send("POST", "/api/v1/customers/", body)["id"]

    def from_open_loyalty(self):
        form = {"firstName": "Ada", "lastName": "Byron", "agreement1": True}
        form["email"] = "ada@example.org"
        path = f"/api/{self.tenant.code}/customer/register"
        return self.send("POST", path, {"customer": form})["customerId"]

    def from_fieldpine(self):
        body = {"FirstName": "Ada", "Email": "ada@example.org"}
        answer = self.send("POST", "/OpenApi2/Customers", body, header="X-Api-Key")
        return answer["data"]["CustomerId"]

    def from_flow_retail(self):
        return self.flow.make(firstname="Ada", email="ada@example.org")["customerUid"]

    def from_zeald(self):
        fields = {"username": "ada", "b_fname": "Ada", "email": "ada@example.org"}
        assert self.spider.post("Customer", customer(**fields)).status_code == 201
        return Customer.objects.get(username="ada").pk

    # --- ways to change
    def by_house(self, customer_id):
        body = {"first_name": "Grace", "emails": [{"address": "grace@example.org"}]}
        self.send("PATCH", f"/api/v1/customers/{customer_id}/", body)

    def by_open_loyalty(self, customer_id):
        form = {"firstName": "Grace", "email": "grace@example.org"}
        path = f"/api/{self.tenant.code}/customer/{customer_id}"
        self.send("PUT", path, {"customer": form})

    def by_flow_retail(self, customer_id):
        body = {"firstname": "Grace", "email": "grace@example.org"}
        assert self.flow.put(str(customer_id), body).status_code == 200

    def by_zeald(self, customer_id):
        fields = {"username": "ada", "b_fname": "Grace", "email": "grace@example.org"}
        assert self.spider.post("Customer", customer(**fields)).status_code == 200

    # --- ways out: (first name, e-mail)
    def house(self):
        (row,) = self.send("GET", "/api/v1/customers/")["results"]
        return row["first_name"], row["emails"][0]["address"]

    def open_loyalty(self):
        (row,) = self.send("GET", f"/api/{self.tenant.code}/customer")["customers"]
        return row["firstName"], row["email"]

    def fieldpine(self):
        (row,) = self.send("GET", "/OpenApi2/Customers", header="X-Api-Key")["data"]
        return row["FirstName"], row["Email"]

    def conecto(self):
        (row,) = self.send("GET", "/pos/v2/1/customers")["results"]
        return row["firstName"], row["customerEmails"][0]["email"]

    def flow_retail(self):
        (row,) = self.flow.get().json()["items"]
        return row["firstname"], row["email"]

    def zeald(self):
        row = one(self.spider.get("Customer"))
        return row["b_fname"], row["email"]

    def edited(self):
        """The instants at which the wires that tell one say that the customer was changed."""
        (row,) = self.send("GET", "/api/v1/customers/")["results"]
        (flow,) = self.flow.get().json()["items"]
        told = row["updated_at"], flow["lastModifiedAt"]
        return {datetime.fromisoformat(one).replace(microsecond=0) for one in told}

    def everywhere(self):
        return {
            *(self.house(), self.open_loyalty(), self.fieldpine(), self.conecto()),
            *(self.flow_retail(), self.zeald()),
        }


@pytest.fixture
def wires(acme):
    return Wires(acme)


WAYS = ["from_house", "from_open_loyalty", "from_fieldpine", "from_flow_retail", "from_zeald"]


@pytest.mark.parametrize("way", WAYS)
def test_who_comes_in_one_way_is_seen_on_all_at_once(wires, way):
    customer_id = getattr(wires, way)()

    assert wires.everywhere() == {("Ada", "ada@example.org")}
    customer = Customer.objects.get(pk=customer_id)
    assert customer.version == 1
    assert HistoryEntry.objects.filter(subject_id=customer.pk).count() == 1


# Fieldpine registers and Conecto reads; neither has a way to change somebody.
CHANGES = ["by_house", "by_open_loyalty", "by_flow_retail", "by_zeald"]


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_on_one_wire_is_seen_on_all_and_moves_once(wires, change):
    customer_id = wires.from_zeald()
    with clock.frozen(clock.now() - timedelta(hours=1)):
        Customer.objects.filter(pk=customer_id).update(updated_at=clock.now())
    before = Customer.objects.get(pk=customer_id)
    assert wires.everywhere() == {("Ada", "ada@example.org")}

    getattr(wires, change)(customer_id)

    assert wires.everywhere() == {("Grace", "grace@example.org")}
    after = Customer.objects.get(pk=customer_id)
    assert after.version == before.version + 1
    assert after.updated_at > before.updated_at
    assert HistoryEntry.objects.filter(subject_id=customer_id, version=after.version).count() == 1
    (told,) = wires.edited()
    assert told == after.updated_at.replace(microsecond=0)


@pytest.mark.parametrize("change", CHANGES)
def test_the_same_change_again_on_one_wire_moves_nothing_on_any(wires, change):
    customer_id = wires.from_zeald()
    getattr(wires, change)(customer_id)
    before = Customer.objects.get(pk=customer_id)

    getattr(wires, change)(customer_id)

    after = Customer.objects.get(pk=customer_id)
    assert (after.version, after.updated_at) == (before.version, before.updated_at)


def test_a_change_on_one_wire_is_one_change_on_all(wires):
    customer_id = wires.from_fieldpine()
    before = Customer.objects.get(pk=customer_id)
    (row,) = wires.send("GET", "/OpenApi2/Customers", header="X-Api-Key")["data"]
    seen = row["EditDtu"]

    form = {"firstName": "Grace", "email": "grace@example.org"}
    path = f"/api/{wires.tenant.code}/customer/{customer_id}"
    wires.send("PUT", path, {"customer": form})

    assert wires.everywhere() == {("Grace", "grace@example.org")}
    after = Customer.objects.get(pk=customer_id)
    assert after.version == before.version + 1
    assert after.updated_at > before.updated_at
    (fieldpine,) = wires.send(
        "GET", f"/OpenApi2/Customers?englishquery=editdtu+after+{seen}", header="X-Api-Key"
    )["data"]
    (conecto,) = wires.send("GET", f"/pos/v2/1/customers?updatedAfter={seen}")["results"]
    assert fieldpine["EditDtu"] == conecto["updatedAt"]


def test_a_resend_is_no_change_anywhere(wires):
    Api(wires.token).patch(f"customers/{wires.from_fieldpine()}/", {"language": "nb"})
    before = Customer.objects.get()

    wires.from_fieldpine()

    assert Customer.objects.get().updated_at == before.updated_at
    assert Customer.objects.get().version == 2
