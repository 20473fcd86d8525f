"""Who may be written to about a group."""

import pytest

from customers.models import Customer
from customers.services import deactivate_customer, record_consent, update_customer
from groups.querysets import in_group, reachable_in
from groups.services import subscribe_customer, unsubscribe_customer
from tests.factories import CustomerFactory, GroupFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def news(acme):
    return GroupFactory(tenant=acme, code="news")


@pytest.fixture
def reader(acme, news):
    """Reads the newsletter, agreed to marketing, has an e-mail and a mobile."""
    customer = CustomerFactory(
        tenant=acme,
        emails=[{"address": "reader@example.org"}],
        phones=[{"given": "900 00 002"}],
    )
    record_consent(customer, purpose="marketing", granted=True)
    subscribe_customer(customer, news)
    return customer


def reached(news, channel=None):
    return list(reachable_in(Customer.objects.all(), news, channel))


@pytest.mark.parametrize("channel", [None, "email", "sms"])
def test_a_willing_member_is_reached(news, reader, channel):
    assert reached(news, channel) == [reader]


def test_nobody_is_reached_by_a_channel_without_contact_point(news, reader):
    assert reached(news, "post") == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda customer: unsubscribe_customer(customer, "news"),
        lambda customer: record_consent(customer, purpose="marketing", granted=False),
        lambda customer: deactivate_customer(customer),
        lambda customer: update_customer(customer, no_email=True),
        lambda customer: update_customer(
            customer, emails=[{"address": "reader@example.org", "opted_out": True}]
        ),
    ],
    ids=["unsubscribed", "consent withdrawn", "blocked", "no mail", "address opted out"],
)
def test_each_no_alone_suffices(news, reader, spoil):
    spoil(reader)

    assert reached(news, "email") == []


def test_no_mail_leaves_the_phone(news, reader):
    update_customer(reader, no_email=True)

    assert reached(news, "sms") == [reader]


def test_a_member_of_another_group_is_not_reached(acme, reader):
    other = GroupFactory(tenant=acme)

    assert reached(other) == []


def test_members_are_in_the_group_whatever_they_want(acme, news, reader, ada):
    unsubscribe_customer(reader, news)

    assert list(in_group(Customer.objects.all(), news)) == [reader]
