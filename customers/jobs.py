"""What has to happen to customers without anybody asking."""

from customers.services import forget_merges
from events.jobs import job, schedule_daily


@job("customers.forget_merges")
def forget(run):
    """Drop what undoing would take, where the time to undo is over."""
    forget_merges()


schedule_daily("customers.forget_merges", at="03:10")
