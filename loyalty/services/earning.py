"""What earns points by the programme's rules: purchases, registering, the newsletter.

A sale earns by the rules in force when it was made, times the multiplier of the level on which the
customer stands before the sale moves it; all rules together are rounded half up to a hundredth,
once. A return takes back the share of it that was returned. Registering earns by the rules in
force at the registration, paid as soon as the customer may earn; the newsletter earns by the rules
in force when it is paid, once in a lifetime.
"""

from django.core.exceptions import ValidationError

import normalise
from customers.services import current_consents
from loyalty.models import EarningRule, Entry, LotUse
from loyalty.programme import HUNDRED, programme_of
from loyalty.services.accounts import joined_accounts, open_account, opening_accounts
from loyalty.services.points import LARGEST_POINTS, earns, may_earn
from loyalty.services.rules import has_rules, rules_of
from tenancy import clock

Kind = EarningRule.Kind
NEWSLETTER_PURPOSE = "marketing"
ONCE = 10_000  # a factor, and a rate's decimals
SOURCE = "transaction"


def points_for(sale, rules, *, level_id, currency):
    """What these rules give for a sale, in hundredths, and the names of those that give anything.

    `rules` are purchase rules in force, with their multipliers fetched.
    """
    total, names = 0, []
    for rule in rules:
        base = sale.amount - (sale.delivery_amount if rule.exclude_delivery else 0)
        if base < rule.min_amount:
            continue
        factors = {row.level_id: row.factor for row in rule.multipliers.all()}
        share = base * rule.rate * factors.get(level_id, ONCE)
        if share:
            total += share
            names.append(rule.name)
    divisor = 10 ** normalise.minor_unit_places(currency) * ONCE * ONCE
    return half_up(total * HUNDRED, divisor), names


def half_up(number, divisor):
    """A quotient of whole numbers that are not negative, rounded half up."""
    return (2 * number + divisor) // (2 * divisor)


def earn_for_sale(change, sale):
    """Give what a sale earns, inside an open account; returns the entry, or None for nothing."""
    rules = rules_of(change.account.tenant, Kind.PURCHASE, sale.purchased_at)
    if not rules or not may_earn(change):
        return None
    points, names = points_for(
        sale, rules, level_id=change.account.level_id, currency=change.programme.currency
    )
    room = LARGEST_POINTS - change.account.points - change.account.locked_points
    if not 0 < points <= room:
        return None
    return change.give(
        Entry.Kind.EARN,
        points,
        source=(SOURCE, sale.pk),
        at=min(sale.purchased_at, change.instant),
        note=", ".join(names)[:500],
        store=sale.store_id,
    )


def take_back(change, sale, back, lot, returned):
    """Take back what the returned share of a sale has earned; returns the entry, or None.

    `lot` is what the sale earned, `returned` the total of its returns before this one. All returns
    up to one take their share of the lot rounded half up, so that a whole return takes exactly
    what was earned. What expired or was cancelled is gone already; what is left of the lot goes
    first, also while it is held back, then other points in spending order, down to zero.
    """
    lot = next((known for known in change.lots if known.pk == lot.pk), lot)
    limit = 0 if lot.cancelled_at else lot.value - lot.expired
    before = min(_share(lot, sale, returned), limit)
    due = min(_share(lot, sale, returned + back.amount), limit) - before
    own = min(due, lot.remaining)
    takes = [(lot, own)] if own else []
    locked = own if lot.locked else 0
    due -= own
    for other in change.in_spending_order():
        taken = min(due, other.remaining)
        if taken and other is not lot:
            takes.append((other, taken))
            due -= taken
    points = sum(taken for _lot, taken in takes) - locked
    if not takes:
        return None
    entry = change.enter(
        Entry.Kind.RETURN,
        points=-points,
        locked=-locked,
        source=(SOURCE, back.pk),
        store=back.store_id,
    )
    for one, taken in takes:
        change.change_lot(one, remaining=one.remaining - taken)
        change.uses.append(LotUse(tenant=entry.tenant, entry=entry, lot=one, points=taken))
    return entry


