"""How loyalty joins the deeds of customers and tenants."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from customers.hooks import ExtraField, hooks
from loyalty.exporting import exported_status
from loyalty.models import Level, LoyaltyAccount
from loyalty.programme import programme_of
from loyalty.records import loyalty_in_sql, loyalty_of
from loyalty.services.assigning import assign_level
from loyalty.services.choosing import levels_of, start_level
from loyalty.services.earning import (
    earn_at_change,
    earn_at_registration,
    earn_at_registrations,
)
from loyalty.services.joining_accounts import join_accounts, part_accounts, preview_join
from loyalty.services.levels import find_level
from tenancy import clock
from tenancy.bulk import draft_class, insert_rows, new_ids
from tenancy.hooks import hooks as tenant_hooks


def join_hooks():
    """Fill the hook tables; called once when the app is ready."""
    tenant_hooks.created.append(make_first_level)
    hooks.registered += [open_new_account, earn_at_registration]
    hooks.registered_many += [opening_new_accounts, lambda tenant: earn_at_registrations]
    hooks.updated.append(earn_at_change)
    hooks.records.append(loyalty_of)
    hooks.records_in_sql[loyalty_of] = loyalty_in_sql
    hooks.exported.append(exported_status)
    hooks.merge_preview.append(preview_join)
    hooks.merged.append(join_accounts)
    hooks.unmerged.append(part_accounts)
    hooks.add_field(
        ExtraField(
            "level",
            clean=clean_wished_level,
            apply=assign_wished_level,
            holds=is_on_level,
            apply_many=assign_wished_levels,
        )
    )


def make_first_level(tenant):
    """Give a new tenant the level on which everybody starts: threshold 0, 0 %."""
    Level.objects.create(tenant=tenant, name="Member", translations={"nb": {"name": "Medlem"}})


# --- Registration, and the profile's field `level` ---------------------------------------------
def open_new_account(change):
    """Open the account of a customer who is being registered, on the start level, unless a level
    was named.

    Raises ValidationError naming `level`, code "no_start_level", where no level qualifies and the
    programme insists on one.
    """
    customer = change.customer
    if LoyaltyAccount.objects.filter(customer=customer).exists():
        return
    tenant = customer.tenant
    _open_account(change, _level_to_start_on(tenant, levels_of(tenant)))


def opening_new_accounts(tenant):
    """The same for many who are being registered together: (changes) -> None."""
    levels = levels_of(tenant)

    def open_new_accounts(changes):
        changes = [change for change in changes if "assigned_level" not in change.changes]
        if changes:
            level = _level_to_start_on(tenant, levels)
            _open_accounts([(change, level) for change in changes])

    return open_new_accounts


def _level_to_start_on(tenant, levels):
    level = start_level(levels)
    if level is None and programme_of(tenant).require_start_level:
        raise ValidationError(
            {
                "level": ValidationError(
                    _("There is no level on which a customer can start."), code="no_start_level"
                )
            }
        )
    return level


def _open_account(change, level, *, assigned=False):
    columns = _columns_of_new(change, level, assigned=assigned)
    LoyaltyAccount(**columns).save(force_insert=True)


def _open_accounts(pairs, *, assigned=False):
    make, ids = draft_class(LoyaltyAccount), new_ids()
    insert_rows(
        LoyaltyAccount,
        [
            make.of(_columns_of_new(change, level, assigned=assigned) | {"id": next(ids)})
            for change, level in pairs
        ],
    )


def _columns_of_new(change, level, *, assigned):
    customer = change.customer
    if level is not None:
        change.record("level", None, level.name)
    if assigned:
        change.record("assigned_level", None, level.name)
    return {
        "tenant_id": customer.tenant_id,
        "customer_id": customer.pk,
        "level_id": level and level.pk,
        "manual_level_id": level.pk if assigned else None,
        "level_since": clock.now() if level else None,
        "created_at": customer.created_at,
    }


def clean_wished_level(value, tenant):
    """The level meant by an id, or by a name that exactly one level of the tenant has; None says
    nothing. Raises ValidationError ("does_not_exist", "ambiguous")."""
    return None if value in (None, "") else find_level(value)


def assign_wished_level(change, level):
    """Assign the level by hand. A customer who stands on it stays as he is, marked or not: a form
    that sends back what it was shown assigns nothing."""
    if level is None:
        return
    account = LoyaltyAccount.objects.filter(customer=change.customer).first()
    if account is None and "customer.registered" in change.deeds:
        _open_account(change, level, assigned=True)
    elif account is None or account.level_id != level.pk:
        assign_level(change.customer, level, reason=change.reason)


def assign_wished_levels(pairs):
    """Open the accounts of new customers on the levels that were named for them."""
    _open_accounts([(change, level) for change, level in pairs if level is not None], assigned=True)


def is_on_level(extras, level):
    """Whether the customer, of whom `loyalty_of` tells, stands on the level (None: on none)."""
    held = (extras.get("loyalty") or {}).get("level_id")
    return held == (level and level.pk)
