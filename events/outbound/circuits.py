"""A breaker per target: after a few failures in a row nobody asks it for a while, then one probes.

The state stands in the database, so that all processes learn from each other's failures. A target
that works costs one look and no write.
"""

from datetime import timedelta

from django.db.models import F

from events.models import Circuit
from events.outbound.errors import OutboundFailed
from tenancy import clock

FAILURES = 5
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=15)
# How long the others wait for the one who probes.
PROBE = timedelta(seconds=30)


class CircuitOpen(OutboundFailed):
    """Nobody was asked: the target has failed too often lately. `until` is when to try again."""

    def __init__(self, until):
        super().__init__("circuit_open", "The other server has failed too often; it is left alone.")
        self.until = until


def let_through(target):
    """The row of a target that has failed before, or None; asked before each request.

    Raises CircuitOpen when nobody is to ask it now.
    """
    row = Circuit.objects.filter(pk=target).first()
    if row is None or row.open_until is None:
        return row
    instant = clock.now()
    if instant < row.open_until:
        raise CircuitOpen(row.open_until)
    # One of those who see the pause end goes ahead; the others wait for what comes of it.
    mine = Circuit.objects.filter(pk=target, open_until=row.open_until)
    if not mine.update(open_until=instant + PROBE):
        raise CircuitOpen(instant + PROBE)
    return row


def count_failure(target):
    """The target did not answer as it should; the fifth time in a row opens its circuit."""
    instant = clock.now()
    Circuit.objects.get_or_create(pk=target)
    row = Circuit.objects.filter(pk=target)
    row.update(failures=F("failures") + 1, failed_at=instant)
    failures = row.values_list("failures", flat=True).first() or 0
    if failures >= FAILURES:
        pause = min(FIRST_PAUSE * 2 ** min(failures - FAILURES, 10), LONGEST_PAUSE)
        row.update(open_until=instant + pause)


def forget(target):
    """The target works again, or is another one by now: it may be asked at once."""
    Circuit.objects.filter(pk=target).delete()


def open_until(targets):
    """target -> instant for those of the targets whose circuit is open now."""
    rows = Circuit.objects.filter(pk__in=list(targets), open_until__gt=clock.now())
    return dict(rows.values_list("target", "open_until"))
