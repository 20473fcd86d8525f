"""Why a provider did not take a message."""


class DeliveryFailed(Exception):
    """`reason` is a key of events.messages.reasons; `lasting` says that no further try would help;
    `retry_after` is what the provider asks us to wait, in seconds, or None."""

    def __init__(self, reason, *, lasting=False, retry_after=None):
        super().__init__(reason)
        self.reason = reason
        self.lasting = lasting
        self.retry_after = retry_after


LONGEST_WAIT = 3600


def failure_of_status(status, retry_after=""):
    """The DeliveryFailed for the status of an HTTP answer that is no success.

    401 and 403 (our credentials), 404, 405 and redirects (our address of it) are for the operator
    to mend, and the message waits meanwhile; 429 and 5xx pass; any other 4xx is about the message.
    """
    if status == 429:
        return DeliveryFailed("busy", retry_after=_seconds(retry_after))
    if status >= 500:
        return DeliveryFailed("provider", retry_after=_seconds(retry_after))
    if status in (401, 403, 404, 405) or status < 400:
        return DeliveryFailed("set_up")
    return DeliveryFailed("refused", lasting=True)


def _seconds(text):
    return min(int(text), LONGEST_WAIT) if str(text or "").isdecimal() else None
