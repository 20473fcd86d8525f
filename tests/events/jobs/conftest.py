"""Jobs that the tests of this folder order: what each did stands in `seen`."""

import pytest

from events.jobs import job
from events.jobs.registry import Retry, _daily, _ticks, _types
from tests.api_client import admin, as_role, seller  # noqa: F401


@pytest.fixture
def new_job():
    """A function (name, function, **options) that registers a job for this test alone. Of the daily
    ones there are only those of the test."""
    before = dict(_types), dict(_daily), dict(_ticks)
    _daily.clear()

    def register(name, function, **options):
        options.setdefault("retry", Retry(delays=(10, 60), jitter=0))
        return job(name, **options)(function)

    yield register
    for table, contents in zip((_types, _daily, _ticks), before, strict=True):
        table.clear()
        table.update(contents)


@pytest.fixture
def seen(new_job):
    """The job tests.look is registered; the list of (attempt, ids) with which it ran."""
    calls = []
    new_job("tests.look", lambda run, **ids: calls.append((run.attempt, ids)))
    return calls
