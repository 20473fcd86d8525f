"""Undoing a merge: two records again.

The rule: the merged record comes back as it was when it was merged, with its rows, from the
journal. The survivor loses what came with the merge, and each of its own values that the merge
changed goes back to what it was, unless somebody has changed it since. Whatever was added or
changed after the merge stays with the survivor. Merges of one survivor are undone from the last.
"""

from functools import partial

from django.apps import apps
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils.translation import gettext as _

import normalise
from customers.hooks import hooks
from customers.models import Avatar, Customer, Merge, NotDuplicate, PossibleDuplicate
from customers.profile import CHILD_LISTS
from customers.services.avatars import delete_after_commit
from customers.services.changes import (
    TICK,
    CustomerGone,
    open_change,
)
from customers.services.children import WITH_PRIMARY, tell
from customers.services.commerce import ACCOUNT_MESSAGES, PROFILE_MESSAGES
from customers.services.consents import current_consents
from customers.services.finding_duplicates import set_pair_state
from customers.services.merging import UNTOLD, lock_pair
from customers.services.merging_plan import UNITS
from customers.services.merging_rows import bring_back_rows, journal_rows, put_back_altered
from customers.services.uniqueness import UNIQUE_MESSAGES
from customers.snapshots import plain, rebuilt, value_of, without_lost_references
from events.services import build_history
from tenancy import clock
from tenancy.integrity import refusals
from tenancy.services import revoke_customer_tokens

DEED = "customer.unmerged"
# What makes a single row the same row again, whatever else changed about it.
TELLING = {"customers.Avatar": "file", "customers.ChargeAccount": "number"}
MESSAGES = UNIQUE_MESSAGES | PROFILE_MESSAGES | ACCOUNT_MESSAGES


def undo_merge(merge, *, reason="", expected_version=None, however_late=False):
    """Part what `merge` (a Merge or its id) joined; returns the Merge. `expected_version` is the
    survivor's; `however_late` is for an erasure that must reach a record which a restored backup
    knows as merged.

    Both are records of their own again under their old ids; history on both, one event
    `customer.unmerged`. Sessions and codes that ended with the merge do not come back.

    Raises ValidationError without a field, code "undone", "undo_expired", "later_merge",
    "survivor_merged" or "anonymised"; naming an identifier, code "unique", when it is somebody
    else's by now. VersionConflict; CustomerGone where there is no such merge.
    """
    merge_id = getattr(merge, "pk", merge)
    found = Merge.objects.filter(pk=merge_id).first()
    if found is None:
        raise CustomerGone
    with transaction.atomic():
        survivor, shell = lock_pair(found.survivor_id, found.merged_id)
        found = Merge.objects.select_for_update(of=("self",)).get(pk=merge_id)
        _refuse(found, survivor, shell, however_late)
        with (
            open_change(
                survivor, deed=DEED, reason=reason, expected_version=expected_version
            ) as change,
            refusals(MESSAGES),
        ):
            _part(found, change, shell, reason)
    if isinstance(merge, Merge):
        merge.refresh_from_db()
        return merge
    return found


def _refuse(merge, survivor, shell, however_late):
    if merge.undone_at:
        raise ValidationError(_("This merge was undone already."), code="undone")
    if survivor.anonymised_at:
        raise ValidationError(_("This customer was anonymised."), code="anonymised")
    if shell.merged_into_id != survivor.pk or survivor.merged_into_id:
        raise ValidationError(
            _("The survivor was itself merged; undo that first."), code="survivor_merged"
        )
    if not merge.journal or (clock.now() > merge.undo_until and not however_late):
        raise ValidationError(_("The time to undo this merge is over."), code="undo_expired")
    later = Merge.objects.filter(survivor=survivor, undone_at=None, version__gt=merge.version)
    if later.exists():
        raise ValidationError(
            _("Another record was merged into this one later; undo that first."),
            code="later_merge",
        )


def _part(merge, change, shell, reason):
    survivor, journal = change.customer, merge.journal
    before = _told(survivor)
    other = _restored(journal, survivor)
    _give_back_columns(change, journal, other, shell)
    other.save(force_update=True)
    put_back_altered(journal)
    _give_back_single_rows(change, journal)
    bring_back_rows(journal)
    Avatar.objects.filter(pk__in=_without_file([other.pk])).delete()
    _choose_primaries(survivor)
    survivor._prefetched_objects_cache = {}
    for name, now_told in _told(survivor).items():
        if before[name] != now_told:
            change.record(name, before[name], now_told)
    Customer.with_merged.filter(pk__in=journal["followers"]).update(merged_into=other)
    _restore_pairs(journal["pairs"])
    set_pair_state(survivor.pk, other.pk, PossibleDuplicate.State.OPEN)
    for hook in hooks.unmerged:
        hook(merge, survivor, other)
    merge.undone_at, merge.journal = clock.now(), {}
    merge.save(update_fields=["undone_at", "journal"])
    change.record("merged_from", str(other.pk), None)
    change.event_data |= {"survivor": str(survivor.pk), "merged": str(other.pk)}
    build_history(
        other.tenant,
        "customer",
        other.pk,
        deed=DEED,
        changes={"merged_into": [str(survivor.pk), None]},
        version=other.version,
        reason=reason,
    ).save(force_insert=True)


