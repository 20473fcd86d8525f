"""The demonstration data: believable, the same every time, safe to repeat."""

import io
import json

import pytest
from django.core.management import call_command
from django.db import transaction

from config import demo
from customers.models import Customer, DataRequest, ImportRun, PossibleDuplicate
from customers.services import delete_customer, merge_customers
from customers.services.data_requests import days_left
from groups.models import Subscription
from loyalty.models import LoyaltyAccount
from tenancy.models import AccessToken, Store, Tenant
from tenancy.scoping import in_tenant
from tenancy.services import principal_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _a_few_are_enough(monkeypatch):
    monkeypatch.setattr(demo, "N_CUSTOMERS", 24)


def snapshot():
    with in_tenant(Tenant.objects.get(code="demo")):
        return list(
            Customer.objects.filter(external_id=None)
            .order_by("number")
            .values_list(
                "id", "number", "name", "search_text", "created_at", "version", "updated_at"
            )
        )


def test_makes_a_business_to_look_at():
    report = demo.load_demo()

    tenant = Tenant.objects.get(code="demo")
    with in_tenant(tenant):
        assert report == {"created": 40, "customers": 43}
        assert Store.objects.count() == 3
        assert Subscription.objects.exists()
        assert Customer.objects.filter(kind="company").count() == 6
        assert Customer.objects.reachable("email").exists()


def test_has_work_for_whoever_sits_at_the_desk():
    demo.load_demo()

    with in_tenant(Tenant.objects.get(code="demo")):
        pairs = PossibleDuplicate.objects
        assert pairs.to_decide().count() >= 4
        assert pairs.filter(state="not_same").count() == 1
        assert [days_left(one) <= 7 for one in DataRequest.objects.to_answer()] == [True, False]
        run = ImportRun.objects.get()
        assert (run.state, run.counts["created"], run.counts["refused"]) == ("done", 3, 2)


def test_what_the_desk_has_done_is_not_put_back():
    demo.load_demo()
    with in_tenant(Tenant.objects.get(code="demo")):
        pair = PossibleDuplicate.objects.to_decide().first()
        merge_customers(pair.first, pair.second)
        n_open = PossibleDuplicate.objects.to_decide().count()
        n_customers = Customer.objects.count()

        demo.load_demo()

        assert PossibleDuplicate.objects.to_decide().count() == n_open
        assert Customer.objects.count() == n_customers
        assert (DataRequest.objects.count(), ImportRun.objects.count()) == (2, 1)


def test_is_the_same_every_time():
    def load_and_forget():
        with transaction.atomic():
            demo.load_demo()
            seen = snapshot()
            transaction.set_rollback(True)
        return seen

    first, second = load_and_forget(), load_and_forget()

    assert len(first) == 40
    assert first == second


def test_repeating_it_changes_nothing():
    demo.load_demo()
    before = snapshot()

    report = demo.load_demo()

    assert report["created"] == 0
    assert snapshot() == before


def test_a_customer_edited_meanwhile_stays_edited():
    demo.load_demo()
    with in_tenant(Tenant.objects.get(code="demo")):
        Customer.objects.filter(number=1).update(origin="edited")

        demo.load_demo()

        assert Customer.objects.get(number=1).origin == "edited"


def test_a_customer_deleted_meanwhile_stays_deleted():
    demo.load_demo()
    with in_tenant(Tenant.objects.get(code="demo")):
        delete_customer(LoyaltyAccount.objects.filter(transactions_count__gt=0)[0].customer)

        report = demo.load_demo()

    assert report == {"created": 0, "customers": 42}


def test_the_command_prints_a_token_that_works_and_ends_the_one_before():
    def run():
        out = io.StringIO()
        call_command("demo", json=True, stdout=out)
        return json.loads(out.getvalue())["token"]

    first, second = run(), run()

    assert principal_of(first) is None
    assert principal_of(second).may("customers.list")
    with in_tenant(Tenant.objects.get(code="demo")):
        assert AccessToken.objects.live().count() == 1


def test_the_staff_password_differs_between_installations(settings):
    first = demo.demo_password()
    settings.SECRET_KEY = "another"

    assert demo.demo_password() != first