def _share(lot, sale, returned):
    if returned >= sale.amount:
        return lot.value
    return half_up(lot.value * returned, sale.amount)


# --- Registering and the newsletter -----------------------------------------------------------
def earn_at_registration(change):
    """Give a customer who is being registered what registering and the newsletter earn; joins the
    registration's transaction. Without such a rule nothing is asked of the database."""
    granted = any(map(_is_granted, change.consents))
    _pay(change.customer, registers=True, newsletter=granted)


def earn_at_registrations(changes):
    """The same for many who are being registered together; their accounts are new."""
    tenant = changes[0].customer.tenant
    programme = programme_of(tenant)
    if not (
        has_rules(tenant, Kind.REGISTRATION)
        or has_rules(tenant, Kind.NEWSLETTER)
        or programme.newsletter_points
    ):
        return
    due = {
        change.customer.pk: found
        for change in changes
        if (found := _due(change.customer, programme, True, any(map(_is_granted, change.consents))))
    }
    if due:
        with opening_accounts(due) as opened:
            for customer_id, found in due.items():
                for one in found:
                    _give(opened[customer_id], *one)


def earn_at_change(change):
    """Give what a change of the customer earns: consent to the newsletter; and where it lets the
    customer earn at last, what an earlier consent and the registration would have earned."""
    customer = change.customer
    granted = any(map(_is_granted, change.consents))
    status_before = change.changes.get("status", [customer.status])[0]
    kept_out = change.changes.get("no_loyalty", [customer.no_loyalty])[0]
    if not granted and status_before == customer.status and kept_out == customer.no_loyalty:
        return
    earned_before = not kept_out and (status_before in customer.tenant.setting("statuses_earning"))
    if earned_before and not granted:
        return
    _pay(
        customer,
        registers=not earned_before and status_before == customer.Status.NEW,
        newsletter=True if granted else None,
    )


def _is_granted(consent):
    return consent.purpose == NEWSLETTER_PURPOSE and consent.granted


def _pay(customer, *, registers, newsletter):
    """Give what is due and was not given before. `newsletter` None: look for the consent."""
    due = _due(customer, programme_of(customer.tenant), registers, newsletter)
    if newsletter is None and any(kind == Kind.NEWSLETTER for kind, *_rest in due):
        holds = current_consents(customer).get(NEWSLETTER_PURPOSE)
        if holds is None or not holds.granted:
            due = [one for one in due if one[0] != Kind.NEWSLETTER]
    if due:
        _give_once(customer, due)


def _due(customer, programme, registers, newsletter):
    """What registering and the newsletter give this customer now: (kind, points, rules) of each
    that gives anything."""
    if not earns(customer, programme):
        return []
    due = []
    if registers:
        rules = rules_of(customer.tenant, Kind.REGISTRATION, customer.created_at)
        due.append((Kind.REGISTRATION, sum(rule.points for rule in rules), rules))
    if newsletter or newsletter is None:
        rules = rules_of(customer.tenant, Kind.NEWSLETTER, clock.now())
        points = programme.newsletter_points * HUNDRED + sum(rule.points for rule in rules)
        due.append((Kind.NEWSLETTER, points, rules))
    return [one for one in due if one[1]]


def _give_once(customer, due):
    try:
        with open_account(customer.pk) as change:
            accounts = [str(pk) for pk in joined_accounts(change.account)]
            for kind, points, rules in due:
                paid = Entry.objects.filter(
                    source_kind=kind, source_id__in=accounts, kind=Entry.Kind.EARN
                )
                if not paid.exists():
                    _give(change, kind, points, rules)
    except ValidationError as refusal:
        # An account that must be checked gives nothing, and is no reason to refuse a consent.
        if refusal.code != "frozen":
            raise


def _give(change, kind, points, rules):
    change.give(
        Entry.Kind.EARN,
        points,
        source=(kind, change.account.pk),
        note=", ".join(rule.name for rule in rules)[:500],
    )
