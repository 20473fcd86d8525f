"""Bytes that only this installation can read: AES-256-GCM under keys made from the peppers.

Sealed bytes say by which pepper they were sealed, so that peppers can be changed; what they belong
to (`about`) is bound into them, so that nobody can lay them where something else belongs.
"""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tenancy.secrets import current_pepper, digest, peppers

NUMBER, NONCE, TAG = 4, 12, 16
OVERHEAD = NUMBER + NONCE + TAG


class Unreadable(Exception):
    """The bytes are not what was sealed, or their pepper is no longer configured."""


def seal(plain, about):
    """Seal bytes for `about`, a text that says whose they are; they become OVERHEAD longer."""
    number, nonce = current_pepper(), os.urandom(NONCE)
    return number.to_bytes(NUMBER) + nonce + _cipher(number).encrypt(nonce, plain, about.encode())


def unseal(sealed, about):
    """The bytes that were sealed for `about`. Raises Unreadable."""
    sealed = bytes(sealed)
    number, nonce = int.from_bytes(sealed[:NUMBER]), sealed[NUMBER : NUMBER + NONCE]
    if number not in peppers() or len(sealed) < OVERHEAD:
        raise Unreadable("the pepper of these bytes is not configured")
    try:
        return _cipher(number).decrypt(nonce, sealed[NUMBER + NONCE :], about.encode())
    except InvalidTag:
        raise Unreadable("these bytes are not what was sealed") from None


def _cipher(number):
    return AESGCM(bytes.fromhex(digest("", pepper=number, purpose="sealing")))
