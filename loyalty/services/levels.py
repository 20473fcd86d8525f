"""The levels of a programme: made, changed, deleted.

A new threshold or percent moves nobody by itself: customers move when they are next looked at (a
purchase, points, the daily recalculation), or at once by `recalculate_levels --all`. Deactivating
a level moves nobody either; nobody new reaches it.
"""

import contextlib
import uuid

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from events.services import clean_reason, record
from loyalty.amounts import number_out, plain
from loyalty.models import Level, LevelMultiplier, LoyaltyAccount
from loyalty.models.rewards import RewardLevel
from loyalty.programme import programme_of
from loyalty.services.choosing import levels_of, start_level
from loyalty.services.cleaning_levels import clean_level
from loyalty.services.moving_many import locked_accounts, move_many
from tenancy import clock
from tenancy.scoping import current_tenant

CHUNK = 500
IN_HUNDREDTHS = ("threshold", "reward_percent")


def create_level(**fields):
    """Create a level of the active tenant from the names of Level.FIELDS and return it.

    `threshold` and `reward_percent` are decimals ("200", "15.00"), `min_order` an amount of the
    tenant's currency. Raises ValidationError by field; the name is required.
    """
    tenant = current_tenant()
    clean = clean_level({"name": None, **fields}, tenant)
    with transaction.atomic():
        level = Level(tenant=tenant, **clean)
        level.save(force_insert=True)
        told = {name: [None, _told(name, value)] for name, value in clean.items()}
        record(tenant, "level.created", "level", level.pk, changes=told)
    return level


def update_level(level, *, reason="", **changes):
    """Change the named fields of a level and return it; what is not named stays.

    Raises ValidationError by field. Nobody moves (see above). When nothing differs, nothing is
    written.
    """
    with transaction.atomic():
        locked = Level.objects.select_for_update(no_key=True).filter(pk=level.pk).first()
        if locked is None:
            raise no_such_level()
        clean = clean_level(changes, locked.tenant)
        differs = {name: value for name, value in clean.items() if getattr(locked, name) != value}
        if not differs:
            return locked
        told = {
            name: [_told(name, getattr(locked, name)), _told(name, value)]
            for name, value in differs.items()
        }
        for name, value in differs.items():
            setattr(locked, name, value)
        locked.updated_at = clock.now()
        locked.save(update_fields=[*differs, "updated_at"])
        record(locked.tenant, "level.updated", "level", locked.pk, changes=told, reason=reason)
    return locked


def set_level_active(level, active, *, reason=""):
    """Let customers reach the level, or no longer; who stands on it stays. Returns the level."""
    return update_level(level, active=active, reason=reason)


def delete_level(level, *, move_to=None, reason=""):
    """Delete a level; its customers move to `move_to`, each with an entry in the own history.

    An assignment to the level becomes one to `move_to`, a reward that is for this level is for
    `move_to` then. Customers move in transactions of some hundred, so that a run that was cut off
    is ended by calling again. Returns how many moved.

    Raises ValidationError: code "has_members" (params `n`) where there are customers and no
    `move_to`; "restricts_rewards" (params `names`) where a reward is for this level alone and there
    is no `move_to`, because it would be for everybody; naming `move_to` ("same_level",
    "does_not_exist", "ambiguous"); "busy" where customers keep coming to the level.
    """
    reason = clean_reason(reason)
    if move_to is not None:
        move_to = _destination(level, move_to)
    n_moved = 0
    for _attempt in range(5):
        if move_to is None:
            _refuse_members(level)
        else:
            n_moved += _move_members(level, move_to, reason)
        with contextlib.suppress(_SomebodyCame), transaction.atomic():
            _delete_empty(level, move_to, reason)
            return n_moved
    raise ValidationError(_("Customers are coming to this level; try again."), code="busy")


class _SomebodyCame(Exception):
    """Rolls the lock on the level back: accounts are locked before levels, never after."""


def _destination(level, move_to):
    try:
        found = find_level(getattr(move_to, "pk", move_to))
    except ValidationError as refusal:
        raise ValidationError({"move_to": refusal.error_list}) from refusal
    if found.pk == level.pk:
        raise ValidationError(
            {"move_to": ValidationError(_("This is the level itself."), code="same_level")}
        )
    return found


def _standing(level):
    """The accounts with a customer that stand on a level or are assigned to it."""
    return LoyaltyAccount.objects.filter(
        Q(level=level) | Q(manual_level=level), customer__isnull=False, merged_into=None
    )


