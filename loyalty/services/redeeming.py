"""Redeeming: points become a coupon; the coupon is used, delivered or cancelled, once.

Locks in the order of everywhere: customer, account, then the reward and the redemption. Pieces
and coupons are taken by a conditional UPDATE, never by looking first.
"""

import secrets
import uuid
from datetime import timedelta
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from events.services import build_event, build_history, clean_reason
from loyalty.models import Entry, Redemption, Reward
from loyalty.services.accounts import open_account
from loyalty.services.moving import move_after
from loyalty.services.points import joined_meanwhile, refund_entry, refuse_status
from loyalty.services.rewards import levels_of_reward
from tenancy import clock
from tenancy.integrity import violated_constraint

# No 0, O, 1 or I: read aloud and typed at a till. 32 letters, so that 12 of them are 60 bits.
ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
GROUPS, GROUP_LENGTH = 3, 4
TRIES = 5
# Where a delivery may go by hand; a step back puts a mistake right.
DELIVERY_STEPS = {
    Redemption.Delivery.ORDERED: {"shipped", "delivered"},
    Redemption.Delivery.SHIPPED: {"ordered", "delivered"},
    Redemption.Delivery.DELIVERED: {"shipped"},
    Redemption.Delivery.CANCELLED: set(),
}


def redeem_reward(customer, reward, *, source=None, store=None):
    """Let a customer spend points on a reward and return the Redemption with its coupon.

    `source` is (kind, id), by default a new one; the same again raises Repeated with its entry.
    `store` is where it happens. The coupon works until 23:59:59 of the last of the reward's
    `valid_days`, in the tenant's time zone. Raises ValidationError: naming `customer` (code
    "not_spending"), `points` ("insufficient_points"), or `reward`: "does_not_exist",
    "not_on_offer" (inactive or outside of its dates), "sold_out", "wrong_level", "limit_reached";
    CustomerGone.
    """
    redemption_id = uuid.uuid4()
    source = source or ("redemption", redemption_id)
    with open_account(customer, source=(*source, Entry.Kind.SPEND)) as change:
        refuse_status(change, "spending")
        reward = _take_piece(reward, change.instant)
        # What expired a moment ago may have moved the customer down.
        move_after(change)
        _refuse_level(reward, change.account)
        _refuse_limit(reward, change.account)
        entry, _uses = change.take(Entry.Kind.SPEND, reward.cost, source=source, store=store)
        redemption = Redemption(
            id=redemption_id,
            tenant=change.account.tenant,
            account=change.account,
            home_account=change.account,
            reward=reward,
            entry=entry,
            name=reward.name,
            cost=reward.cost,
            redeemed_at=change.instant,
            active_until=_works_until(reward, change),
            delivery=Redemption.Delivery.ORDERED if reward.delivered else "",
        )
        _save_with_coupon(redemption)
        _record("reward.redeemed", redemption, None, "redeemed")
    return redemption


def use_coupon(redemption, *, store=None):
    """Use a coupon, once; returns the Redemption. `store` is where it is used.

    Raises ValidationError: code "used", "cancelled" or "expired". The customer's status does not
    matter: the coupon has been paid for.
    """
    instant = clock.now()
    with transaction.atomic():
        used = (
            Redemption.objects.open(instant)
            .filter(pk=redemption.pk)
            .update(used_at=instant, used_store=store)
        )
        redemption = _fresh(redemption)
        if not used:
            raise _not_open(redemption)
        _record("redemption.used", redemption, "open", "used")
    return redemption


def unuse_coupon(redemption, *, reason=""):
    """Take the use of a coupon back, for a till that scanned the wrong one; it works again until
    its day. Raises ValidationError, code "not_used"."""
    with transaction.atomic():
        taken_back = Redemption.objects.filter(pk=redemption.pk, used_at__isnull=False).update(
            used_at=None, used_store=None
        )
        redemption = _fresh(redemption)
        if not taken_back:
            raise ValidationError(_("This coupon was not used."), code="not_used")
        _record("redemption.unused", redemption, "used", "open", reason=reason)
    return redemption


def set_delivery(redemption, status):
    """Say where the delivery stands: ordered, shipped, delivered; one step back is allowed, the
    same status again changes nothing. Returns the Redemption.

    Raises ValidationError naming `delivery`: "invalid_choice", "no_delivery" (the reward is
    nothing that is sent), "cancelled", "wrong_step". Cancelling is `cancel_redemption`.
    """
    if status not in set(Redemption.Delivery.values) - {Redemption.Delivery.CANCELLED}:
        raise _delivery_error("invalid_choice", _("Use ordered, shipped or delivered."))
    with transaction.atomic():
        redemption = _fresh(redemption)
        before = redemption.delivery
        if before == status:
            return redemption
        if not before:
            raise _delivery_error("no_delivery", _("This reward is not delivered."))
        if before == Redemption.Delivery.CANCELLED:
            raise _delivery_error("cancelled", _("This redemption was cancelled."))
        if status not in DELIVERY_STEPS[before]:
            raise _wrong_step()
        moved = Redemption.objects.filter(
            pk=redemption.pk, delivery=before, cancelled_at__isnull=True
        ).update(delivery=status)
        if not moved:  # somebody was faster
            raise _wrong_step()
        redemption.delivery = status
        _record("redemption.delivery_changed", redemption, before, status)
    return redemption


