"""What would be if the programme's settings were others. Nothing is written."""

from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from loyalty.models import Level
from loyalty.programme import SETTING_NAMES, programme_of
from loyalty.reaching import distribution, groups_of, may_go_down, standing
from loyalty.services.choosing import levels_of, reached_level
from loyalty.services.moving import target_level
from loyalty.status import Status, status_of
from tenancy import clock
from tenancy.tenant_settings import SETTINGS


@dataclass(frozen=True, slots=True)
class Simulation:
    """One customer's level now and under other settings, and the Status there."""

    level: Level | None  # where the customer stands
    reached: Level | None  # what would have been collected
    target: Level | None  # where the table of moves would lead
    status: Status


def clean_wishes(settings):
    """Settings of the programme, clean; the others as the tenant has them. Raises ValidationError
    by name for an unknown setting or value."""
    clean, errors = {}, {}
    for name, value in settings.items():
        try:
            if name not in SETTING_NAMES:
                raise ValidationError(_("Not a setting of the programme."), code="unknown")
            clean[name] = SETTINGS[name].clean(value)
        except ValidationError as error:
            errors[str(name)[:50]] = error
    if errors:
        raise ValidationError(errors)
    return clean


def simulate(customer, **settings):
    """The Simulation of one customer under other `settings`. An assigned level is a floor there
    too. Raises ValidationError by name."""
    programme = programme_of(customer.tenant, **clean_wishes(settings))
    levels = levels_of(customer.tenant)
    status = status_of(customer, programme=programme, levels=levels)
    reached = reached_level(levels, status.counted)
    target, _moves = target_level(
        current=status.level,
        manual=status.assigned_level,
        calculated=reached,
        may_go_down=may_go_down(programme),
    )
    return Simulation(status.level, reached, target, status)


def simulate_all(tenant, **settings):
    """How the tenant's customers would be spread over the levels under other `settings`: a list of
    {"level": Level or None, "before", "after"} in the order of the levels, counted by the database
    in one query. Raises ValidationError by name."""
    programme = programme_of(tenant, **clean_wishes(settings))
    levels = levels_of(tenant)
    groups = groups_of(standing(), programme, levels, clock.now())
    before, after = distribution(groups), distribution(groups, after=True)
    return [
        {"level": level, "before": before.get(level, 0), "after": after.get(level, 0)}
        for level in [*levels, None]
        if level is not None or before.get(None) or after.get(None)
    ]
