"""Digests of secrets: HMAC-SHA256 under a numbered pepper that the database never sees."""

import base64
import hashlib
import hmac
import secrets

from django.conf import settings

LEGIBLE = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789"


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


# --- Secrets that are made again instead of being stored ---------------------------------------
def new_seed():
    """A random text from which, with a pepper, the same secret can be derived again later. The
    pepper's number stands in front, so that a rotation between two tries changes nothing."""
    return f"{current_pepper()}:{secrets.token_urlsafe(32)}"


def derived_token(seed):
    """An unguessable URL-safe text of 32 bytes. Raises KeyError when the pepper is gone."""
    return base64.urlsafe_b64encode(_derived(seed, "token")).decode("ascii").rstrip("=")


def derived_code(seed, digits=6):
    """Exactly `digits` decimal digits. Raises KeyError when the pepper is gone."""
    return f"{int.from_bytes(_derived(seed, 'code')) % 10**digits:0{digits}d}"


def derived_password(seed, length=12):
    """Letters and digits that cannot be mistaken for each other; 12 of them are one of 2^69."""
    number, letters = int.from_bytes(_derived(seed, "password")), []
    for _position in range(length):
        number, index = divmod(number, len(LEGIBLE))
        letters.append(LEGIBLE[index])
    return "".join(letters)


def pepper_of(seed):
    """The number of the pepper that a seed was made under."""
    return int(seed.partition(":")[0])


def _derived(seed, use):
    return bytes.fromhex(digest(seed, pepper=pepper_of(seed), purpose=f"derived {use}"))
