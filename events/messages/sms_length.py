"""How long an SMS is, and as how many it is charged (3GPP TS 23.038).

Text of the GSM alphabet counts 160 characters, or 153 in each part of a longer message, its
extension characters twice. One character beyond it turns the whole message into UTF-16: 70, or 67.
"""

from dataclasses import dataclass

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("\f^{}\\[~]|€")


@dataclass(frozen=True, slots=True)
class SmsLength:
    """`length` in characters as they are charged, `parts`, and the `alphabet` (gsm or unicode)."""

    length: int
    parts: int
    alphabet: str


def sms_length(text):
    """The SmsLength of a text."""
    if all(letter in _BASIC or letter in _EXTENSION for letter in text):
        units = [2 if letter in _EXTENSION else 1 for letter in text]
        return SmsLength(sum(units), _parts(units, 160, 153), "gsm")
    units = [2 if ord(letter) > 0xFFFF else 1 for letter in text]
    return SmsLength(sum(units), _parts(units, 70, 67), "unicode")


def _parts(units, alone, each):
    if sum(units) <= alone:
        return 1
    # A character of two units is never cut in half.
    parts, filled = 1, 0
    for n_units in units:
        if filled + n_units > each:
            parts, filled = parts + 1, 0
        filled += n_units
    return parts
