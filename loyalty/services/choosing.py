"""Which level an amount reaches, and which is next: pure functions over the tenant's levels."""

from loyalty.models import Level


def levels_of(tenant):
    """All levels of the tenant, the inactive ones too (customers may stand on them)."""
    return list(Level.objects.filter(tenant=tenant))


def reached_level(levels, amount):
    """The level for `amount` (hundredths): of the active ones whose threshold it reaches the one
    with the greatest threshold, of equal ones the one with the greatest reward; None if none."""
    reached = [level for level in levels if level.active and level.threshold <= amount]
    return max(reached, key=_rank, default=None)


def next_level(levels, amount, current):
    """The next level above `amount` and above the current one: the smallest threshold, of equal
    ones the greatest reward; None at the top."""
    above = current.threshold if current else -1
    ahead = [
        level
        for level in levels
        if level.active and level.threshold > amount and level.threshold > above
    ]
    return min(
        ahead,
        key=lambda level: (level.threshold, -level.reward_percent, str(level.pk)),
        default=None,
    )


def start_level(levels):
    """The level of somebody who has nothing yet."""
    return reached_level(levels, 0)


def is_better(level, than):
    """Whether `level` is a step up: better means the greater reward, not the higher threshold."""
    if level is None:
        return False
    return than is None or level.reward_percent > than.reward_percent


def _rank(level):
    return (level.threshold, level.reward_percent, str(level.pk))
