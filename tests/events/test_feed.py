"""The change feed: nothing is missed, nothing comes twice, wherever a reader stops."""

import random
import threading
import uuid
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, connections, transaction

from customers.services import (
    anonymise_customer,
    deactivate_customer,
    delete_customer,
    register_customer,
    update_customer,
)
from events import feed
from events.feed import FeedExpired, cursor_of, number_events, prune_events, read_changes
from events.models import Event, Feed
from events.services import build_event
from groups.services import create_group
from tenancy.clock import frozen, now
from tenancy.scoping import in_tenant
from tests.factories import CustomerFactory, TenantFactory


def write(tenant, n=1, *, kind="group.updated", at=None):
    """Events as a service writes them."""
    with frozen(at or now()):
        events = [build_event(tenant, kind, kind.split(".")[0], uuid.uuid4()) for _ in range(n)]
    for event in events:
        event.save(force_insert=True)
    return events


def read_all(cursor=None, **options):
    """Everything after a cursor, and the cursor behind it."""
    events, more = [], True
    while more:
        page = read_changes(cursor=cursor, **options)
        events += page.events
        cursor, more = page.cursor, page.more
    return events, cursor


def told(events):
    return [(event.kind, event.subject_id) for event in events]


@pytest.mark.django_db
class TestReading:
    def test_an_empty_feed_answers_a_cursor_to_go_on_with(self, acme):
        page = read_changes()

        assert (page.events, page.more) == ([], False)
        first = write(acme)
        assert told(read_changes(cursor=page.cursor).events) == told(first)

    def test_events_come_oldest_first_and_the_cursor_goes_on_behind_them(self, acme):
        written = write(acme, 5)

        page = read_changes(limit=3)
        rest = read_changes(cursor=page.cursor, limit=3)

        assert told(page.events + rest.events) == told(written)
        assert (page.more, rest.more) == (True, False)

    def test_every_event_has_a_cursor_of_its_own(self, acme):
        written = write(acme, 5)
        third = read_changes().events[2]

        assert told(read_changes(cursor=cursor_of(third)).events) == told(written[3:])

    def test_an_empty_page_answers_the_same_cursor(self, acme):
        write(acme, 2)
        cursor = read_changes().cursor

        page = read_changes(cursor=cursor)

        assert (page.events, page.cursor, page.more) == ([], cursor, False)

    def test_latest_begins_behind_everything_there_is(self, acme):
        write(acme, 2)
        cursor = read_changes(cursor="latest").cursor
        later = write(acme)

        assert told(read_changes(cursor=cursor).events) == told(later)

    def test_erased_and_deleted_customers_are_told(self, acme, ada, grace):
        anonymise_customer(ada)
        delete_customer(grace)

        events, _cursor = read_all()

        assert ("customer.anonymised", ada.pk) in told(events)
        assert ("customer.deleted", grace.pk) in told(events)

    def test_positions_have_no_gaps_and_start_at_one(self, acme):
        for n in (3, 1, 4):
            write(acme, n)
            number_events()

        assert [event.position for event in read_changes().events] == list(range(1, 9))

    def test_a_rolled_back_change_is_never_told(self, acme):
        with transaction.atomic():
            write(acme)
            transaction.set_rollback(True)

        assert read_changes().events == []

    def test_another_tenants_events_are_not_there(self, acme, rival):
        with in_tenant(rival):
            write(rival, 3)
            their_cursor = read_changes().cursor
        written = write(acme)

        assert told(read_changes().events) == told(written)
        assert Event.objects.get().position == 1
        with pytest.raises(FeedExpired):
            read_changes(cursor=their_cursor)

    def test_nothing_to_number_costs_one_look(self, acme, django_assert_num_queries):
        write(acme, 3)
        cursor = read_changes().cursor

        # is anything new; how far; the cursor's event; the page; cleared meanwhile; the last one
        with django_assert_num_queries(6):
            read_changes(cursor=cursor)

    def test_one_call_numbers_a_bounded_part_and_says_that_there_is_more(self, acme, monkeypatch):
        monkeypatch.setattr(feed, "BATCH", 2)
        monkeypatch.setattr(feed, "WINDOW", 4)
        written = write(acme, 11)

        first = read_changes()
        rest, _cursor = read_all(first.cursor)

        assert (len(first.events), first.more) == (4, True)
        assert told(first.events + rest) == told(written)


