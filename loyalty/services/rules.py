"""The rules that earn points: made, changed, deleted, and the few that are in force."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import prefetch_related_objects
from django.utils.translation import gettext_lazy as _

import normalise
from events.services import record
from loyalty.amounts import (
    HUNDREDTHS,
    TEN_THOUSANDTHS,
    money_in,
    money_out,
    number_in,
    number_out,
    plain,
)
from loyalty.models import EarningRule, Level, LevelMultiplier
from loyalty.services.documents import clean_amount
from tenancy import clock
from tenancy.scoping import current_tenant

Kind = EarningRule.Kind
LARGEST_RATE = 1_000_000
LARGEST_BONUS = 1_000_000_000
LARGEST_FACTOR = 1_000
FLAGS = ("active", "exclude_delivery")

# Counts the changes of rules in this process, so that no tenant at hand goes on with old ones.
_generation = 0


def rules_of(tenant, kind, instant):
    """The rules of one kind that are in force at `instant`, with their multipliers.

    They are read once for the tenant at hand, as its settings are: for a request, for a job, for
    the run of an import.
    """
    return [rule for rule in _rules_at_hand(tenant, kind) if in_force(rule, instant)]


def has_rules(tenant, kind):
    """Whether any rule of this kind is active, at whatever time."""
    return bool(_rules_at_hand(tenant, kind))


def _rules_at_hand(tenant, kind):
    holder = current_tenant()
    if holder is None or holder.pk != tenant.pk:
        holder = tenant
    known = getattr(holder, "_earning_rules", None)
    if known is None or known[0] != _generation:
        rules = list(EarningRule.objects.filter(tenant=tenant, active=True))
        if rules:
            prefetch_related_objects(rules, "multipliers")
        known = holder._earning_rules = (_generation, rules)
    return [rule for rule in known[1] if rule.kind == kind]


def in_force(rule, instant):
    """Whether an active rule holds at `instant`: from `active_from` on, before `active_to`."""
    return (rule.active_from is None or rule.active_from <= instant) and (
        rule.active_to is None or instant < rule.active_to
    )


def create_earning_rule(*, reason="", **fields):
    """Create a rule of the active tenant from the names of EarningRule.FIELDS and return it.

    Numbers are as people write them: `rate` points per unit of the currency ("1.5"), `points`
    ("50"), `min_amount` an amount of the currency ("99.90"); `multipliers` is a list of {"level": a
    Level or its id, "factor": "2.5"}. Raises ValidationError by field.
    """
    clean, multipliers = _clean(fields)
    rule = EarningRule(tenant=current_tenant(), **clean)
    _check(rule)
    with transaction.atomic():
        rule.save(force_insert=True)
        told = {name: [None, _told(rule, name, value)] for name, value in clean.items()}
        if multipliers:
            told["multipliers"] = [None, _set_multipliers(rule, multipliers)]
        record(
            rule.tenant, "earning_rule.created", "earning_rule", rule.pk,
            changes=told, reason=reason,
        )  # fmt: skip
        _forget()
    return rule


def update_earning_rule(rule, *, reason="", **changes):
    """Change the named fields of a rule and return it; `multipliers` replaces all of them.

    Points that were earned stay. Raises ValidationError by field. When nothing differs, nothing is
    written.
    """
    clean, multipliers = _clean(changes)
    with transaction.atomic():
        locked = EarningRule.objects.select_for_update(no_key=True).filter(pk=rule.pk).first()
        if locked is None:
            raise ValidationError(_("This rule was deleted."), code="gone")
        told = {
            name: [_told(locked, name, getattr(locked, name)), _told(locked, name, value)]
            for name, value in clean.items()
            if getattr(locked, name) != value
        }
        for name in told:
            setattr(locked, name, clean[name])
        _check(locked)
        if multipliers is not None:
            before = _tell_multipliers(locked)
            after = _set_multipliers(locked, multipliers)
            if before != after:
                told["multipliers"] = [before, after]
        if told:
            locked.updated_at = clock.now()
            locked.save()
            record(
                locked.tenant, "earning_rule.updated", "earning_rule", locked.pk,
                changes=told, reason=reason,
            )  # fmt: skip
            _forget()
    return locked


def delete_earning_rule(rule, *, reason=""):
    """Delete a rule; the points that it gave stay. Deleting it again does nothing."""
    with transaction.atomic():
        locked = EarningRule.objects.select_for_update().filter(pk=rule.pk).first()
        if locked is None:
            return
        told = {name: [getattr(locked, name), None] for name in ("name", "kind")}
        record(
            locked.tenant, "earning_rule.deleted", "earning_rule", locked.pk,
            changes=told, reason=reason,
        )  # fmt: skip
        locked.delete()
        _forget()


def _forget():
    global _generation
    _generation += 1


def _clean(fields):
    """Clean columns, and the multipliers as {level id: factor} (None: not named)."""
    errors = {
        name: ValidationError(_("Unknown field."), code="unknown")
        for name in set(fields) - set(EarningRule.FIELDS)
    }
    clean, multipliers = {}, None
    for name in EarningRule.FIELDS:
        if name not in fields:
            continue
        try:
            if name == "multipliers":
                multipliers = _clean_multipliers(fields[name])
            else:
                clean[name] = _clean_column(name, fields[name])
        except ValidationError as error:
            errors[name] = error.error_list
    if errors:
        raise ValidationError(errors)
    return clean, multipliers


def _clean_column(name, value):
    if name == "name":
        value = normalise.clean_text(value or "", max_length=120)
        if not value:
            raise ValidationError(_("This field is required."), code="required")
        return value
    if name == "kind":
        if value not in Kind.values:
            raise ValidationError(_("There is no such kind."), code="invalid_choice")
        return str(value)
    if name in NUMBERS:
        return NUMBERS[name](0 if value in (None, "") else value)
    if name in FLAGS:
        return normalise.clean_bool(value)
    if value in (None, ""):
        return None
    return normalise.parse_instant(value, tz=current_tenant().timezone)


NUMBERS = {
    "rate": lambda value: number_in(value, TEN_THOUSANDTHS, maximum=LARGEST_RATE),
    "points": lambda value: number_in(value, maximum=LARGEST_BONUS),
    "min_amount": lambda value: clean_amount(money_in(value, current_tenant().currency)),
}


def _clean_multipliers(rows):
    if rows is None:
        return {}
    if not isinstance(rows, (list, tuple)) or not all(isinstance(row, dict) for row in rows):
        raise ValidationError(_("Must be a list of objects."), code="invalid")
    known = {str(pk): pk for pk in Level.objects.values_list("pk", flat=True)}
    factors = {}
    for row in rows:
        level = known.get(str(getattr(row.get("level"), "pk", row.get("level"))).lower())
        if level is None:
            raise ValidationError(_("There is no such level."), code="does_not_exist")
        if level in factors:
            raise ValidationError(_("Each level once."), code="duplicate")
        factors[level] = number_in(row.get("factor"), TEN_THOUSANDTHS, maximum=LARGEST_FACTOR)
    return factors


def _check(rule):
    """What the columns say together."""
    errors = {}

    def refuse(name, message, code):
        errors[name] = ValidationError(message, code=code)

    if not rule.name:
        refuse("name", _("This field is required."), "required")
    if rule.kind not in Kind.values:
        refuse("kind", _("This field is required."), "required")
    elif rule.kind == Kind.PURCHASE:
        if not rule.rate:
            refuse("rate", _("Must be more than zero."), "min_value")
        if rule.points:
            refuse("points", _("A purchase earns by the rate."), "invalid")
    else:
        if not rule.points:
            refuse("points", _("Must be more than zero."), "min_value")
        if rule.rate:
            refuse("rate", _("This kind gives a fixed number of points."), "invalid")
    if rule.active_from and rule.active_to and rule.active_to <= rule.active_from:
        refuse("active_to", _("Must be later than the beginning."), "invalid")
    if errors:
        raise ValidationError(errors)


def _set_multipliers(rule, factors):
    if rule.kind != Kind.PURCHASE and factors:
        message = _("Only points for purchases are multiplied.")
        raise ValidationError({"multipliers": ValidationError(message, code="invalid")})
    LevelMultiplier.objects.filter(rule=rule).delete()
    LevelMultiplier.objects.bulk_create(
        LevelMultiplier(tenant=rule.tenant, rule=rule, level_id=level, factor=factor)
        for level, factor in factors.items()
    )
    return _tell_multipliers(rule)


def _tell_multipliers(rule):
    rows = LevelMultiplier.objects.filter(rule=rule).select_related("level")
    return sorted(
        f"{row.level.name}: {plain(number_out(row.factor, TEN_THOUSANDTHS))}" for row in rows
    )


def _told(rule, name, value):
    if name == "min_amount":
        return str(money_out(value, rule.tenant.currency))
    if name in NUMBERS:
        return plain(number_out(value, TEN_THOUSANDTHS if name == "rate" else HUNDREDTHS))
    return value.isoformat() if hasattr(value, "isoformat") else value
