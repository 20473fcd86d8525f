"""Points by hand and by message: added, spent, adjusted, sent, cancelled, given back.

Points are integers in hundredths. Every deed names its source; the same source again raises
Repeated with the entry that it made, so that a repeated message counts once.
"""

import uuid
from contextlib import contextmanager
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db.models import Sum
from django.db.models.functions import Abs
from django.utils.translation import gettext_lazy as _

from events.actors import current
from events.services import clean_reason
from loyalty.models import Entry, Lot
from loyalty.services.accounts import open_account, opening_accounts, refuse_repeated

# A balance of ninety thousand billion points is a mistake, and its sums must stay in 64 bits.
LARGEST_POINTS = 9_000_000_000_000_000
DAY = timedelta(days=1)


def add_points(
    customer,
    *,
    points,
    source=None,
    kind=Entry.Kind.EARN,
    at=None,
    note="",
    store=None,
    whatever_status=False,
):
    """Let a customer earn `points` (> 0) and return the entry.

    `source` is (kind, id), by default a new one. `at` is when they were earned (default now).
    Raises ValidationError naming `points`, or `customer` (code "not_earning") where the status may
    not earn and `whatever_status` does not allow it; Repeated; CustomerGone.
    """
    points, note = clean_points(points), clean_reason(note)
    source = source or new_source()
    with open_account(customer, source=(*source, kind)) as change:
        if not whatever_status:
            refuse_status(change, "earning")
        _refuse_overflow(change, points)
        return change.give(kind, points, source=source, at=at, note=note, store=store)


def spend_points(customer, *, points, source=None, kind=Entry.Kind.SPEND, note="", store=None):
    """Let a customer spend `points` (> 0) and return the entry.

    Raises ValidationError naming `points` (code "insufficient_points") or `customer` (code
    "not_spending"); Repeated; CustomerGone.
    """
    points, note = clean_points(points), clean_reason(note)
    source = source or new_source()
    with open_account(customer, source=(*source, kind)) as change:
        refuse_status(change, "spending")
        return change.take(kind, points, source=source, note=note, store=store)[0]


def adjust_points(customer, *, points, reason, source=None, ceiling=None, store=None):
    """Correct a balance by hand, up or down, with a reason; returns the entry.

    `ceiling` (hundredths) bounds what the present actor adjusts for this customer within a day,
    ups and downs added together; None: unbounded. The customer's status does not matter. Raises
    ValidationError naming `points` (also "insufficient_points", "ceiling") or `reason`; Repeated.
    """
    reason = clean_reason(reason)
    if not reason:
        raise ValidationError(
            {"reason": ValidationError(_("A reason is needed."), code="required")}
        )
    amount = clean_points(abs(points) if isinstance(points, int) else points)
    source = source or new_source()
    with open_account(customer, source=(*source, Entry.Kind.ADJUST)) as change:
        if ceiling is not None:
            _refuse_beyond(ceiling, change, amount)
        if points > 0:
            _refuse_overflow(change, amount)
            return change.give(Entry.Kind.ADJUST, amount, source=source, note=reason, store=store)
        return change.take(Entry.Kind.ADJUST, amount, source=source, note=reason, store=store)[0]


