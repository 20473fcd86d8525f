"""What a caller says about a level, as the row keeps it: one cleaner for each of Level.FIELDS."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

import normalise
from loyalty.amounts import money_in, number_in
from loyalty.models import Level
from loyalty.services.wording import clean_translations, placed
from tenancy.tenant_settings import Setting

MOST_PERCENT = 10_000
MOST_SPECIAL = 50
LARGEST_POSITION = 2_147_483_647
SPECIAL_FIELDS = ("name", "code", "percent", "active", "start_at", "end_at")
_FLAG = Setting("flag", bool, True, "")


def clean_level(fields, tenant):
    """Clean values by column; raises TypeError for a name that is no field, and one
    ValidationError that names every bad field (parts as `translations.nb`, `special_rewards.0`)."""
    unknown = set(fields) - set(Level.FIELDS)
    if unknown:
        raise TypeError(f"a level has no field {sorted(unknown)[0]!r}")
    clean, errors = {}, {}
    for name, value in fields.items():
        try:
            clean[name] = _CLEANERS[name](value, tenant)
        except ValidationError as error:
            errors |= placed(name, error)
    if errors:
        raise ValidationError(errors)
    return clean


def _refuse(message, code):
    return ValidationError(message, code=code)


def _text(name, *, multiline=False, required=False):
    max_length = Level._meta.get_field(name).max_length

    def clean(value, tenant):
        text = normalise.clean_text(
            "" if value is None else value, max_length=max_length, multiline=multiline
        )
        if required and not text:
            raise _refuse(_("Must not be empty."), "blank")
        return text

    return clean


def _given(clean):
    """A value that cannot be emptied."""

    def clean_given(value, tenant):
        if value in (None, ""):
            raise _refuse(_("This field is required."), "required")
        return clean(value, tenant)

    return clean_given


def _position(value, tenant):
    if value in (None, ""):
        return 0
    return normalise.clean_int(value, minimum=0, maximum=LARGEST_POSITION)


def _min_order(value, tenant):
    return None if value in (None, "") else money_in(value, tenant.currency)


def _special_rewards(value, tenant):
    """A list of {"name", "code", "percent", "active", "start_at", "end_at"}, of which the name is
    needed; kept with the percent in hundredths and the instants in UTC."""
    if value in (None, ""):
        return []
    if not isinstance(value, (list, tuple)):
        raise _refuse(_("Must be a list."), "invalid")
    if len(value) > MOST_SPECIAL:
        raise _refuse(_("At most %(n)d entries.") % {"n": MOST_SPECIAL}, "max_length")
    clean, errors = [], {}
    for index, item in enumerate(value):
        try:
            clean.append(_special_reward(item, tenant))
        except ValidationError as error:
            errors |= placed(str(index), error)
    if errors:
        raise ValidationError(errors)
    return clean


def _special_reward(item, tenant):
    if not isinstance(item, dict):
        raise _refuse(_("Must be an object."), "invalid")
    if unknown := set(item) - set(SPECIAL_FIELDS):
        raise ValidationError({str(name)[:50]: _unknown() for name in unknown})
    clean, errors = {}, {}
    for name in SPECIAL_FIELDS:
        try:
            clean[name] = _CLEANERS_OF_SPECIAL[name](item.get(name), tenant)
        except ValidationError as error:
            errors[name] = error.error_list
    if not errors and clean["start_at"] and clean["end_at"] and clean["end_at"] < clean["start_at"]:
        errors["end_at"] = _refuse(_("Lies before the start."), "before_start")
    if errors:
        raise ValidationError(errors)
    return clean


def _unknown():
    return _refuse(_("Unknown field."), "unknown")


def _instant(value, tenant):
    if value in (None, ""):
        return None
    return normalise.parse_instant(value, tz=tenant.timezone).isoformat()


def _percent(value, tenant):
    """15, "15" or "15.00" is 1500: fifteen percent in hundredths."""
    return number_in(value, maximum=MOST_PERCENT)


def _flag(value, tenant):
    return _FLAG.clean(value)


_CLEANERS = {
    "name": _text("name", required=True),
    "description": _text("description", multiline=True),
    "translations": lambda value, tenant: clean_translations(value),
    "threshold": _given(lambda value, tenant: number_in(value)),
    "reward_percent": _given(_percent),
    "reward_name": _text("reward_name"),
    "reward_code": _text("reward_code"),
    "special_rewards": _special_rewards,
    "min_order": _min_order,
    "active": _given(_flag),
    "position": _position,
}
_CLEANERS_OF_SPECIAL = {
    "name": _text("reward_name", required=True),
    "code": _text("reward_code"),
    "percent": lambda value, tenant: 0 if value in (None, "") else _percent(value, tenant),
    "active": lambda value, tenant: True if value in (None, "") else _flag(value, tenant),
    "start_at": _instant,
    "end_at": _instant,
}
