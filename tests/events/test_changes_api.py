"""The change feed over the API, and a copy of the customers that is kept by it."""

import importlib.util
import json
import random
from collections import Counter

import httpx
import pytest
from django.conf import settings
from django.test import Client

from customers.imports.engine import import_customers
from customers.models import Customer
from customers.services import (
    anonymise_customer,
    delete_customer,
    merge_customers,
    record_consent,
    register_customer,
    undo_merge,
    update_customer,
)
from events.models import Event, Feed
from groups.services import create_group
from tests.factories import CustomerFactory, make_token

pytestmark = pytest.mark.django_db


class TestTheEndpoint:
    def test_events_are_told_with_their_ids(self, admin, ada):
        answer = admin.get("changes/")

        event = Event.objects.get()
        told = answer.json()
        assert answer.status_code == 200
        assert told["next"] is None
        assert told["results"] == [
            {
                "cursor": told["cursor"],
                "event_id": str(event.uid),
                "event": "customer.registered",
                "type": "customer",
                "id": str(ada.pk),
                "customer": str(ada.pk),
                "version": 1,
                "at": event.at.isoformat().replace("+00:00", "Z"),
                "data": {},
            }
        ]

    def test_next_leads_to_the_rest(self, admin, ada, grace):
        first = admin.get("changes/", {"limit": "1", "types": "customer"}).json()
        second = admin.get(first["next"].removeprefix("http://testserver")).json()

        assert [row["id"] for row in first["results"] + second["results"]] == [
            str(ada.pk),
            str(grace.pk),
        ]
        assert second["next"] is None
        assert admin.get("changes/", {"cursor": second["cursor"]}).json() == {
            "results": [],
            "cursor": second["cursor"],
            "next": None,
        }

    def test_kinds_and_types_narrow_it(self, admin, ada):
        create_group(code="news")

        def events(**filters):
            return [row["event"] for row in admin.get("changes/", filters).json()["results"]]

        assert events(events="group.*,customer.deleted") == ["group.created"]
        assert events(types="customer") == ["customer.registered"]

    @pytest.mark.parametrize(
        ("parameters", "field"),
        [
            ({"events": "customer"}, "events"),
            ({"events": "custmer.*"}, "events"),
            ({"types": "person"}, "types"),
            ({"cursor": "nonsense"}, "cursor"),
            ({"limit": "0"}, "limit"),
            ({"limit": "1001"}, "limit"),
            ({"limit": "x"}, "limit"),
            ({"page": "1"}, "page"),
            ({"since": "yesterday"}, "since"),
        ],
    )
    def test_a_wrong_parameter_is_named(self, admin, parameters, field):
        answer = admin.get("changes/", parameters)

        assert answer.status_code == 400
        assert [error["field"] for error in answer.json()["errors"]] == [field]

    def test_a_cursor_too_old_is_gone(self, admin, ada, grace):
        cursor = admin.get("changes/", {"limit": "1"}).json()["cursor"]
        Feed.objects.update(pruned_position=2)

        answer = admin.get("changes/", {"cursor": cursor})

        assert answer.status_code == 410
        assert answer.json()["type"] == "urn:regulars:problem:feed_expired"
        assert "full list" in answer.json()["detail"]

    @pytest.mark.parametrize("role", ["seller", "customer"])
    def test_it_is_not_for_sellers_and_customers(self, as_role, ada, role):
        assert as_role(role, customer=ada).get("changes/").status_code == 403

    def test_a_service_with_the_scope_reads_it(self, as_role, acme):
        with_it = as_role("service", scopes=["customers:read"])
        without = as_role("service", scopes=["groups:read"])

        assert with_it.get("changes/").status_code == 200
        assert without.get("changes/").status_code == 403

    def test_no_value_of_a_person_stands_in_it(self, admin, ada):
        update_customer(ada, first_name="Augusta", emails=[{"address": "new@example.org"}])
        record_consent(ada, purpose="marketing", granted=True, source="paper form")

        told = admin.get("changes/").content.decode()

        for value in ("Ada", "Augusta", "Lovelace", "example.org", "7001", "Storgata", "paper"):
            assert value not in told


class TestImports:
    FILE = json.dumps([{"first_name": "Ada"}, {"first_name": "Grace"}]).encode()

    def kinds(self, admin):
        return [row["event"] for row in admin.get("changes/").json()["results"]]

    def test_an_import_tells_of_itself(self, admin, acme, tmp_path):
        path = tmp_path / "people.json"
        path.write_bytes(self.FILE)

        import_customers(path)

        assert self.kinds(admin) == ["import.started", "import.completed"]
        completed = admin.get("changes/").json()["results"][1]
        assert (completed["type"], completed["customer"]) == ("import", None)
        assert completed["data"]["created"] == 2

    def test_an_import_tells_of_each_customer_when_asked(self, admin, acme, tmp_path):
        path = tmp_path / "people.json"
        path.write_bytes(self.FILE)

        import_customers(path, events=True)

        assert sorted(self.kinds(admin)) == [
            "customer.registered",
            "customer.registered",
            "import.completed",
            "import.started",
        ]


