"""What a deed does to an account that is locked, collected in memory until it is written.

Points come in as lots and go out of them; what is due is settled first. Nothing here asks for a
lock or writes a row: loyalty/services/accounts.py does.
"""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from events.actors import current
from events.services import build_event
from loyalty.models import Entry, EntryNote, Lot, LotUse
from loyalty.services.choosing import levels_of
from tenancy import clock

NOT_ENOUGH = _("There are not enough points.")


class AccountChange:
    """A locked account, exact at `instant`, and what the current deed does to it."""

    def __init__(self, account, customer, programme):
        self.account = account
        self.customer = customer  # None: the account of a deleted customer
        self.programme = programme
        self.instant = clock.now()
        self.entries, self.notes, self.uses = [], [], []
        self.new_lots, self.changed_lots = [], {}
        self.points_before = account.points
        self.look_at_level = False
        self.reason = ""
        self.deed = "customer.updated"  # under which the customer's history tells of a level
        self._lots = None
        self._levels = None

    @property
    def levels(self):
        """The tenant's levels, fetched once."""
        if self._levels is None:
            self._levels = levels_of(self.programme.tenant)
        return self._levels

    def use_levels(self, levels):
        """Take the tenant's levels, by id, from somebody who has fetched them."""
        self._levels = list(levels.values())
        self.account.level = levels.get(self.account.level_id)
        self.account.manual_level = levels.get(self.account.manual_level_id)

    @property
    def lots(self):
        """The account's lots that have points left, fetched once, changed in place."""
        if self._lots is None:
            self._lots = list(Lot.objects.filter(account=self.account, remaining__gt=0))
        return self._lots

    @property
    def has_lots(self):
        """Whether the lots were fetched."""
        return self._lots is not None

    def use_lots(self, lots):
        """Take the lots that have points left from somebody who has fetched them."""
        self._lots = lots

    # --- What a deed can do ------------------------------------------------------------------
    def enter(
        self,
        kind,
        *,
        points=0,
        locked=0,
        source,
        at=None,
        reverses=None,
        note="",
        store=None,
    ):
        """Add an entry with these deltas (hundredths) and return it. `source` is (kind, id)."""
        account = self.account
        account.points += points
        account.locked_points += locked
        account.n_entries += 1
        who = current().actor
        source_kind, source_id = source
        entry = Entry(
            tenant=account.tenant,
            account=account,
            seq=account.n_entries,
            kind=kind,
            points=points,
            locked_points=locked,
            points_after=account.points,
            locked_after=account.locked_points,
            at=at or self.instant,
            created_at=self.instant,
            source_kind=source_kind,
            source_id=str(source_id),
            reverses=reverses,
            store_id=getattr(store, "pk", store),
            actor_kind=who.kind,
            actor_id=who.id,
        )
        self.entries.append(entry)
        if note:
            self.notes.append(
                EntryNote(
                    tenant=account.tenant, entry=entry, text=note, actor_label=who.label[:254]
                )
            )
        self.look_at_level |= self.programme.by_points and points != 0
        return entry

    def give(self, kind, points, *, source, at=None, terms=None, received=False, **entry_fields):
        """Let points in: an entry and a lot of their own, and return the entry.

        `at` is the instant at which they were earned. `terms` is (locked_until, expires_at) where
        they are not the programme's. A lot whose lock has ended or that has expired by now comes
        in all the same, and is unlocked and expired by entries of their own.
        """
        earned_at = at or self.instant
        if terms is None:
            terms = (self.programme.lock_end(earned_at), self.programme.expiry(earned_at))
        locked_until, expires_at = terms
        is_locked = locked_until is not None
        entry = self.enter(
            kind,
            points=0 if is_locked else points,
            locked=points if is_locked else 0,
            source=source,
            at=earned_at,
            **entry_fields,
        )
        lot = Lot(
            tenant=self.account.tenant,
            account=self.account,
            home_account=self.account,
            entry=entry,
            value=points,
            remaining=points,
            earned_at=earned_at,
            locked=is_locked,
            locked_until=locked_until,
            expires_at=expires_at,
            received=received,
        )
        self.lots.append(lot)
        self.new_lots.append(lot)
        self.settle()
        return entry

    def take(self, kind, points, *, source, floor=False, **entry_fields):
        """Take points out of the lots in spending order; returns the entry and its LotUses.

        `floor` takes what there is where there is less, possibly nothing; otherwise too little
        raises ValidationError naming `points`, code "insufficient_points".
        """
        if points > self.account.points:
            if not floor:
                raise ValidationError(
                    {"points": ValidationError(NOT_ENOUGH, code="insufficient_points")}
                )
            points = self.account.points
        entry = self.enter(kind, points=-points, source=source, **entry_fields)
        left, uses = points, []
        for lot in self.in_spending_order():
            if not left:
                break
            taken = min(left, lot.remaining)
            self.change_lot(lot, remaining=lot.remaining - taken)
            uses.append(LotUse(tenant=self.account.tenant, entry=entry, lot=lot, points=taken))
            left -= taken
        if left:  # the row and its lots disagree: nothing may be spent on such an account
            raise ValidationError(
                {"points": ValidationError(_("This account must be checked."), code="frozen")}
            )
        self.uses += uses
        return entry, uses

    def in_spending_order(self):
        """The lots that can be spent now, by the programme's order."""
        spendable = [lot for lot in self.lots if lot.remaining and not lot.locked]
        if self.programme.spend_order == "oldest":
            return sorted(spendable, key=lambda lot: (lot.earned_at, str(lot.pk)))
        return sorted(
            spendable,
            key=lambda lot: (
                lot.expires_at is None,
                lot.expires_at or lot.earned_at,
                lot.earned_at,
                str(lot.pk),
            ),
        )

    def change_lot(self, lot, **values):
        """Set columns of a lot; written at the end."""
        for name, value in values.items():
            setattr(lot, name, value)
        if lot not in self.new_lots:
            self.changed_lots[lot.pk] = lot

    def settle(self):
        """Unlock and expire what is due, in the order in which it became due."""
        due = []
        for lot in self.lots:
            if not lot.remaining:
                continue
            if lot.locked and lot.locked_until <= self.instant:
                due.append((lot.locked_until, 0, str(lot.pk), lot))
            if lot.expires_at is not None and lot.expires_at <= self.instant:
                due.append((lot.expires_at, 1, str(lot.pk), lot))
        for at, is_expiry, _key, lot in sorted(due, key=lambda row: row[:3]):
            if is_expiry:
                self.expire_lot(lot, at=at)
            elif lot.locked:  # not if it expired before its lock ended
                self.unlock_lot(lot, at=at)

    def unlock_lot(self, lot, *, at):
        """Make a held-back lot spendable."""
        self.enter(
            Entry.Kind.UNLOCK,
            points=lot.remaining,
            locked=-lot.remaining,
            source=("lot", lot.pk),
            at=at,
        )
        self.change_lot(lot, locked=False)

    def expire_lot(self, lot, *, at):
        """Let what is left of a lot expire."""
        left = lot.remaining
        self.enter(
            Entry.Kind.EXPIRE,
            points=0 if lot.locked else -left,
            locked=-left if lot.locked else 0,
            source=("lot", lot.pk),
            at=at,
        )
        self.change_lot(lot, remaining=0, expired=lot.expired + left, locked=False)

    # --- Writing -----------------------------------------------------------------------------
    @property
    def moved_points(self):
        """Whether a person's balance is another than before."""
        return self.account.points != self.points_before and self.customer is not None

    def points_event(self):
        """The unsaved event that tells so."""
        return build_event(
            self.account.tenant,
            "points.changed",
            "customer",
            self.customer.pk,
            data={"account": str(self.account.pk)},
        )

    def next_due(self):
        """The first instant at which one of the lots is unlocked or expires."""
        if not self.has_lots:
            return self.account.next_due_at
        left = [lot for lot in self.lots if lot.remaining]
        instants = [lot.locked_until for lot in left if lot.locked]
        instants += [lot.expires_at for lot in left if lot.expires_at]
        return min(instants, default=None)
