"""How a job ends other than well.

Of any other exception only the class and the place are kept, because its text may speak of people;
the text of these is written for staff and is shown to them.
"""

LONGEST = 30 * 86_400


class Failure(Exception):
    """This attempt failed; the next follows after the delay, while there is one. The text is shown
    in the back office, so it names nobody."""


class PermanentFailure(Failure):
    """No further attempt would help: the job is given up at once."""


class RetryLater(Failure):
    """Try again in `seconds` (a month at most), without counting this attempt as a failure."""

    def __init__(self, seconds, text=""):
        super().__init__(text)
        self.seconds = min(max(float(seconds), 0), LONGEST)


class JobCancelled(Exception):
    """Somebody asked to cancel the job; raised by `run.progress`."""


class LeaseLost(Exception):
    """The job is somebody else's by now: this run took longer than its lease and was given up."""
