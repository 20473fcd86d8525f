"""The message about a new level: one for each move, to those who take mail, where it is wanted."""

import pytest
from django.core import mail

from customers.services import merge_customers, update_customer
from events.models import Message
from loyalty.services import assign_level
from loyalty.services.levels import create_level
from loyalty.services.transactions import record_transaction
from tenancy import clock
from tenancy.services import update_tenant


@pytest.fixture
def gold(acme):
    return create_level(
        name="Gold", threshold="100", reward_percent="7.5", translations={"nb": {"name": "Gull"}}
    )


def buy(customer, number="S-1"):
    record_transaction(customer, number=number, purchased_at=clock.now(), amount=150_00)


def test_a_new_level_is_told_in_the_customers_language(ada, gold, run_jobs):
    update_customer(ada, language="nb")

    buy(ada)
    run_jobs()

    assert [message.to for message in mail.outbox] == [["Ada@example.org"]]
    assert "Gull" in mail.outbox[0].subject
    assert "7.5 %" in mail.outbox[0].body


def test_the_same_level_again_is_not_told(ada, gold, run_jobs):
    buy(ada)
    buy(ada, "S-2")
    run_jobs()

    assert len(mail.outbox) == 1


def test_a_level_given_by_staff_is_told(ada, gold, run_jobs):
    assign_level(ada, gold)
    run_jobs()

    assert "Gold" in mail.outbox[0].subject


def test_a_tenant_can_turn_it_off(acme, ada, gold):
    update_tenant(acme, settings={"level_messages": False})
    buy(ada)

    assert not Message.objects.exists()


@pytest.mark.parametrize(
    "change",
    [{"no_email": True}, {"emails": [{"address": "ada@example.org", "opted_out": True}]}],
    ids=["no mail", "opted out"],
)
def test_who_takes_no_mail_gets_none(ada, gold, run_jobs, change):
    update_customer(ada, **change)
    buy(ada)
    run_jobs()

    assert mail.outbox == []
    assert Message.objects.get().reason == "no_target"


def test_who_was_blocked_meanwhile_gets_none(ada, gold, run_jobs):
    buy(ada)
    type(ada).objects.filter(pk=ada.pk).update(status="blocked")
    run_jobs()

    assert mail.outbox == []


def test_a_merge_writes_to_nobody(ada, grace, gold):
    buy(grace)
    Message.objects.all().delete()

    merge_customers(ada, grace)

    assert not Message.objects.exists()