def cancel_redemption(redemption, *, reason=""):
    """Cancel a redemption: the points go back to the lots they came from, the piece to the stock.

    A coupon that has run out can be cancelled, one that was used cannot. Returns the Redemption.
    Raises ValidationError: "used", "delivered", "cancelled", "nameless" (the customer was
    deleted, so that nobody could get the points); what `open_account` raises.
    """
    redemption, reason = _fresh(redemption), clean_reason(reason)
    if redemption.account.customer_id is None:
        raise ValidationError(_("The customer of this redemption was deleted."), code="nameless")
    with open_account(redemption.account.customer_id) as change:
        cancelled = (
            Redemption.objects.filter(
                pk=redemption.pk, used_at__isnull=True, cancelled_at__isnull=True
            )
            .exclude(delivery=Redemption.Delivery.DELIVERED)
            .update(
                cancelled_at=change.instant,
                delivery=Redemption.Delivery.CANCELLED if redemption.delivery else "",
            )
        )
        redemption = _fresh(redemption)
        if not cancelled:
            raise _not_open(redemption)
        if redemption.account_id != change.account.pk:
            raise joined_meanwhile()
        source = ("redemption", redemption.pk)
        refund_entry(change, redemption.entry, source=source, note=reason)
        Reward.objects.filter(pk=redemption.reward_id, n_redeemed__gt=0).update(
            n_redeemed=F("n_redeemed") - 1
        )
        _record("redemption.cancelled", redemption, "open", "cancelled", reason=reason)
    return redemption


def find_coupon(text):
    """The redemption with this coupon code, however it is typed (small letters, blanks, without
    dashes), or None; any text is safe here."""
    code = _spelt(text)
    return None if code is None else Redemption.objects.filter(coupon=code).first()


def new_coupon():
    """A coupon code by chance: twelve letters and digits in three groups, as K7QF-9M2X-HT4R."""
    return _grouped("".join(secrets.choice(ALPHABET) for _n in range(GROUPS * GROUP_LENGTH)))


def _grouped(letters):
    starts = range(0, GROUPS * GROUP_LENGTH, GROUP_LENGTH)
    return "-".join(letters[start : start + GROUP_LENGTH] for start in starts)


def _spelt(text):
    if not isinstance(text, str) or len(text) > 100:
        return None
    letters = "".join(text.upper().replace("-", " ").split())
    if len(letters) != GROUPS * GROUP_LENGTH or not set(letters) <= set(ALPHABET):
        return None
    return _grouped(letters)


def _take_piece(reward, instant):
    """Count one more piece where there is one, and return the reward as it is now; nobody changes
    its price until the end of the transaction."""
    taken = (
        Reward.objects.in_force(instant)
        .filter(Q(stock__isnull=True) | Q(n_redeemed__lt=F("stock")), pk=reward.pk)
        .update(n_redeemed=F("n_redeemed") + 1)
    )
    if taken:
        return Reward.objects.get(pk=reward.pk)
    if not Reward.objects.filter(pk=reward.pk).exists():
        raise _reward_error("does_not_exist", _("No such reward."))
    if not Reward.objects.in_force(instant).filter(pk=reward.pk).exists():
        raise _reward_error("not_on_offer", _("This reward cannot be redeemed now."))
    raise _reward_error("sold_out", _("There is nothing left of this reward."))


def _refuse_level(reward, account):
    levels = levels_of_reward(reward)
    if levels and account.level_id not in {level.pk for level in levels}:
        raise _reward_error("wrong_level", _("This reward is for other levels."))


def _refuse_limit(reward, account):
    # The account is locked: no other redemption of it can come in between.
    if reward.per_customer is None:
        return
    n_had = Redemption.objects.filter(
        account=account, reward=reward, cancelled_at__isnull=True
    ).count()
    if n_had >= reward.per_customer:
        raise _reward_error("limit_reached", _("This customer has had all that one may have."))


def _works_until(reward, change):
    if reward.valid_days is None:
        return None
    today = change.instant.astimezone(ZoneInfo(change.programme.timezone)).date()
    return change.programme.last_second_of(today + timedelta(days=reward.valid_days))


def _save_with_coupon(redemption):
    for attempt in range(1, TRIES + 1):
        redemption.coupon = new_coupon()
        try:
            with transaction.atomic():
                redemption.save(force_insert=True)
        except IntegrityError as error:
            if violated_constraint(error) != "redemption_coupon_unique" or attempt == TRIES:
                raise
        else:
            return


def _fresh(redemption):
    return Redemption.objects.select_related("account", "entry").get(pk=redemption.pk)


def _not_open(redemption):
    """Why a coupon cannot be used, or a redemption not be cancelled."""
    if redemption.cancelled_at is not None:
        return ValidationError(_("This redemption was cancelled."), code="cancelled")
    if redemption.used_at is not None:
        return ValidationError(_("This coupon was used."), code="used")
    if redemption.delivery == Redemption.Delivery.DELIVERED:
        return ValidationError(_("This reward was delivered."), code="delivered")
    return ValidationError(_("This coupon has run out."), code="expired")


def _reward_error(code, message):
    return ValidationError({"reward": ValidationError(message, code=code)})


def _delivery_error(code, message):
    return ValidationError({"delivery": ValidationError(message, code=code)})


def _wrong_step():
    return _delivery_error("wrong_step", _("The delivery cannot go there from where it stands."))


def _record(kind, redemption, before, after, *, reason=""):
    """History and event of the redemption; the history is the customer's, where there is one."""
    customer_id = redemption.account.customer_id
    build_history(
        redemption.tenant,
        "customer" if customer_id else "redemption",
        customer_id or redemption.pk,
        deed=kind,
        changes={"redemption": [before, f"{redemption.name}: {after}"]},
        reason=reason,
    ).save(force_insert=True)
    data = {"reward": str(redemption.reward_id)}
    if kind == "reward.redeemed":
        subject = ("customer", customer_id)
        data["redemption"] = str(redemption.pk)
    else:
        subject = ("redemption", redemption.pk)
        data["customer"] = customer_id and str(customer_id)
    build_event(redemption.tenant, kind, *subject, data=data).save(force_insert=True)
