"""Mail and SMS as they leave: what providers get, and what becomes of what they answer.

The providers are servers of this machine that answer as they are told.
"""

import base64
import contextlib
import json
import re
import socketserver
import threading
import uuid
from types import SimpleNamespace
from urllib.parse import parse_qs

import pytest
from django.core import mail

from events.messages.delivering import DeliveryFailed, deliver
from events.messages.texts import Composed
from tests.events.servers import answer

TEXT = "Blåbær {} €"
MAIL = Composed("Hei på deg", TEXT, 11, 1, "unicode")


def message(channel):
    tenant = SimpleNamespace(name="Acme & Søn", pk=uuid.uuid4())
    return SimpleNamespace(pk=uuid.UUID(int=7), channel=channel, tenant=tenant)


def send_mail(to="ada@example.org"):
    return deliver(message("email"), to, MAIL)


def send_sms(to="+4790000001"):
    return deliver(message("sms"), to, MAIL)


def failure(send):
    with pytest.raises(DeliveryFailed) as failed:
        send()
    return failed.value.reason, failed.value.lasting


# --- Mail ----------------------------------------------------------------------------------------
def test_a_mail_comes_from_the_business_and_can_be_recognised_when_it_comes_twice(settings):
    settings.DEFAULT_FROM_EMAIL = "no-reply@crm.example.org"

    ids = {send_mail() for _time in range(2)}

    first, second = mail.outbox
    assert first.from_email == "Acme & Søn <no-reply@crm.example.org>"
    assert (first.to, first.subject, first.body) == (["ada@example.org"], "Hei på deg", TEXT)
    assert ids == {first.message()["Message-ID"], second.message()["Message-ID"]}
    assert ids == {"<00000000-0000-0000-0000-000000000007@crm.example.org>"}
    assert first.message()["Auto-Submitted"] == "auto-generated"


def test_an_operators_own_name_of_the_sender_stays(settings):
    settings.DEFAULT_FROM_EMAIL = "Chain <no-reply@crm.example.org>"

    send_mail()

    assert mail.outbox[0].from_email == "Chain <no-reply@crm.example.org>"


@pytest.mark.parametrize("to", ["nonsense\r\nBcc: all@example.org", "a\nb@example.org"])
def test_an_address_that_cannot_be_written_fails_for_good(to):
    assert failure(lambda: send_mail(to)) == ("bad_address", True)


class Mailserver:
    """A mail server that answers each command by `replies`, {first word: line}, else agrees."""

    def __init__(self, **replies):
        self.replies = replies
        self.got = []
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            timeout = 1  # a caller who does not hang up

            def handle(self):
                with contextlib.suppress(TimeoutError):
                    self.talk()

            def talk(self):
                self.say(outer.replies.get("greeting", "220 here"))
                for line in self.rfile:
                    command = line.decode().split(" ")[0].strip().lower()
                    outer.got.append(line.decode().strip())
                    if command in outer.replies:
                        self.say(outer.replies[command])
                    elif command == "data":
                        self.say("354 go on")
                        while (part := self.rfile.readline().decode()) != ".\r\n":
                            outer.got.append(part.strip())
                        self.say(outer.replies.get("end", "250 taken"))
                    else:
                        self.say("221 bye" if command == "quit" else "250 fine")

            def say(self, line):
                self.wfile.write(f"{line}\r\n".encode())

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def mailserver(settings):
    """A function that starts a mail server with these replies, and tells Django of it."""
    running = []

    def start(**replies):
        running.append(Mailserver(**replies))
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", running[-1].port
        settings.EMAIL_TIMEOUT = 2
        return running[-1]

    yield start
    for one in running:
        one.stop()


def test_a_mail_reaches_a_mail_server(mailserver):
    server = mailserver()

    send_mail()

    assert "RCPT TO:<ada@example.org>" in [line.replace("rcpt", "RCPT") for line in server.got]


@pytest.mark.parametrize(
    ("replies", "expected"),
    [
        ({"rcpt": "550 no such user"}, ("bad_address", True)),
        ({"rcpt": "450 try later"}, ("busy", False)),
        ({"mail": "550 who are you"}, ("set_up", False)),
        ({"end": "554 spam"}, ("refused", True)),
        ({"end": "451 try later"}, ("busy", False)),
        ({"greeting": "421 too many connections"}, ("unreachable", False)),
    ],
)
def test_what_a_mail_server_says_decides_whether_it_is_tried_again(mailserver, replies, expected):
    mailserver(**replies)

    assert failure(send_mail) == expected


def test_a_mail_server_that_is_not_there_is_tried_again(mailserver, settings):
    mailserver().stop()

    assert failure(send_mail) == ("unreachable", False)


