"""Counters that are raised before the thing they limit happens, so parallel tries cannot pass."""

from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import F

from tenancy import clock, secrets
from tenancy.models import RateCounter


class TooManyTries(Exception):
    """The limit of a window is reached; `retry_after` is in seconds."""

    def __init__(self, retry_after):
        super().__init__("Too many tries.")
        self.retry_after = max(1, int(retry_after))


def _key(rule, subject):
    return f"{rule}:{secrets.digest(str(subject), purpose='rate')[:40]}"


def count_or_refuse(rule, subject, *, limit, seconds):
    """Count one try of `rule` by `subject`; raise TooManyTries beyond `limit` per window.

    One conditional UPDATE decides, so that a thousand parallel tries get exactly `limit` passes.
    Call it outside a transaction: a try that later fails must stay counted.
    """
    key, instant = _key(rule, subject), clock.now()
    window_end = instant + timedelta(seconds=seconds)
    for _attempt in range(3):
        if RateCounter.objects.filter(key=key, expires_at__gt=instant, count__lt=limit).update(
            count=F("count") + 1
        ):
            return
        if RateCounter.objects.filter(key=key, expires_at__lte=instant).update(
            count=1, expires_at=window_end
        ):
            return
        row = RateCounter.objects.filter(key=key).first()
        if row is not None and row.expires_at > instant and row.count >= limit:
            raise TooManyTries((row.expires_at - instant).total_seconds())
        if row is None:
            try:
                with transaction.atomic():
                    RateCounter.objects.create(key=key, count=1, expires_at=window_end)
                return
            except IntegrityError:
                continue
    raise TooManyTries(1)


def forget_count(rule, subject):
    """Start afresh: after a success the earlier failures no longer count."""
    RateCounter.objects.filter(key=_key(rule, subject)).delete()


def give_back(rule, subject):
    """Uncount one try that turned out right, so that only failures use the budget up."""
    RateCounter.objects.filter(key=_key(rule, subject), count__gt=0).update(count=F("count") - 1)


def delete_old_counters():
    """Remove counters whose window has ended; returns how many."""
    return RateCounter.objects.filter(expires_at__lt=clock.now()).delete()[0]
