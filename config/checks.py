"""System checks that refuse settings which contradict themselves, with ids and hints."""

import ipaddress
import re
from pathlib import Path

from django.conf import settings
from django.core import checks

from events.messages.sms import sms_url_problem


@checks.register(checks.Tags.security)
def check_secrets(app_configs, **kwargs):
    """Secrets that everybody knows must not serve anybody but this machine."""
    found = []
    local_only = set(settings.ALLOWED_HOSTS) <= {"localhost", "127.0.0.1", "[::1]", "testserver"}
    if settings.SECRET_KEY == settings.INSECURE_SECRET_KEY and not local_only:
        found.append(
            checks.Error(
                "SECRET_KEY is the built-in one.",
                hint="Set SECRET_KEY to 50 or more random characters; `make run` writes one.",
                id="regulars.E001",
            )
        )
    if settings.HTTPS and not settings.TOKEN_PEPPERS:
        found.append(
            checks.Error(
                "TOKEN_PEPPERS is not set.",
                hint="Set TOKEN_PEPPERS=1:<random text>; changing SECRET_KEY would otherwise end "
                "every access token.",
                id="regulars.E002",
            )
        )
    if any(not pepper for pepper in settings.TOKEN_PEPPERS.values()):
        found.append(
            checks.Error(
                "TOKEN_PEPPERS has an empty pepper.",
                hint="Each entry is number:secret.",
                id="regulars.E003",
            )
        )
    return found


@checks.register()
def check_contradictions(app_configs, **kwargs):
    """Combinations that cannot both be meant."""
    found = []
    if settings.DEBUG and settings.HTTPS:
        found.append(
            checks.Error(
                "DEBUG is on behind HTTPS.",
                hint="DEBUG shows settings and code to every visitor; turn it off.",
                id="regulars.E004",
            )
        )
    if "*" in settings.ALLOWED_HOSTS and not settings.DEBUG:
        found.append(
            checks.Error(
                "ALLOWED_HOSTS allows every host.",
                hint="Name the host names this installation answers to.",
                id="regulars.E005",
            )
        )
    if settings.HTTPS and not settings.BASE_URL.startswith("https://"):
        found.append(
            checks.Error(
                "HTTPS is on, but BASE_URL does not start with https://.",
                hint="Links in mails are made from BASE_URL.",
                id="regulars.E006",
            )
        )
    return found


@checks.register()
def check_messages(app_configs, **kwargs):
    """How mails and SMS leave."""
    found = []
    if problem := sms_url_problem(settings.SMS_URL):
        found.append(
            checks.Error(
                problem,
                hint="console:, file:///folder, https://TOKEN@gateway/path, or "
                "twilio://SID:TOKEN@FROM (docs/messages.md).",
                id="regulars.E007",
            )
        )
    found += [
        checks.Error(
            problem,
            hint="console://, file:///folder, smtp+tls://user:password@host, smtps://…, or "
            "anymail+<provider>://KEY@ (docs/messages.md).",
            id="regulars.E008",
        )
        for problem in settings.EMAIL_URL_PROBLEMS
    ]
    if settings.HTTPS and settings.DEFAULT_FROM_EMAIL.endswith("@localhost"):
        found.append(
            checks.Warning(
                "DEFAULT_FROM_EMAIL is the built-in one, which no mail server accepts.",
                hint="The address that mails come from, such as no-reply@example.org.",
                id="regulars.W007",
            )
        )
    return found


@checks.register(checks.Tags.security, deploy=True)
def check_messages_leave(app_configs, **kwargs):
    """The console is for trying out: it sends nothing, and prints codes and links into the log."""
    if settings.DEBUG:
        return []
    found = []
    if settings.SMS_URL.partition(":")[0] == "console" and not settings.SMS_FILE_PATH:
        found.append(
            checks.Warning(
                "SMS_URL is console: no SMS is sent, and codes appear in the worker's output.",
                hint="https://TOKEN@gateway/path or twilio://SID:TOKEN@FROM (docs/messages.md).",
                id="regulars.W008",
            )
        )
    if settings.EMAIL_BACKEND == "django.core.mail.backends.console.EmailBackend":
        found.append(
            checks.Warning(
                "EMAIL_URL is console: no mail is sent, and links and passwords appear in the "
                "worker's output.",
                hint="smtp+tls://user:password@host or anymail+<provider>://KEY@ "
                "(docs/messages.md).",
                id="regulars.W009",
            )
        )
    return found


@checks.register()
def check_times(app_configs, **kwargs):
    """Times that must outlast others."""
    if settings.EVENTS_KEEP_DAYS >= 7:
        return []
    return [
        checks.Error(
            "EVENTS_KEEP_DAYS is less than a week.",
            hint="A webhook is tried for more than three days, and its event must be there.",
            id="regulars.E022",
        )
    ]


@checks.register(checks.Tags.security)
def check_outbound(app_configs, **kwargs):
    """What other servers may be spoken to."""
    found = []
    if strange := [entry for entry in settings.OUTBOUND_ALLOW if not _is_place(entry)]:
        found.append(
            checks.Error(
                f"OUTBOUND_ALLOW names no host and no network: {', '.join(strange)}.",
                hint="Such as registry.internal,10.20.0.0/16; without scheme, port or wildcard.",
                id="regulars.E020",
            )
        )
    if settings.OUTBOUND_CA_FILE and not Path(settings.OUTBOUND_CA_FILE).is_file():
        found.append(
            checks.Error(
                "OUTBOUND_CA_FILE is not there.",
                hint="A file of certificates in PEM, or leave it out for the public authorities.",
                id="regulars.E021",
            )
        )
    if settings.HTTPS and settings.OUTBOUND_ALLOW_HTTP:
        found.append(
            checks.Warning(
                "OUTBOUND_ALLOW_HTTP lets webhooks go out unencrypted.",
                hint="It is for trying things out.",
                id="regulars.W020",
            )
        )
    return found


def _is_place(entry):
    try:
        ipaddress.ip_network(entry, strict=False)
    except ValueError:
        # A mistyped network must not count as the name of a host.
        return bool(re.fullmatch(r"(?=.*[a-z])[a-z0-9]([a-z0-9.-]*[a-z0-9])?", entry.lower()))
    return True
