"""History rows in words: who, what, when, and old → new."""

from dataclasses import dataclass, field
from decimal import Decimal

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.models import Customer
from normalise import minor_unit_places
from tenancy.permissions import sees_told
from tenancy.scoping import current_tenant

DEEDS = {
    "data_request.received": gettext_lazy("Received"),
    "data_request.identified": gettext_lazy("Identity checked"),
    "data_request.held": gettext_lazy("Put on hold"),
    "data_request.resumed": gettext_lazy("Taken off hold"),
    "data_request.handed_out": gettext_lazy("Copy handed out"),
    "data_request.done": gettext_lazy("Done"),
    "data_request.refused": gettext_lazy("Refused"),
    "import_profile.created": gettext_lazy("Remembered"),
    "import_profile.updated": gettext_lazy("Changed"),
    "import_profile.deleted": gettext_lazy("Deleted"),
    "customer.registered": gettext_lazy("Registered"),
    "customer.revealed": gettext_lazy("Contact data shown"),
    "customer.updated": gettext_lazy("Changed"),
    "customer.read": gettext_lazy("Looked at"),
    "customer.activated": gettext_lazy("Activated"),
    "customer.deactivated": gettext_lazy("Deactivated"),
    "customer.anonymised": gettext_lazy("Anonymised"),
    "customer.deleted": gettext_lazy("Deleted"),
    "customer.exported": gettext_lazy("Exported"),
    "customer.merged": gettext_lazy("Merged"),
    "customer.unmerged": gettext_lazy("Merge undone"),
    "customer.not_duplicate": gettext_lazy("Found to be somebody else"),
    "customer.not_duplicate_forgotten": gettext_lazy("No longer told apart"),
    "customer.imported": gettext_lazy("Imported"),
    "group.created": gettext_lazy("Created"),
    "group.updated": gettext_lazy("Changed"),
    "group.deleted": gettext_lazy("Deleted"),
    "job.retried": gettext_lazy("Run again"),
    "job.cancelled": gettext_lazy("Cancelled"),
    "webhook.created": gettext_lazy("Created"),
    "webhook.updated": gettext_lazy("Changed"),
    "webhook.deleted": gettext_lazy("Deleted"),
    "webhook.secret_rotated": gettext_lazy("New secret"),
    "webhook.disabled": gettext_lazy("Switched off by itself"),
    "level.created": gettext_lazy("Created"),
    "level.updated": gettext_lazy("Changed"),
    "level.deleted": gettext_lazy("Deleted"),
    "level.changed": gettext_lazy("Level changed"),
    "reward.created": gettext_lazy("Created"),
    "reward.updated": gettext_lazy("Changed"),
    "reward.deleted": gettext_lazy("Deleted"),
    "reward.redeemed": gettext_lazy("Reward redeemed"),
    "redemption.used": gettext_lazy("Coupon used"),
    "redemption.unused": gettext_lazy("Coupon made usable again"),
    "redemption.cancelled": gettext_lazy("Redemption cancelled"),
    "redemption.delivery_changed": gettext_lazy("Delivery changed"),
    "earning_rule.created": gettext_lazy("Created"),
    "earning_rule.updated": gettext_lazy("Changed"),
    "earning_rule.deleted": gettext_lazy("Deleted"),
    "points.changed": gettext_lazy("Points changed"),
    "transaction.recorded": gettext_lazy("Purchase recorded"),
    "account.frozen": gettext_lazy("Account frozen"),
    "account.released": gettext_lazy("Account released"),
    "import.started": gettext_lazy("Import started"),
    "import.completed": gettext_lazy("Import completed"),
    "customers.exported": gettext_lazy("List exported"),
    "tenant.message_text": gettext_lazy("Message text changed"),
    "operator.entered": gettext_lazy("An operator entered this tenant"),
}
# What is no field of the record.
NAMES = {
    "created_in_spite_of": gettext_lazy("created in spite of"),
    "created_because": gettext_lazy("reason for that"),
    "birth_date": gettext_lazy("birth date"),
    "consents": gettext_lazy("consents"),
    "merged_from": gettext_lazy("merged from"),
    "merged_into": gettext_lazy("merged into"),
    "level": gettext_lazy("level"),
    "assigned_level": gettext_lazy("assigned level"),
    "redemption": gettext_lazy("redemption"),
    "groups": gettext_lazy("groups"),
    "avatar": gettext_lazy("picture"),
    "charge_account": gettext_lazy("charge account"),
    "erased": gettext_lazy("erased"),
}
# Whose columns know what a person calls them.
RECORDS = {
    "customer": "customers.Customer",
    "data_request": "customers.DataRequest",
    "earning_rule": "loyalty.EarningRule",
    "group": "groups.Group",
    "import_profile": "customers.ImportProfile",
    "job": "events.Job",
    "level": "loyalty.Level",
    "reward": "loyalty.Reward",
    "tenant": "tenancy.Tenant",
    "webhook": "events.WebhookEndpoint",
}
KINDS = {
    "staff": gettext_lazy("Staff"),
    "service": gettext_lazy("Service"),
    "customer": gettext_lazy("The customer"),
    "system": gettext_lazy("The system"),
}