@pytest.mark.django_db
class TestFilters:
    def test_a_pattern_takes_a_kind_or_all_of_a_group(self, acme, ada):
        create_group(code="news")
        deactivate_customer(ada)

        def kinds(*patterns):
            return {event.kind for event in read_changes(patterns=patterns).events}

        assert kinds("customer.*") == {"customer.registered", "customer.deactivated"}
        assert kinds("group.created", "customer.deactivated") == {
            "group.created",
            "customer.deactivated",
        }
        assert kinds("*") == kinds()

    def test_subjects_can_be_chosen_by_type(self, acme, ada):
        create_group(code="news")

        events = read_changes(subject_types=["group"]).events

        assert [event.kind for event in events] == ["group.created"]

    def test_a_rare_kind_does_not_read_everything_at_once(self, acme, monkeypatch):
        monkeypatch.setattr(feed, "WINDOW", 4)
        monkeypatch.setattr(feed, "BATCH", 4)
        write(acme, 10)
        rare = write(acme, kind="group.deleted")
        write(acme, 10)

        page = read_changes(patterns=["group.deleted"])
        events, _cursor = read_all(patterns=["group.deleted"])

        assert (page.events, page.more) == ([], True)
        assert told(events) == told(rare)

    def test_a_reader_of_rare_kinds_moves_on_with_the_feed(self, acme):
        write(acme, 5)

        page = read_changes(patterns=["group.deleted"])

        assert page.cursor == read_changes(cursor="latest").cursor


@pytest.mark.django_db
class TestCursors:
    @pytest.mark.parametrize(
        "cursor",
        [
            "x",
            "1",
            "öl",
            "MTowOm5vcGU",
            "MTotMTo",
            "MjoxOg",
            "MTowMTo",
            "MTo5OTk5OTk5OTk5OTk5OTk5OTk6",
            "%",
        ],
    )
    def test_what_is_no_cursor_is_refused_or_gone(self, acme, cursor):
        with pytest.raises((ValidationError, FeedExpired)):
            read_changes(cursor=cursor)

    def test_a_cursor_of_a_later_day_than_the_restored_copy_is_gone(self, acme):
        write(acme, 3)
        read_changes()
        yesterday = list(Event.objects.values())
        write(acme, 2)
        cursor = read_changes().cursor

        _restore(acme, yesterday)
        with pytest.raises(FeedExpired):
            read_changes(cursor=cursor)
        # Also when the positions have caught up meanwhile, with other events.
        write(acme, 4)
        with pytest.raises(FeedExpired):
            read_changes(cursor=cursor)

    def test_a_cursor_of_before_the_copy_goes_on_in_the_restored_database(self, acme):
        write(acme, 2)
        cursor = read_changes().cursor
        third = write(acme)
        read_changes()

        _restore(acme, list(Event.objects.values()))
        fourth = write(acme)

        assert told(read_changes(cursor=cursor).events) == told(third + fourth)


def _restore(tenant, rows):
    """The events as a dump holds them, in a database that knows nothing of earlier ones."""
    Event.objects.all().delete()
    Event.objects.bulk_create(Event(**row) for row in rows)
    Feed.objects.update(last_position=len(rows))


@pytest.mark.django_db
class TestPruning:
    def test_what_is_too_old_goes_and_a_reader_behind_it_is_told(self, acme, settings):
        settings.EVENTS_KEEP_DAYS = 30
        write(acme, 3, at=now() - timedelta(days=31))
        old = read_changes(limit=2).cursor
        edge = read_changes(limit=3).cursor
        kept = write(acme, 2, at=now() - timedelta(days=29))

        n_removed = prune_events()

        assert n_removed == 3
        assert told(read_changes().events) == told(kept)
        # Whoever had read all that went misses nothing.
        assert told(read_changes(cursor=edge).events) == told(kept)
        with pytest.raises(FeedExpired):
            read_changes(cursor=old)

    def test_when_all_went_the_cursors_still_work(self, acme, settings):
        settings.EVENTS_KEEP_DAYS = 30
        write(acme, 3, at=now() - timedelta(days=31))
        cursor = read_changes().cursor

        assert prune_events() == 3

        empty = read_changes(cursor=cursor)
        assert empty.events == []
        later = write(acme)
        assert told(read_changes(cursor=empty.cursor).events) == told(later)
        assert told(read_changes().events) == told(later)
        assert Event.objects.get().position == 4

    def test_an_event_whose_time_was_cut_to_the_month_stays_in_its_row(self, acme, settings):
        settings.EVENTS_KEEP_DAYS = 30
        written = write(acme, 3)
        read_changes()
        Event.objects.filter(position=2).update(at=now() - timedelta(days=31))

        assert prune_events() == 0
        assert told(read_changes().events) == told(written)

    def test_somebody_may_still_need_them(self, acme, settings):
        settings.EVENTS_KEEP_DAYS = 30
        write(acme, 5, at=now() - timedelta(days=31))

        assert prune_events(not_beyond=2) == 2

    def test_what_is_cleared_away_during_a_page_is_not_passed_over(self, acme, monkeypatch):
        write(acme, 3)
        cursor = read_changes(limit=1).cursor
        read = feed.events_between

        def cleared_meanwhile(*args):
            Event.objects.filter(position=2).delete()
            Feed.objects.update(pruned_position=2)
            return read(*args)

        monkeypatch.setattr(feed, "events_between", cleared_meanwhile)

        with pytest.raises(FeedExpired):
            read_changes(cursor=cursor)


