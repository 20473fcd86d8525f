"""Making one record of two: the preview, and the deed.

What is left of the merged record is its row, hidden from `Customer.objects`: it holds the number
and the identifiers that the survivor did not take, so that the constraints go on guarding them and
whoever comes with one is led to the survivor. Everything else it held stands in the journal of the
merge until the time to undo it is over (`customers.services.unmerging`).
"""

from datetime import timedelta

from django.db import transaction

from customers.hooks import hooks
from customers.models import ActivationCode, Consent, Customer, Merge, NotDuplicate
from customers.profile import CHILD_LISTS
from customers.services.changes import TICK, CustomerGone, VersionConflict, open_change
from customers.services.children import tell
from customers.services.finding_duplicates import settle_merged
from customers.services.merging_plan import (
    OTHER,
    PROFILES,
    UNITS,
    MergeBlocked,
    plan_merge,
)
from customers.services.merging_preview import preview_of
from customers.services.merging_rows import alter_row, keep_rows, move_rows
from customers.snapshots import kept, plain, rebuilt
from events.actors import current
from events.services import build_history, clean_reason
from tenancy import clock
from tenancy.services import revoke_customer_tokens

DEED = "customer.merged"
LISTS = (*CHILD_LISTS, "devices", PROFILES, "extensions")
# What is left of a merged row, beside the followed identifiers that the survivor did not take.
STAYS = {"id", "tenant", "number", "created_at", "updated_at", "version", *Customer.FOLLOWED}


def preview_merge(survivor, other, choices=None):
    """What a merge of `other` into `survivor` would do; nothing is written.

    Takes Customers or ids; `choices` maps fields to "survivor" or "other". Returns {"survivor",
    "other", "fields", "lists", "store_profiles", "consents", "charge_account", "avatar",
    "devices", "sections", "blockers", "warnings", "counts", "undo_days"}; see docs/merging.md.
    Raises CustomerGone, and ValidationError naming `choices.<field>`.
    """
    pair = [_key(survivor), _key(other)]
    rows = Customer.with_merged.select_related("merged_into", "tenant").in_bulk(pair)
    if not set(pair) <= set(rows):
        raise CustomerGone
    return preview_of(plan_merge(rows[pair[0]], rows[pair[1]], choices))


def merge_customers(survivor, other, *, choices=None, expected_versions=None, reason=""):
    """Make `other` part of `survivor`, for good or until it is undone; returns the Merge.

    Takes Customers or ids; a Customer that is the survivor is brought up to date. `choices` maps
    fields to "survivor" or "other", `expected_versions` ids to the versions that the caller has
    seen. Writes history on both, one event `customer.merged` and one step of the survivor's
    version. Sessions and codes of the other record end.

    Raises MergeBlocked with every blocker, VersionConflict, CustomerGone, ValidationError. Of two
    merges of the same two at once, whichever way round, one wins and the other is refused.
    """
    with transaction.atomic():
        here, there = lock_pair(_key(survivor), _key(other))
        for customer in (here, there):
            expected = (expected_versions or {}).get(customer.pk)
            if expected is not None and expected != customer.version:
                raise VersionConflict(customer.version)
        plan = plan_merge(here, there, choices)
        plan.reason = reason
        if plan.blockers:
            raise MergeBlocked(plan.blockers)
        with open_change(
            survivor if isinstance(survivor, Customer) else here.pk, deed=DEED, reason=reason
        ) as change:
            return _carry_out(plan, change, reason)


def lock_pair(*pair):
    """Both rows, merged or not, locked in the order of their ids so that two who want the same two
    never wait for each other; in the order asked for. Raises CustomerGone."""
    # Nothing is joined that a merge may just be setting: after waiting for a lock, PostgreSQL reads
    # the locked row anew but not the rows joined to it.
    rows = {
        row.pk: row
        for row in Customer.with_merged.select_for_update(of=("self",))
        .select_related("tenant")
        .filter(pk__in=pair)
        .order_by("pk")
    }
    if not set(pair) <= set(rows):
        raise CustomerGone
    return [rows[key] for key in pair]


