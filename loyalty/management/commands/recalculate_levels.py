"""recalculate_levels: look at levels again."""

from loyalty.management.settling import DailyCommand
from loyalty.services.recalculating import recalculate_levels


class Command(DailyCommand):
    help = (
        "Look again at the levels whose time has come, for one tenant or for all: where levels "
        "follow points and are kept for some days (tier_by points, downgrade_mode after_x_days), a "
        "customer who was last looked at so many days ago goes up or down to what was collected, "
        "not below an assigned level; with reset_points_on_downgrade and levels by active points, "
        "all points that are left expire then. --all looks at everybody else too, by the rules of "
        "the next purchase or points: do that after changing thresholds, percents or the "
        "programme. A run that was cut off goes on when called again; a second run does nothing. "
        "The worker does it every night, without --all. Exit code 1 when an account does not add "
        "up; all others are done."
    )

    def add_arguments(self, parser):
        super().add_arguments(parser)
        parser.add_argument("--all", action="store_true", help="look at every customer")

    def work(self, **options):
        return recalculate_levels(**options)

    def own(self, options):
        return {"everybody": options["all"]}