# --- Readers and writers at once ---------------------------------------------------------------
class Elsewhere:
    """Another connection that does what it is told, when it is told."""

    def __init__(self, tenant):
        self.tenant = tenant
        self.go_on, self.done = threading.Event(), threading.Event()

    def change_and_wait(self):
        """Write an event, tell that it is written, and commit when told to."""

        def work():
            try:
                with in_tenant(self.tenant), transaction.atomic():
                    write(self.tenant, kind="group.deleted")
                    self.done.set()
                    self.go_on.wait(20)
            finally:
                connections.close_all()

        self.thread = threading.Thread(target=work)
        self.thread.start()
        assert self.done.wait(20)

    def commit(self):
        self.go_on.set()
        self.thread.join()


def naive_page(last_id):
    """The feed as it would be without positions: by the numbers that events get when written."""
    return list(Event.objects.filter(pk__gt=last_id).order_by("pk"))


@pytest.mark.django_db(transaction=True)
def test_what_began_early_and_committed_late_is_not_missed():
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    tenant = TenantFactory(code="acme")
    with in_tenant(tenant):
        early = Elsewhere(tenant)
        early.change_and_wait()
        write(tenant)

        first, cursor = read_all()
        naive_first = naive_page(0)
        early.commit()
        then, _cursor = read_all(cursor)
        naive_then = naive_page(naive_first[-1].pk)

        assert [event.kind for event in first + then] == ["group.updated", "group.deleted"]
        # The control: by the numbers of the rows the late one is passed over for ever.
        assert [event.kind for event in naive_first + naive_then] == ["group.updated"]


@pytest.mark.django_db(transaction=True)
def test_an_open_transaction_keeps_no_reader_waiting():
    tenant = TenantFactory(code="acme")
    with in_tenant(tenant):
        write(tenant)
        read_all()
        late = Elsewhere(tenant)
        late.change_and_wait()

        before, cursor = read_all(read_changes(limit=1).cursor)
        late.commit()
        after, _cursor = read_all(cursor)

    assert before == []
    assert [event.kind for event in after] == ["group.deleted"]


@pytest.mark.django_db(transaction=True)
def test_many_readers_number_at_once_and_each_event_gets_one_place():
    tenant = TenantFactory(code="acme")
    stop, seen, troubles = threading.Event(), [], []

    def read_on():
        events, cursor = [], None
        try:
            with in_tenant(tenant):
                while True:
                    last_round = stop.is_set()
                    more, cursor = read_all(cursor, limit=7)
                    events += more
                    if last_round and not more:
                        break
            seen.append([event.uid for event in events])
        except Exception as error:
            troubles.append(error)
        finally:
            connections.close_all()

    def write_on():
        try:
            with in_tenant(tenant):
                for _ in range(40):
                    with transaction.atomic():
                        write(tenant, random.Random(7).randint(1, 3))
        except Exception as error:
            troubles.append(error)
        finally:
            connections.close_all()

    readers = [threading.Thread(target=read_on) for _ in range(3)]
    writers = [threading.Thread(target=write_on) for _ in range(3)]
    for thread in readers + writers:
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    for thread in readers:
        thread.join()

    assert troubles == []
    with in_tenant(tenant):
        positions = list(Event.objects.order_by("position").values_list("position", flat=True))
        everything = list(Event.objects.order_by("position").values_list("uid", flat=True))
    assert positions == list(range(1, len(positions) + 1))
    assert seen == [everything] * 3


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(5))
def test_a_reader_that_stops_anywhere_reads_all_of_it_once(acme, seed):
    chance = random.Random(seed)
    customers = [CustomerFactory(tenant=acme) for _ in range(3)]
    seen, cursor = [], None

    for _ in range(60):
        deed = chance.choice(("register", "update", "update", "delete", "read", "read"))
        if deed == "read":
            page = read_changes(cursor=cursor, limit=chance.randint(1, 9))
            kept = page.events[: chance.randint(0, len(page.events))]
            seen += kept
            cursor = cursor_of(kept[-1]) if kept else cursor
        elif deed == "register" or not customers:
            customers.append(register_customer(first_name="New"))
        elif deed == "update":
            update_customer(chance.choice(customers), first_name=str(chance.random()))
        else:
            delete_customer(customers.pop())
    seen += read_all(cursor)[0]

    assert [event.pk for event in seen] == list(
        Event.objects.order_by("pk").values_list("pk", flat=True)
    )