@dataclass(frozen=True, slots=True)
class ToldEntry:
    """One history row as a person reads it."""

    at: object
    who: str
    deed: str
    reason: str
    version: int | None
    redacted: bool
    changes: list = field(default_factory=list)


def told_entries(entries, role):
    """The rows of a HistoryEntry queryset as ToldEntry, as far as `role` may read them."""
    return [
        ToldEntry(
            at=entry.at,
            who=who(entry),
            deed=deed_in_words(entry.deed),
            reason=entry.reason,
            version=entry.version,
            redacted=entry.redacted,
            changes=[
                told_change(entry.subject_type, *change)
                for change in visible_changes(entry, role).items()
            ],
        )
        for entry in entries
    ]


def visible_changes(entry, role):
    """The changes of a history row without the fields of a customer that `role` may not see."""
    if entry.subject_type != "customer":
        return entry.changes
    return {name: values for name, values in entry.changes.items() if sees_told(role, name)}


def who(entry):
    """The doer of a history row, in words."""
    return entry.actor_label or str(KINDS.get(entry.actor_kind, entry.actor_kind))


def deed_in_words(deed):
    return str(DEEDS.get(deed, deed.partition(".")[2].replace("_", " ").capitalize() or deed))


def field_in_words(subject_type, name):
    """What a person calls a field of the history."""
    if name in NAMES:
        return str(NAMES[name])
    try:
        field = apps.get_model(RECORDS[subject_type])._meta.get_field(name)
    except (KeyError, FieldDoesNotExist):
        return name.replace("_", " ")
    if field.one_to_many:
        return str(field.related_model._meta.verbose_name_plural)
    return str(getattr(field, "verbose_name", name.replace("_", " ")))


def told_change(subject_type, name, values):
    """(field, old, new) with values as text; "" where there was none."""
    old, new = values if isinstance(values, list) and len(values) == 2 else (None, values)
    if name in Customer.MONEY:
        old, new = in_money(old), in_money(new)
    return field_in_words(subject_type, name), in_words(old), in_words(new)


def in_money(amount):
    """An amount of the history, in minor units, as decimal text with its currency."""
    if not isinstance(amount, int):
        return amount
    currency = current_tenant().currency
    return f"{Decimal(amount).scaleb(-minor_unit_places(currency)):f} {currency}"


def in_words(value):
    """A value of the history as text."""
    if value is None or value == []:
        return ""
    if value is True:
        return _("yes")
    if value is False:
        return _("no")
    if isinstance(value, list):
        return ", ".join(in_words(item) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{name}: {in_words(item)}" for name, item in value.items())
    return str(value)


def moment(instant):
    """An instant in words, by the clock of whoever looks; None stays None. What a method of an
    admin answers is shown as it is, unlike a column."""
    return date_format(localtime(instant), "DATETIME_FORMAT") if instant else None


def badge(text, kind=""):
    """A label in colour *and* words; `kind` is success, warning, danger, info or empty."""
    return format_html('<span class="badge badge-{}">{}</span>', kind or "plain", text)
