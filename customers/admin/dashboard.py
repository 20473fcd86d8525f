"""What the start page tells of the whole business: registrations, levels, and what waits.

Totals are counted at most once in `KEPT` seconds per tenant, over an index; what waits is counted
up to `MOST` and no further, so that no page walks a large table.
"""

from datetime import timedelta

from django.core.cache import cache
from django.db.models import Count
from django.db.models.functions import TruncDate
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from customers.models import Customer, DataRequest, ImportRun, PossibleDuplicate
from events.models import Job
from events.models.jobs import JobState
from loyalty.amounts import points_told
from loyalty.models import Level, LoyaltyAccount
from loyalty.sums import EXPIRING_SOON, expiring_by
from tenancy import clock
from tenancy.scoping import current_tenant

KEPT = 600  # seconds
MOST = 100
N_WEEKS = 12
WEEK = timedelta(days=7)
DUE_SOON = timedelta(days=7)
# As long as the file is kept, something can be done about it.
FAILED_LATELY = timedelta(days=7)


def dashboard_of(user):
    """The parts of the dashboard that this person may see, for the template of the start page."""
    parts = {"waiting": list(waiting(user))}
    if user.has_perm("customers.export_all"):
        parts["registrations"] = registrations()
    if user.has_perm("customers.export_all") and user.has_perm("loyalty.retrieve"):
        parts["levels"] = level_distribution()
        parts["expiring"] = expiring_points()
    return parts


# --- Totals, kept for a while --------------------------------------------------------------------
def _kept(name, count):
    """What `count()` answers, counted once in a while for each tenant."""
    return cache.get_or_set(f"dashboard:{current_tenant().pk}:{name}", count, KEPT)


def registrations():
    """Customers registered in each of the last weeks, this one last: bars of {label, count,
    percent of the highest}. A week begins on Monday in the tenant's time zone."""
    today = timezone.localtime(clock.now()).date()
    this_week = today - timedelta(days=today.weekday())
    weeks = [this_week - n * WEEK for n in reversed(range(N_WEEKS))]
    per_week = _kept(f"registrations:{this_week}", lambda: _count_registrations(weeks[0]))
    return _bars([(date_format(week, "j M"), per_week.get(week, 0)) for week in weeks])


def _count_registrations(since):
    start = clock.now() - (N_WEEKS + 1) * WEEK
    per_day = (
        Customer.objects.filter(created_at__gte=start)
        .order_by()
        .values_list(TruncDate("created_at"))
        .annotate(n=Count("pk"))
    )
    per_week = {}
    for day, n in per_day:
        if day >= since:
            week = day - timedelta(days=day.weekday())
            per_week[week] = per_week.get(week, 0) + n
    return per_week


def level_distribution():
    """How many customers stand on each level, in the order of the levels: bars as above."""
    counts = _kept("levels", _count_levels)
    names = dict(Level.objects.order_by("threshold", "id").values_list("pk", "name"))
    rows = [(name, counts.get(pk, 0)) for pk, name in names.items()]
    on_none = sum(n for pk, n in counts.items() if pk not in names)
    if on_none:
        rows.append((_("no level"), on_none))
    return _bars(rows)


def _count_levels():
    accounts = LoyaltyAccount.objects.filter(merged_into=None, customer__isnull=False).order_by()
    return dict(accounts.values_list("level").annotate(n=Count("pk")))


def expiring_points():
    """What expires soon, as {points, n (customers), n_told, days, url of the list of them}; None
    where nothing does."""
    points, n = _kept("expiring", _count_expiring)
    if not points:
        return None
    listed = reverse("admin:customers_customer_changelist")
    return {
        "points": points_told(points),
        "n": n,
        "n_told": f"{n:,}",
        "days": EXPIRING_SOON.days,
        "url": f"{listed}?expiring=soon&hidden=all",
    }


def _count_expiring():
    now = clock.now()
    return expiring_by(now, now + EXPIRING_SOON)


def _bars(rows):
    highest = max((n for _label, n in rows), default=0) or 1
    return [
        {"label": label, "count": n, "percent": round(100 * n / highest, 1)} for label, n in rows
    ]


# --- What waits for somebody ---------------------------------------------------------------------
def waiting(user):
    """{text, url, icon, kind} of what somebody should look at; nothing where there is none."""
    for permission, icon, kind, name, query, rows, words in _queues():
        n = rows[: MOST + 1].count() if user.has_perm(permission) else 0
        if n:
            yield {
                "text": words(n) % {"n": f"{MOST}+" if n > MOST else n},
                "url": reverse(f"admin:{name}_changelist") + query,
                "icon": icon,
                "kind": kind,
            }


def _queues():
    """(permission, icon, kind, list, its query, rows, words) of each, the most urgent first."""
    now = clock.now()
    soon = timezone.localtime(now).date() + DUE_SOON
    state = ImportRun.State
    yield (
        *("customers.view_datarequest", "gavel", "danger", "customers_datarequest", ""),
        DataRequest.objects.due_by(soon),
        lambda n: ngettext("%(n)s data request is due", "%(n)s data requests are due", n),
    )
    yield (
        *("events.view_job", "error", "danger", "events_job", "?state=dead"),
        Job.objects.filter(state=JobState.DEAD),
        lambda n: ngettext("%(n)s job was given up", "%(n)s jobs were given up", n),
    )
    yield (
        *("customers.view_importrun", "report", "danger"),
        *("customers_importrun", "?state=failed&kind=real"),
        ImportRun.objects.failed_since(now - FAILED_LATELY),
        lambda n: ngettext(
            "%(n)s import failed within a week", "%(n)s imports failed within a week", n
        ),
    )
    yield (
        *("customers.view_importrun", "upload_file", "info", "customers_importrun", ""),
        ImportRun.objects.filter(state__in=[state.WAITING, state.RUNNING]),
        lambda n: ngettext("%(n)s import is running", "%(n)s imports are running", n),
    )
    yield (
        *("customers.view_possibleduplicate", "join_inner", "warning"),
        *("customers_possibleduplicate", ""),
        PossibleDuplicate.objects.to_decide(),
        lambda n: ngettext("%(n)s duplicate to decide", "%(n)s duplicates to decide", n),
    )
