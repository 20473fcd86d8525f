"""Mail and SMS on their way out.

Messages leave after the transaction that made them; a rolled-back change sends nothing. A failure
to send is logged by kind and never undoes the change: codes can be sent again.
"""

import json
import logging
import sys
import uuid
from pathlib import Path
from urllib.parse import urlparse

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction

logger = logging.getLogger("regulars.messages")


def mail_after_commit(to, subject, text):
    """Send a plain-text mail once the surrounding transaction has committed."""
    transaction.on_commit(lambda: _guarded("mail", send_mail, subject, text, None, [to]))


def sms_after_commit(to, text):
    """Send an SMS once the surrounding transaction has committed. `to` is an E.164 number."""
    transaction.on_commit(lambda: _guarded("sms", send_sms, to, text))


def send_sms(to, text):
    """Hand one SMS to the configured way out: a folder of JSON files, or the console."""
    folder = sms_folder()
    if folder is None:
        sys.stdout.write(f"SMS to {to}: {text}\n")
        return
    folder.mkdir(parents=True, exist_ok=True)
    message = json.dumps({"to": to, "text": text}, ensure_ascii=False)
    (folder / f"{uuid.uuid4()}.json").write_text(message, "utf-8")


def sms_folder():
    """The folder that SMS_FILE_PATH or SMS_URL=file:///… names, or None for the console."""
    if settings.SMS_FILE_PATH:
        return Path(settings.SMS_FILE_PATH)
    url = urlparse(settings.SMS_URL)
    return Path(url.path) if url.scheme == "file" else None


def _guarded(kind, send, *args):
    try:
        send(*args)
    except Exception as error:  # whatever the way out throws, the deed is done and committed
        # The message and the address stay out of the log; the kind of failure is enough to act on.
        logger.error("sending %s failed: %s", kind, type(error).__name__)
