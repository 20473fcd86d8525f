"""What the programme does by the calendar."""

import logging

from events.jobs import PermanentFailure, Retry, job, schedule_daily
from loyalty.models import LoyaltyAccount
from loyalty.services.checking import reconcile
from loyalty.services.expiring import expire_points, unlock_points
from loyalty.services.recalculating import recalculate_levels

logger = logging.getLogger(__name__)


@job("loyalty.check_ledger", retry=Retry(delays=(600, 3_600)))
def check_ledger(run):
    """Add every account up again; what is wrong ends the job as failed, so that somebody sees it.

    Goes on behind the last page that an earlier attempt has looked at.
    """

    def on_page(done, total, last):
        run.progress(done, total)
        run.checkpoint({"after": last})

    report = reconcile(run.tenant, after=run.data.get("after"), on_page=on_page)
    wrong = {found.account or found.what for found in report["mismatches"]}
    # Those too that an earlier attempt has found, and nobody has released.
    frozen = LoyaltyAccount.objects.filter(frozen_at__isnull=False).values_list("pk", flat=True)
    wrong |= set(map(str, frozen))
    if wrong:
        message = f"{len(wrong)} accounts or sums do not add up; see check_ledger"
        logger.error("%s: %s", run.tenant.code, message)
        raise PermanentFailure(message)


schedule_daily("loyalty.check_ledger", at="03:30")


# Each goes on where an earlier attempt was cut off: what is done is not due any more.
@job("loyalty.unlock_points")
def unlock(run):
    """Let the points be spent whose lock has ended."""
    _told(unlock_points(on_chunk=run.progress))


@job("loyalty.expire_points")
def expire(run):
    """Write down what has expired, and move the levels that follow."""
    _told(expire_points(on_chunk=run.progress))


@job("loyalty.recalculate_levels")
def recalculate(run):
    """Look again at the levels whose time has come."""
    _told(recalculate_levels(on_chunk=run.progress))


def _told(report):
    if report["failed"]:
        raise PermanentFailure(f"{len(report['failed'])} accounts do not add up; see check_ledger")


schedule_daily("loyalty.unlock_points", at="01:30")
schedule_daily("loyalty.expire_points", at="02:00")
schedule_daily("loyalty.recalculate_levels", at="02:30")