def _key(customer):
    return customer.pk if isinstance(customer, Customer) else customer


def _carry_out(plan, change, reason):
    survivor, other, who = change.customer, plan.other, current()
    # An ETag that somebody holds for either id must not fit the survivor as it now becomes.
    survivor.version = max(survivor.version, other.version)
    merge = Merge(
        tenant=survivor.tenant,
        survivor=survivor,
        merged=other,
        at=clock.now(),
        actor_kind=who.actor.kind,
        actor_id=who.actor.id,
        actor_label=who.actor.label,
        reason=clean_reason(reason or who.reason),
        version=survivor.version + 1,
        undo_until=clock.now() + timedelta(days=survivor.tenant.setting("merge_undo_days")),
        journal={"record": kept(other)},
    )
    _move_children(plan, change, merge)
    _turn_pairs(plan, merge.journal)
    settle_merged(survivor.pk, other.pk)
    ActivationCode.objects.filter(customer=other).delete()
    revoke_customer_tokens(other.pk)
    _set_columns(plan, change, merge.journal)
    _leave_shell(plan, merge.journal)
    merge.save(force_insert=True)
    for hook in hooks.merged:
        hook(merge, survivor, other)
    merge.save(update_fields=["journal"])
    change.record("merged_from", None, str(other.pk))
    change.event_data |= {"survivor": str(survivor.pk), "merged": str(other.pk)}
    return merge


# --- The children ----------------------------------------------------------------------------
def _move_children(plan, change, merge):
    survivor, journal = change.customer, merge.journal
    for name in LISTS:
        joined = plan.lists[name]
        keep_rows(journal, getattr(plan.other, name).all())
        gone = [row.pk for row, _same, _learnt in joined.same]
        if gone:
            getattr(plan.other, name).filter(pk__in=gone).delete()
        for _row, same, learnt in joined.same:
            alter_row(journal, same, learnt)
        if name in CHILD_LISTS:
            _move_list(change, name, joined)
        else:
            move_rows(joined.moves, survivor)
            if joined.moves and name == "devices":
                change.record(name, len(joined.kept), len(joined.kept) + len(joined.moves))
    for name, (here, there, side) in plan.rows.items():
        _settle_single(change, journal, name, here, there, side)
    _move_consents(plan, change, merge)


def _move_list(change, name, joined):
    before = tell(name, joined.kept)
    first = max((row.position for row in joined.kept), default=-1) + 1
    columns = {"position": lambda row, index: first + index}
    if joined.moves and hasattr(joined.moves[0], "primary"):
        columns["primary"] = lambda row, index: row.primary
    move_rows(joined.moves, change.customer, **columns)
    after = tell(name, list(getattr(change.customer, name).all()))
    if before != after:
        change.record(name, before, after)


def _settle_single(change, journal, name, here, there, side):
    """The picture and the charge account: the row's key is the customer, so it is made anew."""
    if here is there is None or (there is None and side != OTHER):
        return
    if there is not None:
        keep_rows(journal, [there])
        type(there).objects.filter(pk=there.pk).delete()
    if side != OTHER:
        return
    if here is not None:
        type(here).objects.filter(pk=here.pk).delete()
    mine = there and rebuilt(type(there), kept(there), customer_id=change.customer.pk)
    if mine:
        mine.save(force_insert=True)
    label = (there or here)._meta.label
    journal.setdefault("replaced", {})[label] = [here and kept(here), mine and kept(mine)]
    told = [
        row and ([row.number, row.retired] if name == "charge_account" else True)
        for row in (here, mine)
    ]
    change.record(name, *told)


