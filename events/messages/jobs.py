"""The jobs of messages: send one, and forget what is over."""

from django.conf import settings

from events.jobs import Retry, RetryLater, every, job
from events.messages.queueing import JOB
from events.messages.sending import NotYet, blank_expired, delete_old_messages, send_message


# These delays are for faults of our own: when a provider fails, the message says when to go on.
@job(JOB, retry=Retry(delays=(10, 60, 600)))
def send(run, *, message_id):
    """Send the message with this id."""
    try:
        send_message(message_id)
    except NotYet as wait:
        raise RetryLater(wait.seconds, wait.reason) from wait


@job("messages.tidy")
def tidy(run):
    """Blank what expired messages still hold, and remove old notes."""
    blank_expired()
    delete_old_messages(settings.MESSAGE_DAYS)


every(600, "messages.tidy")