def _refuse_beyond(ceiling, change, amount):
    actor = current().actor
    since = change.instant - DAY
    done = Entry.objects.filter(
        account=change.account,
        kind=Entry.Kind.ADJUST,
        actor_kind=actor.kind,
        actor_id=actor.id,
        created_at__gt=since,
    ).aggregate(total=Sum(Abs("points")) + Sum(Abs("locked_points")))["total"]
    if (done or 0) + amount > ceiling:
        raise ValidationError(
            {
                "points": ValidationError(
                    _("At most %(n)s points a day for one customer."),
                    code="ceiling",
                    params={"n": ceiling // 100},
                )
            }
        )


def transfer_points(sender, receiver, *, points, source=None, note=""):
    """Send points from one customer to another; returns (entry out, entries in).

    They come from the sender's lots in spending order, and each keeps its expiry at the receiver,
    where it counts in the balance but never as earned. Raises ValidationError naming `points`
    ("insufficient_points"), `receiver` (the same customer) or `customer` (status); Repeated.
    """
    points, note = clean_points(points), clean_reason(note)
    if sender.pk == receiver.pk:
        raise ValidationError(
            {"receiver": ValidationError(_("This is the sender."), code="same_customer")}
        )
    source = source or new_source()
    with opening_accounts([sender.pk, receiver.pk]) as changes:
        giver, taker = changes[sender.pk], changes[receiver.pk]
        refuse_repeated((*source, Entry.Kind.TRANSFER_OUT), giver.account)
        refuse_status(giver, "spending")
        refuse_status(taker, "earning", field="receiver")
        _refuse_overflow(taker, points)
        sent, uses = giver.take(Entry.Kind.TRANSFER_OUT, points, source=source, note=note)
        received = [
            taker.give(
                Entry.Kind.TRANSFER_IN,
                use.points,
                source=(source[0], f"{source[1]}:{index}"),
                terms=(None, use.lot.expires_at),
                received=True,
                note=note,
            )
            for index, use in enumerate(uses)
        ]
        return sent, received


CANCELLABLE = (Entry.Kind.EARN, Entry.Kind.ADJUST)


def cancel_entry(entry, *, reason=""):
    """Cancel points that came in: what is left of them goes, and they no longer count as earned.

    What was spent stays spent. Returns the reversing entry. Raises ValidationError: code
    "not_cancellable" for anything but earned or adjusted points, "cancelled" when it was done,
    "nameless" (the customer was deleted: what is left of an account is its totals).
    """
    reason = clean_reason(reason)
    lot = Lot.objects.filter(entry=entry).select_related("account").first()
    if lot is None or entry.kind not in CANCELLABLE:
        raise ValidationError(_("This entry cannot be cancelled."), code="not_cancellable")
    if lot.account.customer_id is None:
        raise ValidationError(_("The customer of these points was deleted."), code="nameless")
    with account_of_lot(lot) as (change, lot):
        return cancel_lot(change, lot, source=("cancel", entry.pk), note=reason)


def cancel_lot(change, lot, *, source, note=""):
    """Cancel a lot of the open account; returns the reversing entry. Raises ValidationError, code
    "cancelled", when it was done before."""
    if lot.cancelled_at is not None:
        raise ValidationError(_("This entry was cancelled."), code="cancelled")
    left = lot.remaining
    entry = change.enter(
        Entry.Kind.CANCEL,
        points=0 if lot.locked else -left,
        locked=-left if lot.locked else 0,
        source=source,
        reverses=lot.entry,
        note=note,
    )
    change.change_lot(
        lot,
        remaining=0,
        cancelled=lot.cancelled + left,
        cancelled_at=change.instant,
        locked=False,
    )
    change.look_at_level |= change.programme.by_points
    return entry


@contextmanager
def account_of_lot(lot):
    """Open the account on which a lot stands now, and yield (change, the lot in it)."""
    with open_account(lot.account.customer_id) as change:
        if in_hand := next((known for known in change.lots if known.pk == lot.pk), None):
            yield change, in_hand
        else:
            lot.refresh_from_db()
            if lot.account_id != change.account.pk:
                raise joined_meanwhile()
            yield change, lot


def joined_meanwhile():
    """The refusal of what stood on another account by the time at which this one was locked."""
    message = _("The account was joined or parted meanwhile; try again.")
    return ValidationError(message, code="busy")


def refund_entry(change, entry, *, source, note=""):
    """Give back inside an open account what `entry` took from lots; returns the entry, or None
    where it took nothing.

    Each lot gets its part back. Points whose lot has expired, was cancelled or went back to another
    account meanwhile (a merge was undone) come back as a new lot by the programme's rules of today.
    """
    uses = list(entry.uses.select_related("lot"))
    if not uses:
        return None
    lots = {lot.pk: lot for lot in change.lots}
    alive, lost = [], 0
    for use in uses:
        lot = lots.get(use.lot_id, use.lot)
        ended = lot.cancelled_at or (lot.expires_at and lot.expires_at <= change.instant)
        if ended or lot.account_id != change.account.pk:
            lost += use.points
        else:
            alive.append((lot, use.points))
    returned = None
    if alive:
        returned = change.enter(
            Entry.Kind.REFUND,
            points=sum(points for _lot, points in alive),
            source=source,
            reverses=entry,
            note=note,
        )
        for lot, points in alive:
            if lot.pk not in lots:
                change.lots.append(lot)
            change.change_lot(lot, remaining=lot.remaining + points)
    if lost:
        fresh = change.give(
            Entry.Kind.REFUND,
            lost,
            source=(source[0], f"{source[1]}:new"),
            reverses=None if returned else entry,
            received=True,
            note=note,
        )
        returned = returned or fresh
    return returned


def clean_points(points):
    """Whole hundredths above zero; raises ValidationError naming `points`."""
    if not isinstance(points, int) or isinstance(points, bool) or points <= 0:
        raise ValidationError(
            {"points": ValidationError(_("Must be more than zero."), code="min_value")}
        )
    if points > LARGEST_POINTS:
        raise ValidationError({"points": ValidationError(_("Too many."), code="max_value")})
    return points


def _refuse_overflow(change, points):
    if change.account.points + change.account.locked_points + points > LARGEST_POINTS:
        raise ValidationError({"points": ValidationError(_("Too many."), code="max_value")})


def refuse_status(change, what, field="customer"):
    """Raise ValidationError naming `field` where the customer may not earn or spend."""
    customer, programme = change.customer, change.programme
    allowed = programme.statuses_earning if what == "earning" else programme.statuses_spending
    if customer is None or customer.status not in allowed or customer.no_loyalty:
        raise ValidationError(
            {
                field: ValidationError(
                    _("This customer may not earn points.")
                    if what == "earning"
                    else _("This customer may not spend points."),
                    code=f"not_{what}",
                )
            }
        )


def may_earn(change):
    """Whether the customer of an open account may earn by the programme's rules."""
    return change.customer is not None and earns(change.customer, change.programme)


def earns(customer, programme):
    """Whether a customer, as it stands in memory, may earn by the programme's rules."""
    return (
        not customer.no_loyalty
        and customer.anonymised_at is None
        and customer.status in programme.statuses_earning
    )


def new_source():
    """A source for a deed that no message caused."""
    return ("hand", uuid.uuid4())
