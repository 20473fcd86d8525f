"""What a job may carry: ids, codes, numbers and dates, so that erasure never has to look there."""

import re

# A full name, an e-mail or a sentence does not pass: no space, no "@", no letter beyond ASCII. What
# looks like a code and is none (a first name, a phone) only its author can keep out.
_CODE = re.compile(r"[A-Za-z0-9_.:/+-]{0,200}", re.ASCII)
MOST_DEPTH = 8


def check_plain(value, what, depth=0):
    """Refuse what is no JSON (TypeError) or is more than ids and codes (ValueError).

    Allowed: None, booleans, integers, finite floats, texts of at most 200 of `A-Za-z0-9_.:/+-`, and
    lists and dicts of these. `what` names the value in the refusal, which does not repeat it.
    """
    if depth > MOST_DEPTH:
        raise ValueError(f"{what}: nested too deeply")
    if value is None or isinstance(value, (bool, int)):
        return
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            raise ValueError(f"{what}: not a finite number")
    elif isinstance(value, str):
        if not _CODE.fullmatch(value):
            raise ValueError(f"{what}: jobs carry ids and codes only, no text")
    elif isinstance(value, (list, tuple)):
        for item in value:
            check_plain(item, what, depth + 1)
    elif isinstance(value, dict):
        for name, item in value.items():
            if not isinstance(name, str):
                raise TypeError(f"{what}: names must be text, not {type(name).__name__}")
            check_plain(name, what, depth + 1)
            check_plain(item, f"{what}.{name}", depth + 1)
    else:
        raise TypeError(f"{what}: {type(value).__name__} is no JSON; pass str(id)")


def plain_text(text, longest):
    """A text for staff as every database can store it, cut to length."""
    return str(text).replace("\x00", "").encode("utf-8", "replace").decode()[:longest]
