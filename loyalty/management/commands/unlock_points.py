"""unlock_points: let the points be spent whose lock has ended."""

from loyalty.management.settling import DailyCommand
from loyalty.services.expiring import unlock_points


class Command(DailyCommand):
    help = (
        "Settle the accounts on which the lock of points has ended, for one tenant or for all; "
        "what has expired on them expires, and levels by points follow. Nobody waits for it "
        "(such points can be spent, whether or not it ran). A run that was cut off goes on when "
        "called again; a second run does nothing. The worker does it every night. Exit code 1 "
        "when an account does not add up; all others are settled."
    )

    def work(self, **options):
        return unlock_points(**options)
