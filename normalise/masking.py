"""A contact point as somebody sees it who may know that it is there, and not what it is."""

DOTS = "•••"
FIRST, LAST = 1, 3


def mask_email(address):
    """`ada@example.org` as `a•••@example.org`: enough to recognise one that is read out."""
    name, _at, domain = address.rpartition("@")
    return f"{name[:FIRST]}{DOTS}@{domain}" if name else DOTS


def mask_phone(number):
    """A number as its last three digits; one that is hardly longer as dots alone."""
    digits = [character for character in number if character.isdigit()]
    return DOTS + "".join(digits[-LAST:]) if len(digits) >= 2 * LAST else DOTS
