"""Mails, by the backend that EMAIL_URL names: SMTP, a provider's API, a folder or the console."""

from contextlib import suppress
from email.headerregistry import Address
from email.utils import parseaddr
from smtplib import (
    SMTPAuthenticationError,
    SMTPDataError,
    SMTPException,
    SMTPNotSupportedError,
    SMTPRecipientsRefused,
    SMTPSenderRefused,
)

from anymail.exceptions import (
    AnymailAPIError,
    AnymailConfigurationError,
    AnymailError,
    AnymailInvalidAddress,
    AnymailRecipientsRefused,
)
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage, get_connection

from events.messages.failures import DeliveryFailed, failure_of_status


def send_mail(message, to, composed):
    """Send one mail and return the provider's id of it. Raises DeliveryFailed."""
    name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    mail_id = f"<{message.pk}@{address.rpartition('@')[2] or 'localhost'}>"
    connection = None
    try:
        connection = get_connection()
        mail = EmailMessage(
            subject=composed.subject,
            body=composed.text,
            from_email=str(Address(name or message.tenant.name, addr_spec=address)),
            to=[to],
            # A repetition has the same id, so that the receiver can tell; and no machine answers.
            headers={"Message-ID": mail_id, "Auto-Submitted": "auto-generated"},
            connection=connection,
        )
        mail.send()
    except Exception as error:
        raise failure_of(error) from error
    finally:
        if connection is not None:
            # Django leaves a connection open whose sign-in was refused.
            with suppress(Exception):
                connection.close()
    status = getattr(mail, "anymail_status", None)
    return str(getattr(status, "message_id", None) or mail_id)


def failure_of(error):
    """The DeliveryFailed for whatever a mail backend raised."""
    if isinstance(error, SMTPException):
        return _of_smtp(error)
    if isinstance(error, AnymailError):
        return _of_provider(error)
    if isinstance(error, TimeoutError):
        return DeliveryFailed("timeout")
    if isinstance(error, OSError):
        return DeliveryFailed("unreachable")
    if isinstance(error, ImproperlyConfigured):
        return DeliveryFailed("set_up")
    if isinstance(error, ValueError):  # an address or a header that cannot be written
        return DeliveryFailed("bad_address", lasting=True)
    return DeliveryFailed("provider")


def _of_smtp(error):
    if isinstance(error, SMTPAuthenticationError | SMTPNotSupportedError):
        return DeliveryFailed("set_up")
    if isinstance(error, SMTPRecipientsRefused):
        codes = [code for code, _text in error.recipients.values()]
        return _of_reply(min(codes, default=450), "bad_address")
    if isinstance(error, SMTPSenderRefused):
        return DeliveryFailed("set_up")
    if isinstance(error, SMTPDataError):
        return _of_reply(error.smtp_code, "refused")
    return DeliveryFailed("unreachable")


def _of_reply(code, lasting_reason):
    if code >= 500:
        return DeliveryFailed(lasting_reason, lasting=True)
    return DeliveryFailed("busy")


def _of_provider(error):
    if isinstance(error, AnymailRecipientsRefused | AnymailInvalidAddress):
        return DeliveryFailed("bad_address", lasting=True)
    if isinstance(error, AnymailConfigurationError):
        return DeliveryFailed("set_up")
    if isinstance(error, AnymailAPIError):
        status = getattr(error, "status_code", None) or getattr(error.response, "status_code", None)
        if status:
            headers = getattr(error.response, "headers", {})
            return failure_of_status(status, headers.get("Retry-After", ""))
        return DeliveryFailed("unreachable")
    return DeliveryFailed("refused", lasting=True)
