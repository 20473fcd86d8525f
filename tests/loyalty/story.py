"""What the stories about loyalty share: the usual levels, a programme, and what always holds."""

from datetime import UTC, datetime

from django.db import connection
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext

from loyalty.models import Entry, Lot
from loyalty.services import create_level
from tenancy.services import update_tenant

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
USUAL_LEVELS = (("level0", 0, 0), ("level1", 20, 5), ("level2", 200, 10), ("level3", 999, 15))


def make_levels(*levels):
    """Levels by name from (name, threshold, reward percent), in whole units."""
    return {
        name: create_level(name=name, threshold=threshold, reward_percent=percent)
        for name, threshold, percent in levels
    }


def set_programme(tenant, **settings):
    """Change settings of the programme, for the tenant in hand too."""
    update_tenant(tenant, settings=settings)
    tenant.refresh_from_db()


def adds_up(account):
    """Everything that must hold for an account at any moment."""
    account.refresh_from_db()
    sums = Entry.objects.filter(account=account).aggregate(
        points=Sum("points"), locked=Sum("locked_points")
    )
    lots = Lot.objects.filter(account=account)
    left = sum(lot.remaining for lot in lots if not lot.locked)
    held = sum(lot.remaining for lot in lots if lot.locked)
    entries = list(Entry.objects.filter(account=account).order_by("seq"))
    points = locked = 0
    for seq, entry in enumerate(entries, 1):
        points, locked = points + entry.points, locked + entry.locked_points
        if (entry.seq, entry.points_after, entry.locked_after) != (seq, points, locked):
            return False
    return (
        (sums["points"] or 0) == account.points == left
        and (sums["locked"] or 0) == account.locked_points == held
        and len(entries) == account.n_entries
        and account.points >= 0
        and account.locked_points >= 0
    )


def refused(answer):
    """{field: code} of a refusal of the API."""
    return {error["field"]: error["code"] for error in answer.json()["errors"]}


def n_queries(work):
    """How many queries `work()` asks the second time; the first notes that the token was used."""
    work()
    with CaptureQueriesContext(connection) as captured:
        work()
        return len(captured)
