"""The catalogue of rewards: made, changed, taken out of it.

A reward that somebody has redeemed stays: it is made inactive instead of deleted. What happens
with its pieces and coupons is in `redeeming`.
"""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as _

import normalise
from events.services import record
from loyalty.amounts import number_in, number_out, plain
from loyalty.models import Level, Redemption, Reward
from loyalty.models.rewards import RewardLevel
from loyalty.services.levels import find_level
from loyalty.services.points import LARGEST_POINTS
from loyalty.services.wording import clean_translations, placed
from tenancy import clock
from tenancy.scoping import current_tenant

MOST_PIECES = 2_147_483_647
LONGEST_VALIDITY = 36_500  # days
REQUIRED = ("name", "cost")


def create_reward(**fields):
    """Put a reward into the active tenant's catalogue, from the names of Reward.FIELDS.

    `cost` is in points as people write them ("12.5"), `levels` a list of levels or their ids
    (empty: for everybody), `valid_days` how many days after the day of redemption a coupon works.
    Raises ValidationError by field.
    """
    clean = clean_reward(fields)
    missing = [name for name in REQUIRED if clean.get(name) in (None, "")]
    if missing:
        required = ValidationError(_("This field is required."), code="required")
        raise ValidationError(dict.fromkeys(missing, required))
    levels = clean.pop("levels", [])
    _refuse_dates(clean.get("active_from"), clean.get("active_to"))
    with transaction.atomic():
        reward = Reward(tenant=current_tenant(), **clean)
        reward.save(force_insert=True)
        _set_levels(reward, levels)
        told = {name: [None, _told(name, value)] for name, value in clean.items()}
        told |= {"levels": [None, _told("levels", levels)]} if levels else {}
        record(reward.tenant, "reward.created", "reward", reward.pk, changes=told)
    return reward


def update_reward(reward, *, reason="", **changes):
    """Change the named fields of a reward and return it; what is not named stays, None empties.

    A new price holds for redemptions from now on. Raises ValidationError by field; `stock` below
    what is redeemed already has code "below_redeemed". When nothing differs, nothing is written.
    """
    clean = clean_reward(changes)
    for name in REQUIRED:
        if name in clean and clean[name] in (None, ""):
            raise ValidationError({name: ValidationError(_("Must not be empty."), code="blank")})
    with transaction.atomic():
        # Whoever redeems changes this row, so that the number of redeemed pieces stands still.
        locked = Reward.objects.select_for_update(no_key=True).get(pk=reward.pk)
        before = {name: getattr(locked, name) for name in clean if name != "levels"}
        if "levels" in clean:
            before["levels"] = levels_of_reward(locked)
        differs = {
            name: value
            for name, value in clean.items()
            if _told(name, before[name]) != _told(name, value)
        }
        if not differs:
            return locked
        told = {
            name: [_told(name, before[name]), _told(name, value)] for name, value in differs.items()
        }
        levels = differs.pop("levels", None)
        for name, value in differs.items():
            setattr(locked, name, value)
        _refuse_dates(locked.active_from, locked.active_to)
        _refuse_small_stock(locked)
        locked.updated_at = clock.now()
        locked.save(update_fields=[*differs, "updated_at"])
        if levels is not None:
            _set_levels(locked, levels)
        record(locked.tenant, "reward.updated", "reward", locked.pk, changes=told, reason=reason)
    return locked


def delete_reward(reward, *, reason=""):
    """Delete a reward that nobody has redeemed yet.

    Raises ValidationError, code "redeemed", when somebody has (also a cancelled redemption
    counts): it is made inactive instead.
    """
    with transaction.atomic():
        locked = Reward.objects.select_for_update().filter(pk=reward.pk).first()
        if locked is None:
            return
        if Redemption.objects.filter(reward=locked).exists():
            raise ValidationError(
                _("This reward was redeemed. Make it inactive instead."), code="redeemed"
            )
        told = {name: [_told(name, getattr(locked, name)), None] for name in REQUIRED}
        record(locked.tenant, "reward.deleted", "reward", locked.pk, changes=told, reason=reason)
        locked.delete()


def levels_of_reward(reward):
    """The levels to which a reward is restricted, in their order; none: it is for everybody."""
    restricted = RewardLevel.objects.filter(reward=reward, level=OuterRef("pk"))
    return list(Level.objects.filter(Exists(restricted)))


def clean_reward(fields):
    """Clean values for the given names of Reward.FIELDS.

    Raises ValidationError by field, TypeError for a name that a reward does not have.
    """
    unknown = set(fields) - set(Reward.FIELDS)
    if unknown:
        raise TypeError(f"a reward has no field {sorted(unknown)[0]!r}")
    clean, errors = {}, {}
    for name, value in fields.items():
        try:
            clean[name] = _CLEANERS[name](value)
        except ValidationError as error:
            errors |= placed(name, error)
    if errors:
        raise ValidationError(errors)
    return clean


def _set_levels(reward, levels):
    wanted = {level.pk for level in levels}
    rows = RewardLevel.objects.filter(reward=reward)
    known = set(rows.values_list("level_id", flat=True))
    rows.filter(level__in=known - wanted).delete()
    RewardLevel.objects.bulk_create(
        RewardLevel(tenant=reward.tenant, reward=reward, level_id=key) for key in wanted - known
    )


def _refuse_dates(begin, end):
    if begin is not None and end is not None and end <= begin:
        raise ValidationError(
            {"active_to": ValidationError(_("Must be after the beginning."), code="before_begin")}
        )


def _refuse_small_stock(reward):
    if reward.stock is not None and reward.stock < reward.n_redeemed:
        raise ValidationError(
            {
                "stock": ValidationError(
                    _("%(n)s pieces are redeemed already; the stock counts them too."),
                    code="below_redeemed",
                    params={"n": reward.n_redeemed},
                )
            }
        )


def _text(name, *, multiline=False):
    max_length = Reward._meta.get_field(name).max_length

    def clean(value):
        value = "" if value is None else value
        return normalise.clean_text(value, max_length=max_length, multiline=multiline)

    return clean


def _cost(value):
    return None if value in (None, "") else number_in(value, maximum=number_out(LARGEST_POINTS))


def _whole(minimum, maximum, *, empty=None):
    def clean(value):
        if value in (None, ""):
            return empty
        return normalise.clean_int(value, minimum=minimum, maximum=maximum)

    return clean


def _flag(default):
    return lambda value: default if value in (None, "") else normalise.clean_bool(value)


def _instant(value):
    if value in (None, ""):
        return None
    return normalise.parse_instant(value, tz=current_tenant().timezone)


def _levels(value):
    wanted = [] if value in (None, "") else value
    if not isinstance(wanted, (list, tuple, set, frozenset)):
        raise ValidationError(_("Must be a list of levels."), code="invalid")
    found = {level.pk: level for level in map(find_level, wanted)}
    return list(found.values())


_CLEANERS = {
    "name": _text("name"),
    "description": _text("description", multiline=True),
    "translations": clean_translations,
    "cost": _cost,
    "stock": _whole(0, MOST_PIECES),
    "per_customer": _whole(1, MOST_PIECES),
    "valid_days": _whole(1, LONGEST_VALIDITY),
    "delivered": _flag(False),
    "levels": _levels,
    "active": _flag(True),
    "active_from": _instant,
    "active_to": _instant,
    "position": _whole(0, MOST_PIECES, empty=0),
}


def _told(name, value):
    """A value as the history can hold it."""
    if name == "levels":
        return sorted(level.name for level in value)
    if name == "cost" and value is not None:
        return plain(number_out(value))
    return value.isoformat() if hasattr(value, "isoformat") else value
