"""What the programme does by the calendar."""

import logging

from events.jobs import PermanentFailure, Retry, job, schedule_daily
from loyalty.models import LoyaltyAccount
from loyalty.services.checking import reconcile

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
