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
    "DEFAULT_FROM_EMAIL": "no-reply@example.org",
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
        ({"EMAIL_URL_PROBLEMS": ["EMAIL_URL names no mail server."]}, "regulars.E008"),
        ({"DEFAULT_FROM_EMAIL": "regulars@localhost"}, "regulars.W007"),
        ({"OUTBOUND_ALLOW": ["https://registry.internal"]}, "regulars.E020"),
        ({"OUTBOUND_ALLOW": ["10.0.0.0/33"]}, "regulars.E020"),
        ({"OUTBOUND_CA_FILE": "/nowhere.pem"}, "regulars.E021"),
        ({"OUTBOUND_ALLOW_HTTP": True}, "regulars.W020"),
        ({"EVENTS_KEEP_DAYS": 6}, "regulars.E022"),
    ],
)
def test_a_contradiction_is_refused(settings, changes, expected):
    assert expected in refusals(settings, **changes)


def test_hosts_and_networks_of_the_operator_are_accepted(settings):
    places = ["registry.internal", "10.20.0.0/16", "127.0.0.1", "fd12::/16"]

    assert refusals(settings, OUTBOUND_ALLOW=places) == set()


def warned(settings, **changes):
    """What `check --deploy` says of how messages leave."""
    refusals(settings, **changes)
    found = run_checks(include_deployment_checks=True)
    return {message.id for message in found} & {"regulars.W008", "regulars.W009"}


CONSOLE = "django.core.mail.backends.console.EmailBackend"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"SMS_URL": "console:"}, {"regulars.W008"}),
        ({"SMS_URL": "console:", "SMS_FILE_PATH": "/var/sms"}, set()),
        ({"SMS_URL": "twilio://SID:TOKEN@+4790000000"}, set()),
        ({"SMS_URL": "console:", "EMAIL_BACKEND": CONSOLE}, {"regulars.W008", "regulars.W009"}),
        ({"SMS_URL": "console:", "EMAIL_BACKEND": CONSOLE, "DEBUG": True}, set()),
    ],
)
def test_before_it_is_for_real_messages_must_leave(settings, changes, expected):
    assert warned(settings, **changes) == expected
    assert not {"regulars.W008", "regulars.W009"} & refusals(settings, **changes)
