"""Push tokens of a customer's devices."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

import normalise
from customers.models import Device
from customers.services.changes import open_change

DEVICE_LIMIT = 50


def add_device(customer, token):
    """Add a push token and return the Device; one that is there already stays as it is.

    Raises ValidationError naming `token`.
    """
    try:
        token = normalise.clean_text(token, max_length=500)
        if not token:
            raise ValidationError(_("This field is required."), code="required")
    except ValidationError as error:
        raise ValidationError({"token": error.error_list}) from error
    with open_change(customer, deed="customer.updated") as change:
        devices = change.customer.devices
        existing = devices.filter(token=token).first()
        if existing is not None:
            return existing
        if devices.count() >= DEVICE_LIMIT:
            raise ValidationError({"token": ValidationError(_("Too many devices."), "max_length")})
        device = Device.objects.create(
            tenant=change.customer.tenant, customer=change.customer, token=token
        )
        # The history says that it happened, not which token: it would be one more copy to erase.
        change.record("devices", devices.count() - 1, devices.count())
        return device


def remove_device(customer, token):
    """Remove a push token; repeatable. Returns whether it was there."""
    with open_change(customer, deed="customer.updated") as change:
        n_before = change.customer.devices.count()
        n_removed = change.customer.devices.filter(token=token).delete()[0]
        if n_removed:
            change.record("devices", n_before, n_before - n_removed)
        return bool(n_removed)