def _move_consents(plan, change, merge):
    """The evidence of both stays. What the other record brings along stands before everything the
    survivor said itself; only the statement that holds from now on gets the merge's version."""
    rows = list(plan.other.consents.all())
    keep_rows(merge.journal, rows)
    winners = {there.pk for _here, there, side in plan.consents.values() if side == OTHER}
    mine = Consent.objects.filter(customer=change.customer).values_list("version", flat=True)
    shift = min([1, *mine]) - 1 - max((row.version for row in rows), default=0)

    def version(row, index):
        return merge.version if row.pk in winners else row.version + shift

    move_rows(rows, change.customer, version=version)
    for purpose, (here, there, side) in plan.consents.items():
        if side == OTHER:
            change.record(f"consent {purpose}", here.granted if here else None, there.granted)


def _turn_pairs(plan, journal):
    """Who is not the other record is not the survivor either."""
    survivor, other = plan.survivor.pk, plan.other.pk
    pairs = NotDuplicate.objects.about(other)
    journal["pairs"] = {"gone": [kept(pair) for pair in pairs], "made": []}
    NotDuplicate.objects.filter(pk__in=[pair.pk for pair in pairs]).delete()
    known = {pair.other_than(survivor) for pair in NotDuplicate.objects.about(survivor)}
    for pair in pairs:
        third = pair.other_than(other)
        if third != survivor and third not in known:
            first, second = sorted((survivor, third))
            made = rebuilt(
                NotDuplicate,
                {name: value for name, value in kept(pair).items() if name != "id"},
                first_id=first,
                second_id=second,
            )
            made.save(force_insert=True)
            journal["pairs"]["made"].append(str(made.pk))


# --- The rows --------------------------------------------------------------------------------
# Never told in the history: a secret, and what only follows from another column.
UNTOLD = {"password", "login_phone_key", "name_given", *UNITS["birth_date"]}


def _set_columns(plan, change, journal):
    survivor, names = change.customer, list(plan.columns)
    fields = {name: Customer._meta.get_field(name).attname for name in names}
    before = {column: plain(getattr(survivor, column)) for column in fields.values()}
    born = survivor.birth_date
    for name, value in plan.columns.items():
        if name in UNTOLD:
            change.set_silently(name, value)
        else:
            change.set(name, value)
    if survivor.birth_date != born:
        change.record("birth_date", born, survivor.birth_date)
    if "password" in plan.columns:
        change.record("password", None, None)
        revoke_customer_tokens(survivor.pk)
    journal["columns"] = {
        column: [old, plain(getattr(survivor, column))] for column, old in before.items()
    }


def _leave_shell(plan, journal):
    """Empty the merged row but for what goes on leading to the survivor. An identifier that the
    survivor gave up for the other's stands here from now on."""
    survivor, other = plan.survivor, plan.other
    taken = [name for name in Customer.FOLLOWED if name in plan.columns]
    # Both rows hold what each will get from the other: one lets go first.
    Customer.objects.filter(pk=survivor.pk).update(**dict.fromkeys(taken))
    shell = rebuilt(Customer, journal["record"])
    for field in Customer._meta.concrete_fields:
        if field.name not in STAYS:
            setattr(shell, field.attname, None if field.null else field.get_default())
    for name in taken:
        setattr(shell, name, getattr(survivor, name))
    shell.status = Customer.Status.BLOCKED
    shell.merged_into_id = other.merged_into_id = survivor.pk
    shell.version += 1
    shell.updated_at = max(clock.now(), shell.updated_at + TICK)
    shell.save(force_update=True)
    followers = Customer.with_merged.filter(merged_into=other.pk)
    journal["followers"] = [str(key) for key in followers.values_list("pk", flat=True)]
    followers.update(merged_into=survivor.pk)
    build_history(
        shell.tenant,
        "customer",
        shell.pk,
        deed=DEED,
        changes={"merged_into": [None, str(survivor.pk)]},
        version=shell.version,
        reason=plan.reason,
    ).save(force_insert=True)
