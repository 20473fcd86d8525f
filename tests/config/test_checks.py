"""Settings that contradict themselves are refused, each with its id."""

import pytest
from django.core.checks import run_checks

from config import checks  # noqa: F401  (registers them)

PRODUCTION = {
    "ALLOWED_HOSTS": ["crm.example.org"],
    "BASE_URL": "https://crm.example.org",
    "HTTPS": True,
    "DEBUG": False,
    "SECRET_KEY": "x" * 60,
    "TOKEN_PEPPERS": {1: "pepper"},
}


def refusals(settings, **changes):
    for name, value in {**PRODUCTION, **changes}.items():
        setattr(settings, name, value)
    return {message.id for message in run_checks() if message.id.startswith("regulars.")}


def test_a_proper_installation_is_not_refused(settings):
    assert refusals(settings) == set()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"SECRET_KEY": "insecure-key-for-tests-and-checks-only-0123456789"}, "regulars.E001"),
        ({"TOKEN_PEPPERS": {}}, "regulars.E002"),
        ({"TOKEN_PEPPERS": {1: ""}}, "regulars.E003"),
        ({"DEBUG": True}, "regulars.E004"),
        ({"ALLOWED_HOSTS": ["*"]}, "regulars.E005"),
        ({"BASE_URL": "http://crm.example.org"}, "regulars.E006"),
        ({"SMS_URL": "pigeon://roof"}, "regulars.E007"),
        ({"EMAIL_USE_TLS": True, "EMAIL_USE_SSL": True}, "regulars.E008"),
    ],
)
def test_a_contradiction_is_refused(settings, changes, expected):
    assert expected in refusals(settings, **changes)
