"""A tenant with one row of every registered model, for what must hold of every page there is."""

from django.contrib.admin.sites import site

from customers.imports.ordering import order_import
from customers.imports.profiles import remember_profile
from customers.imports.storing import keep_file
from customers.models import (
    BulkDeed,
    Customer,
    DataRequest,
    ImportProfile,
    ImportRun,
    PossibleDuplicate,
    Tombstone,
)
from customers.services import (
    merge_customers,
    record_consent,
    register_customer,
    send_temporary_password,
    set_store_profile,
)
from customers.services.bulk_deeds import draft_bulk_deed
from customers.services.data_requests import open_data_request
from events.jobs import enqueue
from events.messages import set_message_text
from events.models import (
    Event,
    HistoryEntry,
    Job,
    Message,
    MessageText,
    WebhookDelivery,
    WebhookEndpoint,
)
from events.webhooks.managing import create_endpoint
from events.webhooks.replaying import send_test
from groups.services import create_group, subscribe_customer
from loyalty.services.levels import create_level
from loyalty.services.redeeming import redeem_reward
from loyalty.services.rewards import create_reward
from loyalty.services.rules import create_earning_rule
from loyalty.services.transactions import record_transaction
from tenancy import clock
from tenancy.models import Tenant
from tenancy.scoping import in_tenant
from tenancy.services import create_store, create_token
from tests.factories import StaffMemberFactory, UserFactory

MARK = "Zanzibar"  # stands in every row and nowhere else
REGISTERED = sorted(site._registry, key=lambda model: model._meta.label)


def one_of_everything(tenant):
    """model -> a row of `tenant` of every registered model, and the parts of the customer."""
    Tenant.objects.filter(pk=tenant.pk).update(name=f"{MARK} Ltd")
    with in_tenant(tenant):
        store, _created = create_store(tenant, "zan", name=f"{MARK} store")
        user = UserFactory(email="zanzibar@example.org", name=f"{MARK} Person")
        member = StaffMemberFactory(tenant=tenant, user=user)
        token, _plain = create_token(
            tenant, holder="service", scopes={"customers:read"}, name=f"{MARK} token"
        )
        customer = register_customer(
            first_name=MARK,
            card_number="ZAN-1",
            emails=[{"address": "zanzibar@example.org"}],
            phones=[{"given": "911 11 111"}],
            addresses=[{"city": MARK}],
            labels=[{"key": MARK, "value": MARK}],
            contact_persons=[{"first_name": MARK}],
        )
        record_consent(customer, purpose="marketing", granted=True, source=MARK)
        set_store_profile(customer, store, pos_ref=MARK)
        group = create_group(code="zan", title=f"{MARK} group")
        subscription = subscribe_customer(customer, group)
        tombstone = Tombstone.objects.create(
            tenant=tenant, id="aaaaaaaa-0000-4000-8000-000000000001", actor_kind="system"
        )
        rows = [customer, store, member, token, group, subscription, tombstone, user, tenant]
        rows += loyalty_of(customer)
        rows += doubles_of(customer)
        by_model = {type(row): row for row in rows}
        by_model[HistoryEntry] = HistoryEntry.objects.about("customer", customer.pk).first()
        by_model[Event] = Event.objects.first()
        address = "https://zan.example.com/"
        hook, _secret = create_endpoint(url=address, events=["*"], description=MARK)
        by_model[WebhookEndpoint], by_model[WebhookDelivery] = hook, send_test(hook)
        by_model[MessageText] = a_text()
        by_model[Message] = send_password_of(customer)
        chosen = Customer.objects.filter(pk=customer.pk)
        by_model[BulkDeed] = draft_bulk_deed("anonymise", chosen)
        by_model[DataRequest] = request_of(customer)
        by_model[ImportRun], by_model[ImportProfile] = an_import()
        by_model[Job] = enqueue("events.tidy_jobs", tenant=tenant, thing=f"{MARK}-7")
    return by_model


def doubles_of(customer):
    """A record that may be the same person, and one that was merged."""
    second, third = (register_customer(first_name=MARK, last_name=f"{n}") for n in range(2))
    one, other = sorted((customer, second), key=lambda each: each.pk)
    pair = PossibleDuplicate.objects.create(
        tenant=customer.tenant, first=one, second=other, score=10, reasons=[["email", "same"]]
    )
    return [pair, merge_customers(customer, third)]


def request_of(customer):
    """What the customer asked about the data, with the mark in the note."""
    return open_data_request(
        customer, kind="access", channel="email", identity="known", note=f"{MARK} asked"
    )


def an_import():
    """A file that is to be checked, and how such files are read."""
    file = keep_file([f"first_name\n{MARK}\n".encode()])
    run = order_import(file, file_name=f"{MARK}.csv", dry_run=True)
    mapping = {"columns": {MARK: "first_name"}}
    return run, remember_profile(f"{MARK} shop", "k", mapping=mapping, options={})


def a_text():
    """A text of the tenant's own."""
    text = f"{MARK} {{link}}"
    set_message_text("reset_password", "email", "en", subject=MARK, text=text)
    return MessageText.objects.get()


def send_password_of(customer):
    """A message that failed, so that it could be sent again."""
    send_temporary_password(customer)
    Message.objects.update(state="failed", reason="refused")
    return Message.objects.first()


def loyalty_of(customer):
    """Rows of the programme, a purchase, points and a redeemed reward, all with the mark."""
    level = create_level(name=f"{MARK} level", threshold="5")
    rule = create_earning_rule(name=f"{MARK} rule", kind="purchase", rate="1")
    reward = create_reward(name=f"{MARK} reward", cost="1")
    sale, _created = record_transaction(
        customer, number=f"{MARK}-1", purchased_at=clock.now(), amount=100_00
    )
    redemption = redeem_reward(customer, reward)
    return [level, rule, reward, sale, redemption, redemption.entry]
