"""Making, changing and removing endpoints, and changing their secrets."""

from datetime import timedelta
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

import normalise
from events.feed import last_position, number_events
from events.kinds import clean_patterns
from events.models import Feed, WebhookEndpoint
from events.outbound import OutboundRefused, check_url, circuits
from events.services import build_history
from events.webhooks.secrets import new_salt, secret_of
from tenancy import clock
from tenancy.scoping import current_tenant

MOST_ENDPOINTS = 50
OVERLAP_HOURS = 24
LONGEST_OVERLAP = 24 * 30


def create_endpoint(*, url, events, description="", active=True):
    """Make an endpoint of the active tenant; (WebhookEndpoint, secret). It is told of what happens
    from now on. The secret is handed out here and nowhere else.

    Raises ValidationError by field: a target that we do not speak to, unknown events, or (code
    "too_many") more endpoints than a tenant can have.
    """
    clean = _clean({"url": url, "events": events, "description": description, "active": active})
    tenant = current_tenant()
    with transaction.atomic():
        # Whoever holds the feed's row is alone: nobody makes a 51st meanwhile.
        Feed.objects.select_for_update().get_or_create(tenant=tenant)
        if WebhookEndpoint.objects.count() >= MOST_ENDPOINTS:
            raise ValidationError(
                _("At most %(n)d webhooks."), code="too_many_webhooks", params={"n": MOST_ENDPOINTS}
            )
        number_events()
        endpoint = WebhookEndpoint(
            tenant=tenant, position=last_position(), created_at=clock.now(), **clean, **new_salt()
        )
        endpoint.save(force_insert=True)
        told = {name: [None, _told(name, getattr(endpoint, name))] for name in clean}
        _leave_history(endpoint, "webhook.created", told)
    return endpoint, secret_of(endpoint)


def update_endpoint(endpoint, **changes):
    """Change the named fields of an endpoint and return it. Switched on again, it goes on where it
    stopped; another address is tried at once, whatever the one before was like.

    Raises ValidationError by field, WebhookEndpoint.DoesNotExist when it is gone.
    """
    clean = _clean(changes)
    with transaction.atomic():
        locked = WebhookEndpoint.objects.select_for_update().get(pk=endpoint.pk)
        differs = {name: value for name, value in clean.items() if getattr(locked, name) != value}
        if not differs:
            return locked
        told = {
            name: [_told(name, getattr(locked, name)), _told(name, value)]
            for name, value in differs.items()
        }
        for name, value in differs.items():
            setattr(locked, name, value)
        if differs.get("active") or "url" in differs:
            locked.failing_since = None
            circuits.forget(circuit_of(locked))
        if locked.active:
            locked.disabled_at, locked.disabled_reason = None, ""
        locked.updated_at = clock.now()
        locked.save()
        _leave_history(locked, "webhook.updated", told)
    return locked


def delete_endpoint(endpoint):
    """Remove an endpoint with its log; what still waits for it is not sent."""
    with transaction.atomic():
        locked = WebhookEndpoint.objects.select_for_update().filter(pk=endpoint.pk).first()
        if locked is None:
            return
        _leave_history(locked, "webhook.deleted", {"url": [_told("url", locked.url), None]})
        circuits.forget(circuit_of(locked))
        locked.delete()


def rotate_secret(endpoint, *, hours=OVERLAP_HOURS):
    """Give an endpoint a new secret and return it. For `hours` the old one signs as well, so that
    the receiver can change over in peace; 0 ends it at once.

    Raises ValidationError naming `hours`, WebhookEndpoint.DoesNotExist when it is gone.
    """
    if isinstance(hours, bool) or not isinstance(hours, int) or not 0 <= hours <= LONGEST_OVERLAP:
        message = _("A whole number from 0 to %(n)d.") % {"n": LONGEST_OVERLAP}
        raise ValidationError({"hours": ValidationError(message, code="invalid")})
    with transaction.atomic():
        locked = WebhookEndpoint.objects.select_for_update().get(pk=endpoint.pk)
        locked.previous_salt, locked.previous_pepper = locked.salt, locked.pepper
        locked.previous_until = clock.now() + timedelta(hours=hours)
        for name, value in new_salt().items():
            setattr(locked, name, value)
        locked.updated_at = clock.now()
        locked.save()
        _leave_history(locked, "webhook.secret_rotated", {"hours": [None, hours]})
    return secret_of(locked)


def circuit_of(endpoint):
    """The name of the endpoint's circuit (`events.outbound.circuits`)."""
    return f"webhook:{endpoint.pk}"


def _leave_history(endpoint, deed, changes):
    build_history(endpoint.tenant, "webhook", endpoint.pk, deed=deed, changes=changes).save(
        force_insert=True
    )


def _told(name, value):
    """What the history holds: of an address the host alone, its path may be a password."""
    return urlsplit(value).hostname if name == "url" else value


# --- Values ------------------------------------------------------------------------------------
def _clean_url(value):
    try:
        check_url(value)
    except OutboundRefused as error:
        raise ValidationError(str(error), code=error.kind) from error
    return value


def _clean_events(value):
    patterns = clean_patterns(value)
    if not patterns:
        raise ValidationError(_("Choose at least one event."), code="required")
    return patterns


def _clean_description(value):
    return normalise.clean_text("" if value is None else value, max_length=200)


def _clean_active(value):
    if not isinstance(value, bool):
        raise ValidationError(_("Must be true or false."), code="invalid")
    return value


_CLEANERS = {
    "url": _clean_url,
    "events": _clean_events,
    "description": _clean_description,
    "active": _clean_active,
}


def _clean(fields):
    clean, errors = {}, {}
    for name, value in fields.items():
        try:
            clean[name] = _CLEANERS[name](value)
        except ValidationError as error:
            errors[name] = error.error_list
    if errors:
        raise ValidationError(errors)
    return clean
