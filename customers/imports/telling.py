"""What commands that import say, and with which exit code they end."""

import json

from django.core.management.base import CommandError

from tenancy.commands import TenantCommand

from .report import OUTCOMES, Report, describe

SHOWN = 20


class ImportCommand(TenantCommand):
    """A command that leaves with exit code 1 when rows were refused and 2 when nothing was done:
    every CommandError from before the rows were counted is one of the second kind."""

    counted = False

    def handle(self, *args, **options):
        try:
            super().handle(*args, **options)
        except CommandError as error:
            error.returncode = 1 if self.counted else 2
            raise


def failed(stdout, fault, *, as_json):
    """Say that the file as a whole could not be taken."""
    if as_json:
        place = getattr(fault, "line", None), getattr(fault, "column", None)
        message = getattr(fault, "message", None) or str(fault)
        report = Report(errors=[describe(*place, None, message)])
        stdout.write(json.dumps(report.as_dict(), ensure_ascii=False))
    raise CommandError(f"nothing was written: {fault}")


def summary(stdout, report, *, as_json):
    """Print the report, as JSON alone or for a person; CommandError where something is amiss."""
    if as_json:
        stdout.write(json.dumps(report.as_dict(), ensure_ascii=False, default=str))
    else:
        _tell(stdout, report)
    if report.errors:
        raise CommandError(f"{report.refused} of {report.lines} refused")


def _tell(stdout, report):
    done = ", ".join(f"{name} {getattr(report, name)}" for name in OUTCOMES)
    stdout.write(f"{'dry run, nothing was written: ' if report.dry_run else ''}{done}")
    stdout.write(
        f"{report.lines} lines; read as {report.format or report.kind}, {report.encoding}; "
        f"found by {report.match or 'their whole content'}"
        f"{f', then {report.on_match}' if report.on_match else ''}"
    )
    for one in report.unmapped:
        near = f"; the nearest is {one['nearest']}" if one["nearest"] and not one["reason"] else ""
        stdout.write(f"not taken: column {one['column']}{near or ': ' * bool(one['reason'])}"
                     f"{one['reason']}")  # fmt: skip
    for note in report.notes:
        stdout.write(f"note: {note}")
    for error in report.errors[:SHOWN]:
        stdout.write(f"refused: {worded(error)}")
    left = len(report.errors) + report.errors_left_out - SHOWN
    if left > 0:
        stdout.write(f"and {left} more reasons (--errors FILE writes every refused row)")


def worded(error):
    """One error with its place, as far as it has one."""
    place = [f"{name} {error[name]}" for name in ("line", "column") if error[name] is not None]
    shown = f" “{error['value']}”" if error["value"] not in (None, "") else ""
    return f"{', '.join(place)}{shown}: {error['message']}"
