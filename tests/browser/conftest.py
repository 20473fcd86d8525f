"""A real browser in front of the back office: one for all of these tests, a clean one each time.

Without Chromium the tests are skipped and say so. SCREENSHOTS=1 lets `photograph` take pictures
into var/screens/; a test that fails leaves one there anyway.
"""

import os
import re
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import sync_playwright

from tests.admin.conftest import signed_in
from tests.browser.office import Office
from tests.chromium import MISSING, find_chromium

PICTURES = Path(settings.BASE_DIR) / "var" / "screens"
FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Nothing of a page may come from another host.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost",
]
WAIT = 20_000
OUTCOME = pytest.StashKey()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if call.when == "call":
        item.stash[OUTCOME] = report
    return report


@pytest.fixture(scope="package")
def browser():
    """One Chromium for all of these tests; skips them where there is none.

    Playwright keeps an event loop in this thread, which makes Django refuse to speak to the
    database from it; the tests do nothing at once with it, so that is allowed as long as it runs.
    """
    path = find_chromium()
    if path is None:
        pytest.skip(MISSING)
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def open_office(browser, live_server, request):
    """A function that answers the `Office` of a user who has signed in, in a window of its own.

    After the test, an error in a script of any page fails it.
    """
    offices = []

    def opened(user):
        context = browser.new_context(
            base_url=live_server.url,
            viewport={"width": 1440, "height": 900},
            reduced_motion="reduce",
            locale="en-GB",
        )
        context.set_default_timeout(WAIT)
        session = signed_in(user).cookies[settings.SESSION_COOKIE_NAME]
        context.add_cookies([{"name": session.key, "value": session.value, "url": live_server.url}])
        offices.append(Office(context.new_page(), PICTURES, bool(os.environ.get("SCREENSHOTS"))))
        return offices[-1]

    yield opened

    failed = request.node.stash.get(OUTCOME, None)
    for n, office in enumerate(offices, 1):
        if failed is not None and failed.failed:
            PICTURES.mkdir(parents=True, exist_ok=True)
            name = re.sub(r"\W+", "-", request.node.name)
            office.page.screenshot(path=PICTURES / f"failed-{name}-{n}.png", full_page=True)
        office.page.context.close()
    assert [error for office in offices for error in office.errors] == []


@pytest.fixture
def office(open_office, boss):
    """The back office as the administrator sees it."""
    return open_office(boss)


@pytest.fixture
def shop(open_office, clerk):
    """The back office as the seller sees it."""
    return open_office(clerk)