def _told(customer):
    """What the history tells of the survivor's rows."""
    told = {name: tell(name, list(getattr(customer, name).all())) for name in CHILD_LISTS}
    told["devices"] = customer.devices.count()
    return told | {
        f"consent {purpose}": consent.granted
        for purpose, consent in current_consents(customer).items()
    }


# --- The rows of the two ---------------------------------------------------------------------
def _restored(journal, survivor):
    """The merged record as it was, above every version that its id has answered since."""
    other = rebuilt(Customer, journal["record"])
    other.version = max(other.version, survivor.version) + 1
    other.updated_at = max(clock.now(), other.updated_at + TICK)
    without_lost_references([other])
    return other


def _give_back_columns(change, journal, other, shell):
    survivor = change.customer
    born, secrets = survivor.birth_date, (survivor.password, survivor.login_email,
                                          survivor.login_phone_key)  # fmt: skip
    for columns in _units(journal["columns"]):
        untouched = all(
            plain(getattr(survivor, column)) == after for column, (_old, after) in columns.items()
        )
        if untouched:
            for column, (old, _after) in columns.items():
                _set(change, column, old)
    for name in Customer.FOLLOWED:
        # Exchanged for the one that the merge had left with the shell.
        value = getattr(other, name)
        if value is not None and getattr(survivor, name) == value:
            change.set(name, getattr(shell, name))
    if not survivor.name_given:
        parts = ("first_name", "last_name", "company_name")
        built = normalise.build_name(name="", **{part: getattr(survivor, part) for part in parts})
        change.set("name", built or survivor.name)
    if survivor.birth_date != born:
        change.record("birth_date", born, survivor.birth_date)
    if secrets != (survivor.password, survivor.login_email, survivor.login_phone_key):
        revoke_customer_tokens(survivor.pk)
    # The shell and the survivor let go of what the other two take.
    Customer.with_merged.filter(pk=shell.pk).update(**dict.fromkeys(Customer.FOLLOWED))
    survivor.save(update_fields=sorted(change.columns))


def _units(columns):
    """The journal's columns, those that only make sense together in one dict."""
    left = dict(columns)
    for names in UNITS.values():
        together = {name: left.pop(name) for name in names if name in left}
        if together:
            yield together
    for name, values in left.items():
        yield {name: values}


def _set(change, column, old):
    field = Customer._meta.get_field(column)
    value = value_of(field, old)
    if column in UNTOLD:
        change.set_silently(column, value)
        return
    if field.is_relation:
        found = value and field.related_model.objects.filter(pk=value).first()
        change.set(field.name, found)
        change.columns.discard(field.attname)
        return
    change.set(column, value)


def _give_back_single_rows(change, journal):
    """Where the survivor's picture or charge account is still the one that the merge put there, it
    goes home, and the one before comes back."""
    survivor = change.customer
    for label, (before, after) in journal.get("replaced", {}).items():
        model, telling = apps.get_model(label), TELLING[label]
        row = model.objects.filter(pk=survivor.pk).first()
        is_that = after and row and plain(getattr(row, telling)) == after[telling]
        if not is_that and (row or after):
            if label == Avatar._meta.label and before:
                delete_after_commit(rebuilt(model, before))
            continue
        if row:
            row.delete()
        if before:
            model.objects.bulk_create([rebuilt(model, before)])
            Avatar.objects.filter(pk__in=_without_file([survivor.pk])).delete()
        change.record(model._meta.model_name.replace("chargeaccount", "charge_account"),
                      row and True, before and True)  # fmt: skip


def _without_file(customer_ids):
    """Whose picture's file is gone: somebody removed the picture meanwhile."""
    rows = Avatar.objects.filter(pk__in=customer_ids)
    return [row.pk for row in rows if not row.file.storage.exists(row.file.name)]


def _choose_primaries(survivor):
    """A list whose primary row went back has its first row as primary."""
    for name in WITH_PRIMARY:
        rows = getattr(survivor, name)
        if not rows.filter(primary=True).exists():
            first = rows.order_by("position", "pk").first()
            if first:
                first.primary = True
                first.save(update_fields=["primary"])


def _restore_pairs(pairs):
    NotDuplicate.objects.filter(pk__in=pairs["made"]).delete()
    rows = without_lost_references([rebuilt(NotDuplicate, pair) for pair in pairs["gone"]])
    NotDuplicate.objects.bulk_create(rows, ignore_conflicts=True)


# --- When the time is over -------------------------------------------------------------------
def forget_merges():
    """Empty the journals of merges that can be undone no more, and remove the pictures that stood
    only there; returns how many. The merges themselves stay: the old ids go on being answered."""
    expired = Merge.objects.filter(undo_until__lt=clock.now()).exclude(journal={})
    n_forgotten = 0
    for merge_id in list(expired.values_list("pk", flat=True)):
        with transaction.atomic():
            merge = expired.select_for_update(of=("self",)).filter(pk=merge_id).first()
            if merge is None:
                continue
            for name in journal_files(merge.journal):
                transaction.on_commit(partial(default_storage.delete, name))
            merge.journal = {}
            merge.save(update_fields=["journal"])
            n_forgotten += 1
    return n_forgotten


def journal_files(journal):
    """The files that nothing but this journal refers to any more."""
    names = {row.file.name for row in journal_rows(journal) if isinstance(row, Avatar)}
    return sorted(names - set(Avatar.objects.filter(file__in=names).values_list("file", flat=True)))
