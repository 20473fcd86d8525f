"""Words of the search box as the beginning of a new customer."""

import re

PHONE = re.compile(r"\+?[\d\s()/.-]+")
FEWEST_DIGITS = 5


def begin_with(typed):
    """Where on the register form a search that found nobody belongs.

    Returns {field or list: value}: an e-mail address or a phone number as the first row of its
    list, anything else as a name, whose last word is the last name. A customer number (CUST-12)
    and a short number belong nowhere: {}.
    """
    text = " ".join(typed.split())
    if not text or text.upper().startswith("CUST-"):
        return {}
    if "@" in text:
        return {"emails": [{"address": text}]}
    if PHONE.fullmatch(text):
        enough = sum(letter.isdigit() for letter in text) >= FEWEST_DIGITS
        return {"phones": [{"given": text}]} if enough else {}
    first, _space, last = text.rpartition(" ")
    return {"first_name": first, "last_name": last} if first else {"first_name": last}
