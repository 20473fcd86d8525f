"""Asking somebody else's register of customers, where a tenant has one.

What comes back is a stranger's text: nothing here reads it, nothing stores it.
"""

import hashlib
import json

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from events.outbound import OutboundFailed, OutboundRefused, check_url, request
from tenancy.tenant_settings import Setting, add_settings

SECONDS = 4
LARGEST_ANSWER = 1_000_000


def clean_url(text):
    """An address that we speak to, or "" for none; raises ValidationError."""
    text = text.strip()
    if not text:
        return ""
    try:
        check_url(text)
    except OutboundRefused as error:
        raise ValidationError(str(error), code=error.kind) from error
    return text


add_settings(
    Setting(
        "external_customer_search",
        bool,
        False,
        _("Customers may be looked for in another register, too."),
    ),
    Setting(
        "external_search_url",
        str,
        "",
        _("The address of that register; empty: nobody is asked."),
        cleaner=clean_url,
    ),
)


def ask_registry(tenant, question):
    """The bytes that the tenant's register answers to `question`, a dict sent to it as JSON; None
    where the tenant has named no address.

    Waits four seconds at most and reads a megabyte; a register that keeps failing is left alone
    for a while. Must not be called inside a transaction. Raises OutboundError.
    """
    url = tenant.setting("external_search_url")
    if not url:
        return None
    # Another address is another register: what the one before has failed is not its fault.
    mark = hashlib.sha256(url.encode()).hexdigest()[:16]
    answer = request(
        "POST",
        url,
        content=json.dumps(question).encode(),
        headers={"Content-Type": "application/json", "Accept": "application/json"},
        seconds=SECONDS,
        max_bytes=LARGEST_ANSWER,
        circuit=f"registry:{tenant.pk}:{mark}",
    )
    if not answer.is_success:
        raise OutboundFailed("status", f"The other server answered {answer.status}.")
    return answer.content
