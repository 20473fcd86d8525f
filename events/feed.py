"""The change feed: every event of a tenant once, in an order that never gets an entry behind.

An event gets its number when it is written, but becomes visible when its transaction commits, and
a transaction that began early may commit late: who reads by such numbers passes over it. So an
event gets its `position` only after it is committed, from whoever looks first (a reader, or the
worker's tick), while holding the tenant's one `Feed` row. Positions are therefore given out in
the order in which they become visible, without gaps, and who has read up to one has read all
before it. They are plain data: a dump that is restored elsewhere goes on where it was.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection, models, transaction
from django.db.models import Max, Min
from django.utils.translation import gettext_lazy as _

from events.kinds import names_of, quiet_names
from events.models import Event, Feed
from tenancy import clock
from tenancy.scoping import current_tenant

BATCH = 5_000
# How many positions one page looks at: a filter that fits almost nothing must not read everything.
WINDOW = 10_000
LATEST = "latest"
_CURSOR = re.compile(r"1:(0|[1-9][0-9]{0,17}):([0-9a-f]{12}|)\Z")
_NUMBERING = """
WITH due AS (
    SELECT id FROM {table} WHERE tenant_id = %s AND position IS NULL ORDER BY id LIMIT %s {lock}
), numbered AS (
    SELECT id, %s + ROW_NUMBER() OVER (ORDER BY id) AS place FROM due
)
UPDATE {table} SET position = numbered.place FROM numbered
WHERE {table}.id = numbered.id AND {table}.tenant_id = %s
"""


class FeedExpired(Exception):
    """The cursor leads to a place that is no longer (or not any more) in the feed: the reader
    must begin again with a full list."""


@dataclass(frozen=True, slots=True)
class Page:
    """A stretch of the feed: its events, the cursor to go on with, and whether there is more."""

    events: list
    cursor: str
    more: bool


# --- Positions ---------------------------------------------------------------------------------
def number_events(*, batches=None):
    """Give the committed events of the active tenant their positions; True when all have one now.

    Costs one look into an empty index when there is nothing to do. `batches` bounds the work of one
    call; what is left has its turn later.
    """
    while Event.objects.filter(position=None).exists():
        if batches == 0:
            return False
        if _number_some(current_tenant()) < BATCH:
            return True
        batches = batches and batches - 1
    return True


def _number_some(tenant):
    with transaction.atomic():
        feed = Feed.objects.select_for_update().get_or_create(tenant=tenant)[0]
        # The rows are locked in order before they are written, as an erasure does that passes by.
        sql = _NUMBERING.format(
            table=Event._meta.db_table,
            lock="FOR UPDATE" if connection.features.has_select_for_update else "",
        )
        tenant_id = models.UUIDField().get_db_prep_value(tenant.pk, connection)
        with connection.cursor() as cursor:
            cursor.execute(sql, [tenant_id, BATCH, feed.last_position, tenant_id])
        highest = Event.objects.aggregate(highest=Max("position"))["highest"] or 0
        if highest > feed.last_position:
            Feed.objects.filter(pk=feed.pk).update(last_position=highest)
    return max(0, highest - feed.last_position)


# --- Reading -----------------------------------------------------------------------------------
def read_changes(*, cursor=None, limit=100, patterns=(), subject_types=()):
    """A Page of the active tenant's events after `cursor`, oldest first.

    `cursor` None begins with the oldest event that is kept, "latest" after the newest. `patterns`
    are kinds (see `events.kinds.clean_patterns`), none of them means all that are not quiet;
    `subject_types` likewise.
    A page without events, or with fewer than `limit`, can still have more behind it: one page looks
    at WINDOW positions at most. The page's cursor leads behind everything that was looked at.

    Raises ValidationError naming `cursor` for text that is none, FeedExpired for a cursor whose
    place is gone.
    """
    numbered_all = number_events(batches=WINDOW // BATCH)
    feed = Feed.objects.first() or Feed()
    start = _place_of(cursor, feed)
    end = min(feed.last_position, start + WINDOW)
    wanted = events_between(start, end, patterns)
    if subject_types:
        wanted = wanted.filter(subject_type__in=subject_types)
    events = list(wanted[:limit])
    if len(events) == limit:
        end = events[-1].position
    now_pruned = Feed.objects.values_list("pruned_position", flat=True).first() or 0
    if start < now_pruned:
        raise FeedExpired  # cleared away while we read: something may be missing above
    more = end < feed.last_position or not numbered_all
    return Page(events, _cursor_at(end, events), more)


def events_between(start, end, patterns=()):
    """The events with a position after `start` up to `end`, in order, as a queryset; without
    patterns all but the quiet kinds."""
    events = Event.objects.filter(position__gt=start, position__lte=end).order_by("position")
    if patterns:
        return events.filter(kind__in=names_of(patterns))
    return events.exclude(kind__in=quiet_names())


def last_position():
    """The highest position that is given out in the active tenant."""
    return Feed.objects.values_list("last_position", flat=True).first() or 0


# --- Cursors -----------------------------------------------------------------------------------
def cursor_of(event):
    """The cursor that leads behind this event."""
    return _written(event.position, event.uid.hex[:12])


def _cursor_at(position, events):
    if events and events[-1].position == position:
        return cursor_of(events[-1])
    event = Event.objects.filter(position=position).first()
    return cursor_of(event) if event else _written(position, "")


def _written(position, mark):
    return base64.urlsafe_b64encode(f"1:{position}:{mark}".encode()).rstrip(b"=").decode()


def _place_of(cursor, feed):
    """The position that a cursor means. Its mark is the beginning of that event's uid: a database
    that was restored from yesterday's copy gives the positions of today to other events."""
    if cursor is None:
        return feed.pruned_position
    if cursor == LATEST:
        return feed.last_position
    position, mark = _parsed(cursor)
    if not feed.pruned_position <= position <= feed.last_position:
        raise FeedExpired
    if mark:
        event = Event.objects.filter(position=position).only("uid").first()
        if event.uid.hex[:12] != mark if event else position != feed.pruned_position:
            raise FeedExpired
    return position


def _parsed(cursor):
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except (ValueError, binascii.Error):
        text = ""
    match = _CURSOR.match(text)
    if match is None:
        invalid = ValidationError(_("This is no cursor of this feed."), code="invalid")
        raise ValidationError({"cursor": invalid})
    return int(match[1]), match[2]


# --- Clearing away -----------------------------------------------------------------------------
def prune_events(*, not_beyond=None):
    """Remove the active tenant's events older than EVENTS_KEEP_DAYS; returns how many.

    Always the beginning of the feed and never beyond the position `not_beyond`. An event whose time
    was cut to the month by an erasure is not older for that: what came before it decides.
    """
    number_events()
    oldest_kept = clock.now() - timedelta(days=settings.EVENTS_KEEP_DAYS)
    kept = Event.objects.filter(at__gte=oldest_kept, position__isnull=False)
    first_kept = kept.aggregate(first=Min("position"))["first"]
    through = last_position() if first_kept is None else first_kept - 1
    if not_beyond is not None:
        through = min(through, not_beyond)
    # First said, then done: a reader behind it is told to begin again before anything is missing.
    Feed.objects.filter(pruned_position__lt=through).update(pruned_position=through)
    n_removed = 0
    while keys := list(
        Event.objects.filter(position__lte=through).order_by("position").values_list("pk")[:BATCH]
    ):
        n_removed += Event.objects.filter(pk__in=[key for (key,) in keys]).delete()[0]
    return n_removed
