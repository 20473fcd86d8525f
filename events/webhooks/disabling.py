"""Switching an endpoint off that nobody answers at, and telling those who can repair it."""

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from events.messaging import mail_after_commit
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
        for address in administrators():
            mail_after_commit(
                address,
                _("A webhook of %(tenant)s was switched off") % {"tenant": endpoint.tenant.name},
                _text_of(endpoint, reason),
            )


def administrators():
    """The e-mails of the active administrators of the tenant."""
    members = StaffMember.objects.filter(
        role=StaffMember.Role.ADMIN, active=True, user__is_active=True
    )
    return list(members.order_by("user__email").values_list("user__email", flat=True))


def _text_of(endpoint, reason):
    return _(
        "Nothing is sent to this address any more:\n\n"
        "    %(url)s\n\n"
        "%(reason)s What happened since is kept for %(days)d days. Repair the receiver, switch the "
        "webhook on again, and it goes on where it stopped:\n\n"
        "    %(base)s/admin/events/webhookendpoint/%(id)s/change/\n"
    ) % {
        "url": endpoint.url,
        "reason": REASONS[reason],
        "days": settings.EVENTS_KEEP_DAYS,
        "base": settings.BASE_URL,
        "id": endpoint.pk,
    }
