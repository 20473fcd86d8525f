"""expire_points: write down what has expired."""

from loyalty.management.settling import DailyCommand
from loyalty.services.expiring import expire_points


class Command(DailyCommand):
    help = (
        "Settle every account on which something is due, for one tenant or for all: points that "
        "have expired leave the balance, points whose lock has ended can be spent, and levels "
        "by points follow. Nobody waits for it (expired points cannot be spent, whether or not it "
        "ran); it keeps the entries, the events and the levels up to date. A run that was cut off "
        "goes on when called again; a second run does nothing. The worker does it every night. "
        "Exit code 1 when an account does not add up; all others are settled."
    )

    def work(self, **options):
        return expire_points(**options)
