"""Where the browser for the browser tests is: Debian's Chromium, or any other that is named."""

import os
import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome")
MISSING = (
    "No Chromium found, so nothing is tried in a browser: apt install chromium, "
    "or name one in CHROMIUM"
)


def find_chromium():
    """The path of the browser, or None. CHROMIUM names one, and wins."""
    return next(filter(None, map(shutil.which, (os.environ.get("CHROMIUM", ""), *NAMES))), None)