def test_credentials_that_are_not_accepted_wait_for_the_operator(mailserver, settings):
    mailserver(ehlo="250-here\r\n250 AUTH PLAIN", auth="535 wrong")
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "u", "p"

    assert failure(send_mail) == ("set_up", False)


def test_tls_that_the_server_does_not_speak_waits_for_the_operator(mailserver, settings):
    mailserver()
    settings.EMAIL_USE_TLS = True

    assert failure(send_mail) == ("set_up", False)


def test_a_mail_becomes_a_file(settings, tmp_path):
    settings.EMAIL_BACKEND = "config.mail_files.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path / "mails")

    for _message in range(20):
        send_mail()

    files = list((tmp_path / "mails").iterdir())
    assert len(files) == 20
    assert all("To: ada@example.org" in path.read_text() for path in files)


@pytest.fixture
def postmark(settings, neighbour):
    """A function that starts Postmark's API as it behaves, and tells django-anymail of it."""

    def start(behave):
        server = neighbour(behave)
        settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
        settings.ANYMAIL = {
            "POSTMARK_SERVER_TOKEN": "token",
            "POSTMARK_API_URL": server.url,
            "REQUESTS_TIMEOUT": 1,
        }
        return server

    return start


INACTIVE = {
    "ErrorCode": 406,
    "Message": "You tried to send to a recipient that has been marked as inactive.\n"
    "Found inactive addresses: ada@example.org.\nInactive recipients are ones that bounced.",
}


def told(status, content, **headers):
    return lambda *args: answer(
        status, json.dumps(content).encode(), Content_Type="application/json", **headers
    )


def test_a_mail_goes_out_by_a_providers_api_and_its_id_is_kept(postmark):
    server = postmark(
        told(
            200,
            {"To": "ada@example.org", "MessageID": "pm-1", "ErrorCode": 0, "Message": "OK",
             "SubmittedAt": "2026-11-20T12:00:00Z"},
        )
    )  # fmt: skip

    assert send_mail() == "pm-1"
    sent = json.loads(server.requests[0].content)
    assert (sent["To"], sent["Subject"], sent["TextBody"]) == (
        "ada@example.org",
        "Hei på deg",
        TEXT,
    )


@pytest.mark.parametrize(
    ("status", "content", "expected"),
    [
        (401, {"ErrorCode": 10, "Message": "Bad token"}, ("set_up", False)),
        (429, {"ErrorCode": 429, "Message": "Slow down"}, ("busy", False)),
        (500, {}, ("provider", False)),
        (503, {}, ("provider", False)),
        (422, INACTIVE, ("bad_address", True)),
        (413, {}, ("refused", True)),
    ],
)
def test_what_a_providers_api_says_decides_whether_it_is_tried_again(
    postmark, status, content, expected
):
    postmark(told(status, content))

    assert failure(send_mail) == expected


def test_an_api_that_hangs_is_tried_again(postmark):
    server = postmark(lambda request, connection: server.closing.wait(5) and None)

    assert failure(send_mail) == ("unreachable", False)


def test_an_api_without_its_key_waits_for_the_operator(settings):
    settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
    settings.ANYMAIL = {}

    assert failure(send_mail) == ("set_up", False)


# --- SMS -----------------------------------------------------------------------------------------
def test_an_sms_becomes_a_file_with_to_and_text(settings, tmp_path):
    settings.SMS_FILE_PATH = str(tmp_path / "sms")

    send_sms()

    (path,) = (tmp_path / "sms").iterdir()
    assert json.loads(path.read_text("utf-8")) == {"to": "+4790000001", "text": TEXT}
    assert path.suffix == ".json"


def test_an_sms_goes_to_the_folder_of_a_url(settings, tmp_path):
    settings.SMS_URL = f"file://{tmp_path}/my%20sms"

    send_sms()

    assert len(list((tmp_path / "my sms").iterdir())) == 1


def test_a_folder_that_cannot_be_written_is_tried_again(settings, tmp_path):
    (tmp_path / "file").write_text("in the way")
    settings.SMS_FILE_PATH = str(tmp_path / "file" / "sms")

    assert failure(send_sms) == ("unreachable", False)


def test_an_sms_is_written_to_the_console(settings, capsys):
    settings.SMS_URL = "console:"

    send_sms()

    assert capsys.readouterr().out == f"SMS to +4790000001: {TEXT}\n"


@pytest.fixture
def gateway(settings, neighbour, trying_out):
    """A function that starts an SMS gateway, and names it in SMS_URL with a token."""

    def start(behave):
        server = neighbour(behave)
        settings.SMS_URL = f"http://se%2Fcret@127.0.0.1:{server.port}/send?x=1"
        settings.OUTBOUND_PORTS = [443, server.port]
        return server

    return start


