"""Why nothing came back."""


class OutboundError(Exception):
    """No usable answer; `kind` is a word for programs and logs, the text a sentence for people."""

    def __init__(self, kind, message):
        super().__init__(message)
        self.kind = kind


class OutboundRefused(OutboundError):
    """We do not speak to such a target; trying again will not help until somebody changes it.

    Kinds: url, scheme, userinfo, host, port, address.
    """


class OutboundFailed(OutboundError):
    """The target was asked, or would have been, and did not answer as it should.

    Kinds: dns, connect, tls, timeout, broken, protocol, too_large, encoding.
    """
