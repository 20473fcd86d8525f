"""The worker: threads that run jobs, and one that looks after clocks, leases and the threads.

It ends when it is told to, after the jobs that it is running; it outlives a job that fails or
hangs, and a database that goes away for a while.
"""

import logging
import random
import threading
import time
from datetime import timedelta

from django.db import close_old_connections, connection, connections

from events.jobs.housekeeping import take_back_abandoned
from events.jobs.running import perform, place_of, settle, settle_and_take, take_next
from events.jobs.scheduling import order_daily, order_ticks
from events.jobs.status import nothing_left
from tenancy import clock

logger = logging.getLogger("regulars.jobs")

# How long a job may be over its lease before its thread is taken for lost.
GRACE = timedelta(seconds=5)
LONGEST_WAIT = 30
LONGEST_COURTESY = 0.1
# What leases bear easily; a clock that is further off takes jobs from workers who are at them.
MOST_OFF = timedelta(seconds=10)
# So many lost threads per thread, and the worker ends, to be started afresh.
MOST_LOST = 4


class TooManyHang(Exception):
    """Job after job hangs; only a new process helps."""


def warn_of_clock():
    """Say so where this machine's clock and the database's differ: leases and times are the
    machines'. SQLite has no other clock than ours."""
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        ahead = clock.now() - cursor.fetchone()[0]
    if abs(ahead) > MOST_OFF:
        logger.error(
            "this machine's clock is %+.0f s off the database's; workers need theirs in step",
            ahead.total_seconds(),
        )


class Turn:
    """Who may ask the queue. PostgreSQL keeps no line, and needs none.

    SQLite has one writer and nobody who keeps a line before it: whoever waits asks again ten times
    a second, and whoever has just finished is the first to ask. So our threads stand in a line of
    their own, and after each transaction they leave the door open for as long as it took: a till
    that writes meanwhile waits for a moment, not until the queue is empty.
    """

    def __init__(self):
        self.line = threading.Lock() if connection.vendor == "sqlite" else None

    def take(self, deed, *args):
        """Do it, in turn."""
        if self.line is None:
            return deed(*args)
        with self.line:
            begun = time.monotonic()
            try:
                return deed(*args)
            finally:
                time.sleep(min(time.monotonic() - begun, LONGEST_COURTESY))


class Hand(threading.Thread):
    """One thread that runs jobs; `holding` is the JobRun of the one it is at."""

    def __init__(self, worker):
        super().__init__(daemon=True)
        self.worker = worker
        self.holding = None
        self.lost = False

    def hangs(self):
        """Whether the job in hand has been somebody else's for a while."""
        holding = self.holding
        return holding is not None and holding.job.lease_until + GRACE < clock.now()

    def told(self):
        """What it is at, for the log."""
        holding = self.holding
        return f"job {holding.job.name} {holding.job_id}" if holding else "a job"

    def run(self):
        try:
            self._work()
        finally:
            connections.close_all()

    def _work(self):
        worker = self.worker
        while not (worker.stopping.is_set() or self.lost):
            self.holding = worker.patiently(take_next, in_turn=True)
            while self.holding is not None:
                outcome = perform(self.holding)
                ending = worker.stopping.is_set() or self.lost
                deed = settle if ending else settle_and_take
                following = worker.patiently(deed, self.holding, outcome, in_turn=True)
                self.holding = None if ending else following
            if worker.until_empty and worker.patiently(nothing_left):
                return
            close_old_connections()
            worker.stopping.wait(worker.poll * random.uniform(0.8, 1.2))


class Worker:
    """Runs due jobs on `threads` threads until `stop()`, or until nothing is due or running.

    `poll`: seconds between looks into an empty queue. `look`: seconds between looks at the leases
    and the calendar.
    """

    def __init__(self, *, threads=4, poll=1.0, look=15.0, until_empty=False):
        self.poll = poll
        self.look = timedelta(seconds=look)
        self.until_empty = until_empty
        self.stopping = threading.Event()
        self.turn = Turn()
        self.hands = [Hand(self) for _ in range(threads)]
        self.lost = []
        self._slots = {}
        self._looked_at = None

    def stop(self):
        """End after the jobs that are running; may be called from anywhere."""
        self.stopping.set()

    def run(self):
        """Work until the end. Raises TooManyHang when threads are lost without end."""
        logger.info("worker with %d threads begins", len(self.hands))
        self.patiently(self.look_after)
        for hand in self.hands:
            hand.start()
        while not self.stopping.wait(min(1.0, self.poll)):
            self.patiently(self.look_after)
            self.replace_lost()
            if self.until_empty and not any(hand.is_alive() for hand in self.hands):
                break
        self.finish()

    def finish(self):
        """Wait for the running jobs; those that hang are left to their lease."""
        for hand in self.hands:
            while hand.is_alive() and not hand.hangs():
                hand.join(0.2)
        connections.close_all()
        logger.info("worker ends")

    def look_after(self):
        """Order what the clock asks for, and take back what nobody holds any more."""
        order_ticks(self._slots)
        instant = clock.now()
        # By what has gone by either way: a clock that was put back must not stop the looking.
        if self._looked_at is None or abs(instant - self._looked_at) >= self.look:
            self._looked_at = instant
            warn_of_clock()
            take_back_abandoned()
            order_daily()
        close_old_connections()

    def replace_lost(self):
        """Put a new thread beside each one that hangs in its job or has ended."""
        for index, hand in enumerate(self.hands):
            if not hand.hangs() and (hand.is_alive() or self.until_empty):
                continue
            hand.lost = True
            if hand.is_alive():
                self.lost.append(hand)
                logger.error("%s hangs; its thread is left behind", hand.told())
            self.hands[index] = Hand(self)
            self.hands[index].start()
        self.lost = [hand for hand in self.lost if hand.is_alive()]
        if len(self.lost) > MOST_LOST * len(self.hands):
            self.stop()
            raise TooManyHang

    def patiently(self, deed, *args, in_turn=False):
        """Do it, however long the database is away; None when the worker is stopped meanwhile."""
        wait = 0.5
        while True:
            try:
                return self.turn.take(deed, *args) if in_turn else deed(*args)
            except Exception as error:  # the database is away, or worse; another try is due
                logger.warning(
                    "cannot %s: %s at %s; again in %.1f s",
                    *(deed.__name__, type(error).__name__, place_of(error), wait),
                )
                connections.close_all()
            if self.stopping.wait(wait * random.uniform(0.8, 1.2)):
                return None
            wait = min(wait * 2, LONGEST_WAIT)