def test_a_gateway_gets_json_and_a_token(gateway, settings):
    settings.SMS_FROM = "ACME"
    server = gateway(told(200, {"id": "gw-1"}))

    assert send_sms() == "gw-1"
    (request,) = server.requests
    assert (request.method, request.path) == ("POST", "/send?x=1")
    assert json.loads(request.content) == {
        "id": "00000000-0000-0000-0000-000000000007",
        "to": "+4790000001",
        "text": TEXT,
        "from": "ACME",
    }
    assert request.headers["authorization"] == "Bearer se/cret"
    assert request.headers["idempotency-key"] == "00000000-0000-0000-0000-000000000007"


@pytest.mark.parametrize("content", [b"", b"ok", b"[1]", b'{"id": null}'])
def test_a_gateway_need_not_give_an_id(gateway, content):
    gateway(lambda *args: answer(202, content))

    assert send_sms() == ""


@pytest.mark.parametrize(
    ("status", "content", "expected"),
    [
        (400, {"error": "bad_number"}, ("bad_address", True)),
        (422, {"error": "bad_number"}, ("bad_address", True)),
        (400, {"error": "too long"}, ("refused", True)),
        (401, {}, ("set_up", False)),
        (403, {}, ("set_up", False)),
        (404, {}, ("set_up", False)),
        (302, {}, ("set_up", False)),
        (429, {}, ("busy", False)),
        (500, {}, ("provider", False)),
    ],
)
def test_what_a_gateway_says_decides_whether_it_is_tried_again(gateway, status, content, expected):
    gateway(told(status, content))

    assert failure(send_sms) == expected


@pytest.mark.parametrize(("header", "seconds"), [("17", 17), ("999999", 3600), ("soon", None)])
def test_a_gateway_may_say_when_to_come_again(gateway, header, seconds):
    gateway(told(503, {}, Retry_After=header))

    with pytest.raises(DeliveryFailed) as failed:
        send_sms()

    assert failed.value.retry_after == seconds


def test_a_gateway_that_nobody_may_speak_to_waits_for_the_operator(settings):
    settings.SMS_URL = "https://token@169.254.169.254/"

    assert failure(send_sms) == ("set_up", False)


@pytest.fixture
def twilio(settings, neighbour, trying_out, monkeypatch):
    """A function that starts Twilio's API as it behaves."""

    def start(behave, sender="+4721000000"):
        server = neighbour(behave)
        settings.OUTBOUND_PORTS = [443, server.port]
        settings.SMS_URL = f"twilio://AC123:se%2Fcret@{sender}"
        monkeypatch.setattr(
            "events.messages.sms.TWILIO", server.url + "2010-04-01/Accounts/{sid}/Messages.json"
        )
        return server

    return start


def test_twilio_gets_a_form_and_our_credentials(twilio):
    server = twilio(told(201, {"sid": "SM1", "status": "queued"}))

    assert send_sms() == "SM1"
    (request,) = server.requests
    assert request.path == "/2010-04-01/Accounts/AC123/Messages.json"
    assert parse_qs(request.content.decode()) == {
        "To": ["+4790000001"],
        "From": ["+4721000000"],
        "Body": [TEXT],
    }
    credentials = re.fullmatch(r"Basic (\S+)", request.headers["authorization"])[1]
    assert base64.b64decode(credentials) == b"AC123:se/cret"


@pytest.mark.parametrize(
    ("sender", "name"), [("ACMEshop", "From"), ("MG0123456789", "MessagingServiceSid")]
)
def test_twilio_may_send_in_a_name_or_by_a_service(twilio, sender, name):
    server = twilio(told(201, {"sid": "SM1"}), sender)

    send_sms()

    assert parse_qs(server.requests[0].content.decode())[name] == [sender]


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (400, 21211, ("bad_address", True)),
        (400, 21610, ("bad_address", True)),
        (400, 21606, ("set_up", False)),
        (400, 21408, ("set_up", False)),
        (400, 99999, ("refused", True)),
        (401, 20003, ("set_up", False)),
        (429, 20429, ("busy", False)),
        (500, 20500, ("provider", False)),
    ],
)
def test_twilios_codes_decide_whether_it_is_tried_again(twilio, status, code, expected):
    twilio(told(status, {"code": code, "message": "To +4790000001", "status": status}))

    assert failure(send_sms) == expected


def test_a_gateway_that_breaks_off_is_tried_again(twilio):
    twilio(lambda request, connection: connection.close())

    assert failure(send_sms) == ("unreachable", False)
