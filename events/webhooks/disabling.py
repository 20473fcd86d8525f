"""Switching an endpoint off that nobody answers at, and telling those who can repair it."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from events.messages import EMAIL, queue_message, register_purpose
from events.models import WebhookEndpoint
from events.services import record
from tenancy import clock
from tenancy.models import StaffMember

REASONS = {
    WebhookEndpoint.Disabled.FAILING: (
        "No message got through for about three days, although each was sent eleven times."
    ),
    WebhookEndpoint.Disabled.GONE: "The receiver answered that it wants no more messages (410).",
}
PURPOSES = {
    WebhookEndpoint.Disabled.FAILING: "webhook_failing",
    WebhookEndpoint.Disabled.GONE: "webhook_gone",
}


def disable_endpoint(endpoint, reason):
    """Switch an endpoint off for `reason` (WebhookEndpoint.Disabled), once: with an entry in the
    history, the event `webhook.disabled` and a mail to the tenant's administrators. Its place in
    the feed is kept: switched on again it goes on from there."""
    instant = clock.now()
    with transaction.atomic():
        row = WebhookEndpoint.objects.filter(pk=endpoint.pk, active=True)
        if not row.update(active=False, disabled_at=instant, disabled_reason=reason):
            return
        record(
            endpoint.tenant,
            "webhook.disabled",
            "webhook",
            endpoint.pk,
            changes={"active": [True, False]},
            reason=REASONS[reason],
            data={"reason": str(reason)},
        )
        for user in administrators():
            queue_message(
                endpoint.tenant,
                PURPOSES[reason],
                channel=EMAIL,
                to=user.email,
                language=user.language,
                url=endpoint.url,
                days=settings.EVENTS_KEEP_DAYS,
                link=f"{settings.BASE_URL}/admin/events/webhookendpoint/{endpoint.pk}/change/",
            )


def administrators():
    """The users who are active administrators of the tenant."""
    members = StaffMember.objects.filter(
        role=StaffMember.Role.ADMIN, active=True, user__is_active=True
    )
    return [member.user for member in members.select_related("user").order_by("user__email")]


# --- What they are told --------------------------------------------------------------------------
WORDS = {
    "business": "Example Ltd",
    "url": "https://hooks.example.org/regulars",
    "days": "90",
    "link": "https://crm.example.org/admin/events/webhookendpoint/…/change/",
}
SUBJECT = {
    "en": "A webhook of {business} was switched off",
    "nb": "En webhook hos {business} ble slått av",
}
TEXT = {
    "en": "Nothing is sent to this address any more:\n\n    {url}\n\n%s What happened since is "
    "kept for {days} days. Repair the receiver, switch the webhook on again, and it goes on where "
    "it stopped:\n\n    {link}",
    "nb": "Ingenting sendes lenger til denne adressen:\n\n    {url}\n\n%s Det som skjer siden, "
    "oppbevares i {days} dager. Reparer mottakeren og slå webhooken på igjen, så fortsetter den "
    "der den stoppet:\n\n    {link}",
}
WHY = {
    WebhookEndpoint.Disabled.FAILING: {
        "en": REASONS[WebhookEndpoint.Disabled.FAILING],
        "nb": "Ingen melding kom fram på omtrent tre dager, enda hver ble sendt elleve ganger.",
    },
    WebhookEndpoint.Disabled.GONE: {
        "en": REASONS[WebhookEndpoint.Disabled.GONE],
        "nb": "Mottakeren svarte at den ikke vil ha flere meldinger (410).",
    },
}


def register_messages():
    """Add what administrators are told; called once when the app is ready."""
    for reason, title in (
        (WebhookEndpoint.Disabled.FAILING, _("Webhook switched off: it failed")),
        (WebhookEndpoint.Disabled.GONE, _("Webhook switched off: not wanted")),
    ):
        register_purpose(
            PURPOSES[reason],
            title=title,
            channels=(EMAIL,),
            words=WORDS,
            required=("url",),
            life=timedelta(days=2),
            texts={
                language: {EMAIL: (SUBJECT[language], TEXT[language] % WHY[reason][language])}
                for language in SUBJECT
            },
        )