def _refuse_members(level):
    n_members = _standing(level).count()
    if n_members:
        raise ValidationError(
            _("%(n)s customers are on this level. Say which level they move to."),
            code="has_members",
            params={"n": n_members},
        )


def _move_members(level, move_to, reason):
    n_moved = 0
    while True:
        ids = list(_standing(level).order_by("customer_id").values_list("pk", flat=True)[:CHUNK])
        if not ids:
            return n_moved
        with transaction.atomic():
            accounts, _levels = locked_accounts(ids)
            moves = [
                (
                    account,
                    move_to if account.level_id == level.pk else account.level,
                    move_to if account.manual_level_id == level.pk else account.manual_level,
                )
                for account in accounts
                if level.pk in (account.level_id, account.manual_level_id)
            ]
            n_moved += move_many(programme_of(move_to.tenant), moves, reason=reason)


def _delete_empty(level, move_to, reason):
    locked = Level.objects.select_for_update().filter(pk=level.pk).first()
    if locked is None:
        return
    # From here on nobody can come to it; who came meanwhile is seen now.
    if _standing(locked).exists():
        raise _SomebodyCame
    # Accounts without a customer and those that were joined to another only remember the level.
    LoyaltyAccount.objects.filter(level=locked).update(level=None)
    LoyaltyAccount.objects.filter(manual_level=locked).update(manual_level=None)
    _leave_rewards(locked, move_to)
    told = {name: [_told(name, getattr(locked, name)), None] for name in ("name", "threshold")}
    if move_to is not None:
        told["move_to"] = [None, move_to.name]
    record(locked.tenant, "level.deleted", "level", locked.pk, changes=told, reason=reason)
    LevelMultiplier.objects.filter(level=locked).delete()
    Level.objects.filter(pk=locked.pk).delete()


def _leave_rewards(level, move_to):
    restricted = RewardLevel.objects.filter(level=level)
    if move_to is not None:
        known = RewardLevel.objects.filter(level=move_to).values("reward")
        restricted.exclude(reward__in=known).update(level=move_to)
        RewardLevel.objects.filter(level=level).delete()
        return
    shared = RewardLevel.objects.exclude(level=level).values("reward")
    names = list(restricted.exclude(reward__in=shared).values_list("reward__name", flat=True)[:5])
    if names:
        raise ValidationError(
            _("These rewards are for this level alone: %(names)s. Change them first."),
            code="restricts_rewards",
            params={"names": ", ".join(names)},
        )
    restricted.delete()


def find_level(value):
    """The tenant's level meant by a Level, an id or a name that exactly one level has.

    Raises ValidationError: code "does_not_exist", or "ambiguous" where several have the name.
    """
    if isinstance(value, Level):
        return value
    with contextlib.suppress(ValueError, AttributeError, TypeError):
        level = Level.objects.filter(pk=uuid.UUID(str(value))).first()
        if level is None:
            raise no_such_level()
        return level
    wanted = value.strip() if isinstance(value, str) else ""
    named = list(Level.objects.filter(name=wanted)[:2]) if "\x00" not in wanted else []
    if len(named) > 1:
        raise ValidationError(_("Several levels have this name; use the id."), code="ambiguous")
    if not named:
        raise no_such_level()
    return named[0]


def no_such_level():
    return ValidationError(_("There is no such level."), code="does_not_exist")


def level_warnings(tenant):
    """What is odd about a tenant's levels, for the back office: a list of {"code", "message"}."""
    levels = levels_of(tenant)
    warnings = []
    if start_level(levels) is None:
        refused = programme_of(tenant).require_start_level
        warnings.append(
            {
                "code": "no_start_level",
                "message": _("No active level has the threshold 0: registrations are refused.")
                if refused
                else _("No active level has the threshold 0: new customers are on no level."),
            }
        )
    names = [level.name for level in levels]
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        warnings.append(
            {
                "code": "same_name",
                "message": _("Several levels are called “%(name)s”: files cannot tell them apart.")
                % {"name": doubled[0]},
            }
        )
    actives = [level for level in levels if level.active]
    by_threshold = sorted(actives, key=lambda level: level.threshold)
    for lower, higher in zip(by_threshold, by_threshold[1:], strict=False):
        if higher.reward_percent <= lower.reward_percent and higher.threshold > lower.threshold:
            warnings.append(
                {
                    "code": "never_better",
                    "message": _(
                        "“%(higher)s” asks for more than “%(lower)s” and gives no more percent: "
                        "nobody goes up to it from there."
                    )
                    % {"higher": higher.name, "lower": lower.name},
                }
            )
    return warnings


def _told(name, value):
    return plain(number_out(value)) if name in IN_HUNDREDTHS else value
