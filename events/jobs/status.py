"""How the jobs are doing, in numbers, for whoever watches over the installation."""

from django.db.models import Count, Min, Q

from events.models import Job
from events.models.jobs import RUNNING, WAITING
from tenancy import clock
from tenancy.scoping import all_tenants

DEAD = Q(state=Job.State.DEAD)


def status():
    """Counts over all tenants, as a dict ready for JSON.

    waiting, due (waiting whose time has come), running, dead; oldest_due_seconds: how long the
    longest of the due ones has been so, 0 where none is; jobs: the same by name.
    """
    instant = clock.now()
    due = WAITING & Q(run_at__lte=instant)
    counts = {
        "waiting": Count("pk", filter=WAITING),
        "due": Count("pk", filter=due),
        "running": Count("pk", filter=RUNNING),
        "dead": Count("pk", filter=DEAD),
        "oldest": Min("run_at", filter=due),
    }
    with all_tenants():
        rows = list(
            Job.objects.filter(WAITING | RUNNING | DEAD)
            .order_by()
            .values("name")
            .annotate(**counts)
            .order_by("name")
        )
    jobs = {row.pop("name"): _told(row, instant) for row in rows}
    total = {
        name: sum(row[name] for row in jobs.values())
        for name in ("waiting", "due", "running", "dead")
    }
    oldest = max((row["oldest_due_seconds"] for row in jobs.values()), default=0)
    return {**total, "oldest_due_seconds": oldest, "jobs": jobs}


def _told(row, instant):
    oldest = row.pop("oldest")
    return {**row, "oldest_due_seconds": int((instant - oldest).total_seconds()) if oldest else 0}


def nothing_left():
    """Whether no job is due and none is running, here or elsewhere."""
    with all_tenants():
        due = Job.objects.waiting().filter(run_at__lte=clock.now())
        return not due.exists() and not Job.objects.running().exists()
