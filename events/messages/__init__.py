"""Mail and SMS to people: what kinds there are, in whose words, and how they get out.

A service asks with `queue_message` in the transaction of its change; a worker sends. An app
registers the kinds of message that it sends with `register_purpose`. docs/messages.md tells
operators and the back office the rest.
"""

from events.messages.limits import count_message
from events.messages.purposes import (
    EMAIL,
    PURPOSES,
    SMS,
    Recipient,
    Suppressed,
    register_purpose,
)
from events.messages.queueing import may_send_again, queue_message, queue_sample, send_again
from events.messages.sending import address_message
from events.messages.texts import (
    NoSuchText,
    get_wording,
    list_wordings,
    preview_text,
    reset_message_text,
    set_message_text,
)

__all__ = [
    "EMAIL",
    "PURPOSES",
    "SMS",
    "NoSuchText",
    "Recipient",
    "Suppressed",
    "address_message",
    "count_message",
    "get_wording",
    "list_wordings",
    "may_send_again",
    "preview_text",
    "queue_message",
    "queue_sample",
    "register_purpose",
    "reset_message_text",
    "send_again",
    "set_message_text",
]
