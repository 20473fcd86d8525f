"""Which jobs there are, how each is tried again, and which of them a clock orders."""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import time

NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+")


@dataclass(frozen=True, slots=True)
class Retry:
    """The seconds to wait before each further attempt; after the last the job is given up.

    Each wait is longer by up to `jitter` of itself, so that what failed together does not come back
    together.
    """

    delays: tuple = (30, 120, 600, 3600)
    jitter: float = 0.2

    def delay(self, failures):
        """Seconds until the attempt after this many failures; None: no further one."""
        if failures > len(self.delays):
            return None
        seconds = self.delays[failures - 1]
        return seconds * (1 + self.jitter * random.random())


@dataclass(frozen=True, slots=True)
class JobType:
    """A function that runs in the background: `function(run, **ids)`.

    Who runs it and neither finishes nor reports progress for `lease` seconds is taken for dead. One
    that is `routine` is ordered all the time, and nobody asks for those that went well.
    """

    name: str
    function: Callable
    retry: Retry = field(default_factory=Retry)
    lease: int = 120
    routine: bool = False


@dataclass(frozen=True, slots=True)
class Daily:
    """Once per tenant and local date, at this time of the tenant's day."""

    name: str
    at: time


@dataclass(frozen=True, slots=True)
class Tick:
    """Once in so many seconds, for the whole installation."""

    name: str
    seconds: int


_types = {}
_daily = {}
_ticks = {}
# What a worker does with a name that its version of the product does not know.
UNKNOWN_RETRY = Retry()


def job(name, *, retry=None, lease=120, routine=False):
    """Register the decorated function as the job `name` ("app.deed").

    It is called as `function(run, **ids)` outside of any transaction, inside the tenant's scope,
    as the system; it must bear being run again (docs/jobs.md). Raises ValueError for a name that is
    malformed or taken.
    """
    if not NAME.fullmatch(name) or len(name) > 64:
        raise ValueError(f"{name!r} is no name for a job; use app.deed")

    def register(function):
        known = _types.get(name)
        if known is not None and known.function.__module__ != function.__module__:
            raise ValueError(f"there is a job {name!r} in {known.function.__module__} already")
        _types[name] = JobType(name, function, retry or Retry(), lease, routine)
        return function

    return register


def job_type(name):
    """The JobType of a name; raises LookupError where there is none."""
    try:
        return _types[name]
    except KeyError:
        raise LookupError(f"there is no job {name!r}") from None


def job_names():
    """Every name, sorted."""
    return sorted(_types)


def routine_names():
    """The names of the jobs that are routine."""
    return [kind.name for kind in _types.values() if kind.routine]


def schedule_daily(name, *, at):
    """Order the job `name` for every active tenant, once per local date, at "HH:MM" there."""
    _daily[name] = Daily(name, time.fromisoformat(at))


def every(seconds, name):
    """Order the job `name` for the installation, once in every `seconds`."""
    if seconds < 1:
        raise ValueError("a tick takes a second at least")
    _ticks[name] = Tick(name, seconds)


def daily_schedules():
    """Every Daily."""
    return list(_daily.values())


def ticks():
    """Every Tick."""
    return list(_ticks.values())
