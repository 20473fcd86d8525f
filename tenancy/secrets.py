"""Digests of secrets: HMAC-SHA256 under a numbered pepper that the database never sees."""

import hashlib
import hmac
import secrets

from django.conf import settings


def peppers():
    """Number -> pepper. Without TOKEN_PEPPERS one is derived from the secret key, as number 0."""
    if settings.TOKEN_PEPPERS:
        return settings.TOKEN_PEPPERS
    derived = hmac.new(settings.SECRET_KEY.encode(), b"token pepper", hashlib.sha256).hexdigest()
    return {0: derived}


def current_pepper():
    """The number that new digests use: the highest."""
    return max(peppers())


def digest(secret, *, pepper=None, purpose=""):
    """Hex HMAC of a secret; `purpose` keeps digests of one use from matching another's.

    Raises KeyError for a pepper number that is no longer configured.
    """
    key = peppers()[current_pepper() if pepper is None else pepper]
    return hmac.new(key.encode(), f"{purpose}\0{secret}".encode(), hashlib.sha256).hexdigest()


def random_token(n_bytes=32):
    """An unguessable URL-safe text of `n_bytes` random bytes."""
    return secrets.token_urlsafe(n_bytes)


def random_code(digits=6):
    """A code a person types: exactly `digits` decimal digits."""
    return f"{secrets.randbelow(10**digits):0{digits}d}"