# --- The example -------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def example():
    """docs/examples/replica.py, as somebody would copy it."""
    path = settings.BASE_DIR / "docs" / "examples" / "replica.py"
    spec = importlib.util.spec_from_file_location("replica", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def replica(example, acme, tmp_path):
    """A function: the replica as it starts up again, from what it stored."""

    def served(request):
        answer = Client().get(request.url.raw_path.decode(), headers=request.headers)
        return httpx.Response(answer.status_code, content=answer.content)

    transport = httpx.MockTransport(served)
    bearer = {"Authorization": f"Bearer {make_token(acme, 'service', scopes=['customers:read'])}"}
    base = "http://testserver/api/v1/"
    with httpx.Client(transport=transport, base_url=base, headers=bearer) as client:
        yield lambda: example.Replica(client, tmp_path / "copy.json")


def everybody(admin):
    rows = admin.get("customers/", {"page_size": "1000"}).json()["results"]
    return {row["id"]: row for row in rows}


class Crashed(Exception):
    """The replica was killed here."""


def crash_at(replica, chance):
    """Let it die after a random number of requests, before or after it saved."""
    left = chance.randint(0, 12)
    get = replica.get

    def dying(path, **params):
        nonlocal left
        left -= 1
        if left < 0:
            raise Crashed
        return get(path, **params)

    replica.get = dying
    return replica


class Shop:
    """Customers to whom anything can happen; merges are undone as well."""

    def __init__(self, tenant, chance):
        self.tenant, self.chance = tenant, chance
        self.customers = [CustomerFactory(tenant=tenant) for _ in range(5)]
        self.merges = []
        self.group = create_group(code="news")

    def edit(self):
        deed = self.chance.random()
        if deed < 0.2 or len(self.customers) < 4:
            self.customers.append(register_customer(first_name=f"New {self.chance.random()}"))
        elif deed < 0.65:
            self.update(self.chance.choice(self.customers))
        elif deed < 0.75:
            delete_customer(self.taken())
        elif deed < 0.83:
            anonymise_customer(self.taken())
        elif deed < 0.95 or not self.merges:
            self.merges.append(
                merge_customers(self.chance.choice(self.customers[:-1]), self.last())
            )
        else:
            self.part(self.merges.pop())

    def update(self, customer):
        update_customer(customer, first_name=f"Name {self.chance.random()}")
        if self.chance.random() < 0.3:
            update_customer(customer, groups=self.chance.choice([[], [self.group.code]]))
        if self.chance.random() < 0.3:
            address = f"a{self.chance.random()}@example.org"
            update_customer(customer, emails=[{"address": address}])

    def taken(self):
        """A customer who takes part in no merge, and leaves."""
        joined = {key for merge in self.merges for key in (merge.survivor_id, merge.merged_id)}
        free = [customer for customer in self.customers if customer.pk not in joined]
        leaving = self.chance.choice(free) if free else register_customer(first_name="Short")
        self.customers = [customer for customer in self.customers if customer.pk != leaving.pk]
        return leaving.pk

    def last(self):
        return self.customers.pop().pk

    def part(self, merge):
        undo_merge(merge)
        self.customers.append(Customer.objects.get(pk=merge.merged_id))


def edit_and_interrupt(acme, admin, replica, seed, n_rounds):
    chance = random.Random(seed)
    shop = Shop(acme, chance)

    for _ in range(n_rounds):
        for _ in range(chance.randint(1, 8)):
            shop.edit()
        try:
            crash_at(replica(), chance).follow(pages=chance.choice([None, 1, 2]))
        except Crashed:
            continue
    replica().follow()

    kinds = Counter(Event.objects.values_list("kind", flat=True))
    assert kinds["customer.merged"] > 3
    assert kinds["customer.unmerged"] > 0
    assert replica().customers == everybody(admin)
    assert len(replica().customers) > 5


def test_the_example_has_sixty_lines_as_its_page_says():
    text = (settings.BASE_DIR / "docs" / "examples" / "replica.py").read_text("utf-8")

    assert len(text.splitlines()) <= 60
    assert max(map(len, text.splitlines())) <= 100


def test_a_copy_is_equal_after_any_edits_and_interruptions(admin, acme, replica):
    edit_and_interrupt(acme, admin, replica, seed=1, n_rounds=16)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 12))
def test_many_copies_are_equal(admin, acme, replica, seed):
    edit_and_interrupt(acme, admin, replica, seed=seed, n_rounds=60)


def test_a_copy_that_was_away_too_long_begins_again(admin, acme, ada, replica):
    replica().follow()
    delete_customer(ada)
    CustomerFactory(tenant=acme)
    admin.get("changes/")
    Feed.objects.update(pruned_position=2)

    replica().follow()

    assert replica().customers == everybody(admin)


def test_a_copy_hears_of_an_import(admin, acme, ada, replica, tmp_path):
    replica().follow()
    path = tmp_path / "people.json"
    path.write_bytes(TestImports.FILE)
    import_customers(path)

    replica().follow()

    assert len(replica().customers) == 3
    assert replica().customers == everybody(admin)


def test_an_id_that_leads_nowhere_by_now_is_forgotten(acme, ada, replica):
    replica().follow()
    known = set(replica().customers)
    update_customer(ada, language="nb")
    delete_customer(ada)

    replica().follow(pages=1)

    assert known == {str(ada.pk)}
    assert replica().customers == {}
