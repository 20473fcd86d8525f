"""The message that a customer gets about a new level."""

from datetime import timedelta

from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from events.messages import EMAIL, Recipient, Suppressed, queue_message, register_purpose
from loyalty.amounts import number_out, plain

PURPOSE = "new_level"
SETTING = "level_messages"
WORDS = {"business": "Example Ltd", "level": "Gold", "percent": "10"}


def register():
    """Add the purpose; called once when the app is ready."""
    register_purpose(
        PURPOSE,
        title=_("A new level"),
        channels=(EMAIL,),
        words=WORDS,
        required=("level",),
        life=timedelta(days=2),
        readdresses=True,
        find_recipient=find_member,
        texts={
            "en": {
                EMAIL: (
                    "Your level at {business}: {level}",
                    "You are on the level {level} at {business} now.\n\nIts reward: {percent} %.",
                )
            },
            "nb": {
                EMAIL: (
                    "Nivået ditt hos {business}: {level}",
                    "Du er nå på nivået {level} hos {business}.\n\nFordelen: {percent} %.",
                )
            },
        },
    )


def queue_level_message(customer, level):
    """Queue the message in the transaction of the move, where the tenant's setting says so.

    The worker looks then whether and where the customer can be written to.
    """
    if not customer.tenant.setting(SETTING):
        return
    queue_message(
        customer.tenant,
        PURPOSE,
        channel=EMAIL,
        customer_id=customer.pk,
        language=customer.language,
        level=level.told(customer.language or customer.tenant.setting("locale"))[0],
        percent=plain(number_out(level.reward_percent)),
    )


def find_member(message):
    """The Recipient: an active customer who takes mail, at the first address that is not opted out.
    Raises Suppressed."""
    customer = Customer.objects.filter(pk=message.customer_id).first()
    if customer is None or customer.anonymised_at:
        raise Suppressed("erased")
    if customer.status != Customer.Status.ACTIVE:
        raise Suppressed("not_active")
    email = customer.emails.filter(opted_out=False).order_by("-primary", "position").first()
    if email is None or customer.no_email:
        raise Suppressed("no_target")
    return Recipient(email.address, customer.pk, customer.language)
