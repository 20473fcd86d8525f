"""EMAIL_URL and SMS_URL mean what docs/messages.md says, or are refused with a sentence."""

import pytest
from django.core.mail import get_connection

from config.mail_url import PROVIDERS, mail_settings
from events.messages.sms import sms_url_problem

SMTP = "django.core.mail.backends.smtp.EmailBackend"


def read(url):
    told, problems = mail_settings(url)
    assert problems == []
    return told


@pytest.mark.parametrize(
    ("url", "backend"),
    [
        ("console://", "console"),
        ("dummy://", "dummy"),
        ("memory://", "locmem"),
        ("smtp://localhost", "smtp"),
    ],
)
def test_every_scheme_has_its_backend(url, backend):
    assert read(url)["EMAIL_BACKEND"] == f"django.core.mail.backends.{backend}.EmailBackend"


def test_a_folder_takes_a_file_for_every_message():
    assert read("file:///var/mails")["EMAIL_BACKEND"] == "config.mail_files.EmailBackend"


@pytest.mark.parametrize(
    ("url", "port", "tls", "ssl"),
    [
        ("smtp://mail.example.org", 25, False, False),
        ("smtp://mail.example.org:2525", 2525, False, False),
        ("smtp+tls://mail.example.org", 587, True, False),
        ("submission://mail.example.org", 587, True, False),
        ("smtp+ssl://mail.example.org", 465, False, True),
        ("smtps://mail.example.org", 465, False, True),
        ("smtp://mail.example.org:587?tls=1", 587, True, False),
        ("smtp://mail.example.org:465?ssl=true", 465, False, True),
    ],
)
def test_a_mail_server_and_its_encryption(url, port, tls, ssl):
    told = read(url)

    assert (told["EMAIL_BACKEND"], told["EMAIL_HOST"]) == (SMTP, "mail.example.org")
    assert (told["EMAIL_PORT"], told["EMAIL_USE_TLS"], told["EMAIL_USE_SSL"]) == (port, tls, ssl)


def test_names_and_passwords_are_decoded():
    told = read("smtp+tls://ada%40example.org:p%2Fw%3Ard@mail.example.org")

    assert (told["EMAIL_HOST_USER"], told["EMAIL_HOST_PASSWORD"]) == ("ada@example.org", "p/w:rd")


@pytest.mark.parametrize(
    ("url", "anymail"),
    [
        ("anymail+brevo://k%2Fey", {"BREVO_API_KEY": "k/ey"}),
        ("anymail+brevo://key@", {"BREVO_API_KEY": "key"}),
        (
            "anymail+mailjet://key:secret@",
            {"MAILJET_API_KEY": "key", "MAILJET_SECRET_KEY": "secret"},
        ),
        (
            "anymail+mailgun://key@?sender_domain=mg.example.org",
            {"MAILGUN_API_KEY": "key", "MAILGUN_SENDER_DOMAIN": "mg.example.org"},
        ),
        ("anymail+postmark://token@", {"POSTMARK_SERVER_TOKEN": "token"}),
        (
            "anymail+unisender-go://key@?api_url=https://go1.example/v1",
            {"UNISENDER_GO_API_KEY": "key", "UNISENDER_GO_API_URL": "https://go1.example/v1"},
        ),
    ],
)
def test_a_provider_gets_its_settings(url, anymail):
    assert read(url)["ANYMAIL"] == {"REQUESTS_TIMEOUT": 10, **anymail}


@pytest.mark.parametrize("name", sorted(PROVIDERS))
def test_every_provider_that_we_name_works_with_what_we_ask_for(name, settings):
    key, secret, more = PROVIDERS[name]
    url = f"anymail+{name}://key{':secret' if secret else ''}@?"
    told = read(url + "&".join(f"{setting}=https://example.org/" for setting in more))
    settings.ANYMAIL = told["ANYMAIL"]

    assert get_connection(told["EMAIL_BACKEND"]).esp_name
    assert f"{name.upper().replace('-', '_')}_{key.upper()}" in settings.ANYMAIL


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("pigeon://roof", "unknown scheme 'pigeon'"),
        ("", "unknown scheme"),
        ("smtp://", "no mail server"),
        ("smtp://host:99999", "cannot be read"),
        ("smtp://user:password@mail.example.org", "unencrypted"),
        ("smtps://mail.example.org?tls=1", "both kinds of TLS"),
        ("smtp://mail.example.org?tls=1&ssl=1", "both kinds of TLS"),
        ("smtps://mail.example.org:587", "port 587"),
        ("smtp+tls://mail.example.org:465", "port 465"),
        ("file://", "no folder"),
        ("anymail+pigeon://key@", "unknown provider"),
        ("anymail+brevo://", "needs its api_key"),
        ("anymail+mailjet://key@", "needs its secret_key"),
        ("anymail+scaleway://key@", "needs its project_id"),
        ("anymail+brevo://key:secret@", "?name=value"),
        ("anymail+mailgun://key@mg.example.org", "?name=value"),
        ("anymail+brevo://key@/path", "?name=value"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words(url, words):
    told, problems = mail_settings(url)

    assert words in " ".join(problems)
    assert told["EMAIL_BACKEND"].endswith("console.EmailBackend")


def test_a_password_may_go_unencrypted_to_this_machine():
    assert read("smtp://user:password@localhost")["EMAIL_HOST_PASSWORD"] == "password"


def test_a_refusal_does_not_repeat_a_password():
    _told, problems = mail_settings("smtp://user:hunter2@mail.example.org")

    assert "hunter2" not in " ".join(problems)


@pytest.mark.parametrize(
    "url",
    [
        "console:",
        "file:///var/sms",
        "https://token@sms.example.org/send?x=1",
        "https://sms.example.org:8443/",
        "twilio://AC1:secret@+4721000000",
        "twilio://AC1:secret@MG123",
    ],
)
def test_a_way_for_sms_is_accepted(url):
    assert sms_url_problem(url) is None


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("pigeon://roof", "unknown scheme"),
        ("file://", "no folder"),
        ("twilio://AC1@+4721000000", "SID:TOKEN@FROM"),
        ("twilio://AC1:secret@", "SID:TOKEN@FROM"),
        ("http://sms.example.org/", "https://"),
        ("https://10.0.0.1/", "public internet"),
        ("https://t%C3%B8ken@sms.example.org/", "plain letters"),
    ],
)
def test_a_way_for_sms_that_cannot_be_meant_is_refused(url, words):
    assert words in sms_url_problem(url)
