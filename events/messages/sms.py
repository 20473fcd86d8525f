"""SMS, by what SMS_URL names: the console, a folder, an HTTP gateway, or Twilio.

    console:                              written to standard output
    file:///folder                        one JSON file each, {"to", "text"}
    https://TOKEN@gateway.example/path    POST {"id", "to", "text", "from"?} with the bearer token
    twilio://SID:TOKEN@FROM               FROM: a number, a sender's name, or a messaging service

SMS_FILE_PATH names a folder directly and wins. docs/messages.md describes the gateway's contract.
"""

import base64
import json
import sys
from pathlib import Path
from urllib.parse import unquote, urlencode, urlsplit, urlunsplit

from django.conf import settings

from events import outbound
from events.messages.failures import DeliveryFailed, failure_of_status

TWILIO = "https://api.twilio.com/2010-04-01/Accounts/{sid}/Messages.json"
# https://www.twilio.com/docs/api/errors: the number cannot be reached by SMS, or does not want to.
_TWILIO_BAD_NUMBER = frozenset(
    (21211, 21214, 21217, 21265, 21401, 21407, 21421, 21610, 21612, 21614, 21635)
)
# Our sender, or the countries that our account may write to.
_TWILIO_SET_UP = frozenset((21212, 21408, 21603, 21606, 21618, 21659, 21660, 21703))


def send_sms(message, to, text):
    """Send one SMS to an E.164 number and return the provider's id of it. Raises DeliveryFailed."""
    folder = sms_folder()
    if folder is not None:
        return _to_folder(folder, message, to, text)
    return SENDERS[urlsplit(settings.SMS_URL).scheme](message, to, text)


def sms_folder():
    """The folder that SMS_FILE_PATH or SMS_URL=file:///… names, or None."""
    if settings.SMS_FILE_PATH:
        return Path(settings.SMS_FILE_PATH)
    url = urlsplit(settings.SMS_URL)
    return Path(unquote(url.path)) if url.scheme == "file" else None


def sms_url_problem(url):
    """What is wrong with an SMS_URL, as a sentence for the operator, or None."""
    parts = urlsplit(url)
    if parts.scheme not in SENDERS and parts.scheme != "file":
        known = ", ".join(sorted({"file", *SENDERS}))
        return f"SMS_URL has the unknown scheme {parts.scheme!r}; known are {known}."
    if parts.scheme == "file" and not parts.path:
        return "SMS_URL=file:// names no folder."
    if parts.scheme == "twilio" and not all(_credentials(url)):
        return "SMS_URL=twilio:// needs SID:TOKEN@FROM."
    if parts.scheme in ("http", "https"):
        if not _credentials(url)[1].isascii():
            return "SMS_URL's token must be of plain letters and digits."
        try:
            outbound.check_url(_without_token(url))
        except outbound.OutboundRefused as refusal:
            return f"SMS_URL names a gateway that is not called: {refusal}"
    return None


def _to_console(message, to, text):
    sys.stdout.write(f"SMS to {to}: {text}\n")
    sys.stdout.flush()
    return ""


def _to_folder(folder, message, to, text):
    told = json.dumps({"to": to, "text": text}, ensure_ascii=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / f".{message.pk}.part"
        part.write_text(told, "utf-8")
        # Whoever watches the folder never sees half a message.
        part.rename(folder / f"{message.pk}.json")
    except OSError as error:
        raise DeliveryFailed("unreachable") from error
    return ""


def _to_gateway(message, to, text):
    _name, token, _host = _credentials(settings.SMS_URL)
    body = {"id": str(message.pk), "to": to, "text": text}
    if settings.SMS_FROM:
        body["from"] = settings.SMS_FROM
    headers = {
        "Content-Type": "application/json",
        "Accept": "application/json",
        "Idempotency-Key": str(message.pk),
    }
    if token:
        headers["Authorization"] = f"Bearer {token}"
    content = json.dumps(body, ensure_ascii=False).encode("utf-8")
    answer = _post(_without_token(settings.SMS_URL), content, headers)
    told = _told(answer)
    if answer.is_success:
        return str(told.get("id") or "")
    if answer.status in (400, 422) and told.get("error") == "bad_number":
        raise DeliveryFailed("bad_address", lasting=True)
    raise failure_of_status(answer.status, answer.headers.get("retry-after", ""))


def _to_twilio(message, to, text):
    sid, token, sender = _credentials(settings.SMS_URL)
    by = "MessagingServiceSid" if sender.startswith("MG") else "From"
    credentials = base64.b64encode(f"{sid}:{token}".encode()).decode("ascii")
    answer = _post(
        TWILIO.format(sid=sid),
        urlencode({"To": to, by: sender, "Body": text}).encode("ascii"),
        {
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
            "Authorization": f"Basic {credentials}",
        },
    )
    told = _told(answer)
    if answer.is_success:
        return str(told.get("sid") or "")
    if told.get("code") in _TWILIO_BAD_NUMBER:
        raise DeliveryFailed("bad_address", lasting=True)
    if told.get("code") in _TWILIO_SET_UP:
        raise DeliveryFailed("set_up")
    raise failure_of_status(answer.status, answer.headers.get("retry-after", ""))


SENDERS = {
    "console": _to_console,
    "http": _to_gateway,
    "https": _to_gateway,
    "twilio": _to_twilio,
}


def _post(url, content, headers):
    try:
        return outbound.request("POST", url, content=content, headers=headers)
    except outbound.OutboundRefused as error:
        raise DeliveryFailed("set_up") from error
    except outbound.OutboundError as error:
        raise DeliveryFailed("timeout" if error.kind == "timeout" else "unreachable") from error


def _told(answer):
    """What the answer says, as a dict; {} where it says nothing that can be read."""
    try:
        told = answer.json()
    except outbound.OutboundError:
        return {}
    return told if isinstance(told, dict) else {}


def _credentials(url):
    """(name, secret, rest) of the part before the path, decoded, in the letters it was written in.

    Of a single word before the @ the secret is the word.
    """
    own, _at, rest = urlsplit(url).netloc.rpartition("@")
    name, _colon, secret = own.rpartition(":")
    return unquote(name), unquote(secret), unquote(rest)


def _without_token(url):
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
