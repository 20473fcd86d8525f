"""Run the tests on SQLite and on PostgreSQL side by side: python -m tests.run [pytest options].

Each engine has its own pytest process, so the run takes as long as the slower one on two cores.
What each printed is kept in var/tests/; it is shown in full where something failed.
"""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.chromium import MISSING, find_chromium
from tests.postgres import NoPostgres, postgres

ROOT = Path(__file__).resolve().parent.parent
LOGS = ROOT / "var" / "tests"
SECONDS_BETWEEN_REPORTS = 15
# Where pytest's closing part begins: the summary, or else the last line.
CLOSING = re.compile(r"^(?:=+ (?:warnings summary|slowest|short test summary).*|.*\bin [\d.]+s.*)$")


class EngineRun:
    """One pytest process on one database engine, and what became of it."""

    def __init__(self, name, database_url, options):
        self.name = name
        self.log = LOGS / f"{name.lower()}.log"
        self.seconds = None
        self._started = time.monotonic()
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        environment.pop("TEST_DATABASE_URL", None)
        if database_url:
            environment["TEST_DATABASE_URL"] = database_url
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "pytest", *options],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # Out of reach of Ctrl-C: it gets one interruption, from us. A second one would
                # stop it from removing its database.
                start_new_session=True,
            )

    def is_running(self):
        """Look whether the process goes on; the first look after its end stops the clock."""
        if self.process.poll() is None:
            return True
        if self.seconds is None:
            self.seconds = time.monotonic() - self._started
        return False

    @property
    def passed(self):
        return self.process.returncode == 0

    def output(self):
        return self.log.read_text("utf-8", errors="replace")

    def progress(self):
        """How far pytest says it is, in its own words."""
        steps = re.findall(r"\[ *(\d+%)\]", self.output())
        return f"{self.name} {steps[-1] if steps else 'starting'}"

    def report(self):
        """All of the output after a failure, otherwise only its closing lines."""
        lines = self.output().splitlines()
        if self.passed:
            first = next((i for i, line in enumerate(lines) if CLOSING.match(line)), 0)
            lines = lines[first:]
        verdict = "passed" if self.passed else f"FAILED (exit code {self.process.returncode})"
        title = f"{self.name}: {verdict} after {self.seconds:.0f} s"
        return "\n".join(["", f"### {title}", *lines])


def say(text):
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def left_out_once(options):
    """What one engine need not repeat after the other: what a browser does with a page, a minute's
    work, is the same on both. The long run and whoever asks for the browser get it twice."""
    wanted = "-m" in options or any("browser" in option for option in options)
    return [] if wanted else ["--ignore=tests/browser"]


def run_both(postgres_url, options):
    """Start both processes, tell how far they are, report each when it ends; True if both passed.

    An interruption is handed on as an interruption, so that pytest still removes its databases.
    """
    LOGS.mkdir(parents=True, exist_ok=True)
    runs = [
        EngineRun("SQLite", None, options),
        EngineRun("PostgreSQL", postgres_url, [*options, *left_out_once(options)]),
    ]
    waiting = list(runs)
    try:
        next_report = time.monotonic() + SECONDS_BETWEEN_REPORTS
        while waiting:
            time.sleep(0.2)
            for run in [run for run in waiting if not run.is_running()]:
                say(run.report())
                waiting.remove(run)
            if waiting and time.monotonic() >= next_report:
                say("... " + ", ".join(run.progress() for run in waiting))
                next_report += SECONDS_BETWEEN_REPORTS
    finally:
        for run in waiting:
            run.process.send_signal(signal.SIGINT)
        for run in waiting:
            run.process.wait()
    return all(run.passed for run in runs)


def stop_politely(signum, frame):
    raise KeyboardInterrupt


def main(options):
    """Return the exit code: 0 when both engines passed, 1 when not, 130 when interrupted."""
    # Also for SIGINT: what a script starts in the background is born deaf to it, and so would be
    # the pytest processes.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop_politely)
    if find_chromium() is None:
        say(f"{MISSING}.")
    try:
        say("Looking for a PostgreSQL server ...")
        with postgres() as (url, description):
            say(f"Testing on SQLite and on PostgreSQL side by side, using {description} ...")
            return 0 if run_both(url, options) else 1
    except NoPostgres as problem:
        say(str(problem))
        return 1
    except KeyboardInterrupt:
        say("Interrupted.")
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
