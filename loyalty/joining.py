"""How loyalty joins the deeds of customers and tenants."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from customers.hooks import hooks
from loyalty.models import Level, LoyaltyAccount
from loyalty.programme import programme_of
from loyalty.services.choosing import levels_of, start_level
from loyalty.services.earning import earn_at_change, earn_at_registration
from tenancy import clock
from tenancy.hooks import hooks as tenant_hooks


def join_hooks():
    """Fill the hook tables; called once when the app is ready."""
    tenant_hooks.created.append(make_first_level)
    hooks.registered += [open_new_account, earn_at_registration]
    hooks.updated.append(earn_at_change)


def make_first_level(tenant):
    """Give a new tenant the level on which everybody starts: threshold 0, 0 %."""
    Level.objects.create(tenant=tenant, name="Member", translations={"nb": {"name": "Medlem"}})


def open_new_account(change):
    """Open the account of a customer who is being registered, on the start level.

    Raises ValidationError naming `level`, code "no_start_level", where no level qualifies and the
    programme insists on one.
    """
    customer = change.customer
    programme = programme_of(customer.tenant)
    level = start_level(levels_of(customer.tenant))
    if level is None and programme.require_start_level:
        raise ValidationError(
            {
                "level": ValidationError(
                    _("There is no level on which a customer can start."), code="no_start_level"
                )
            }
        )
    LoyaltyAccount.objects.create(
        tenant=customer.tenant,
        customer=customer,
        level=level,
        level_since=clock.now() if level else None,
        created_at=customer.created_at,
    )
    if level is not None:
        change.record("level", None, level.name)
