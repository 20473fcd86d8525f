"""Spreadsheet cells that a program could take for a formula: made harmless, and back again.

The two functions are each other's inverse for every text, also for one that began with an
apostrophe of its own: export, import, export gives the same bytes.
"""

import re

# What a spreadsheet takes for the start of a formula, in half and full width, and the control
# characters that it skips before looking.
_STARTS = "=+-@\t\r\n\0＝＋－＠"
_STARTS_A_FORMULA = re.compile(rf"'*[{re.escape(_STARTS)}]")
_LOOKED_AT = frozenset(f"'{_STARTS}")


def neutralise(text: str) -> str:
    """The text as it may stand in a CSV or spreadsheet cell: never the start of a formula."""
    if text[:1] in _LOOKED_AT and _STARTS_A_FORMULA.match(text):
        return "'" + text
    return text


def restore(text: str) -> str:
    """Take back exactly one apostrophe of `neutralise`; any other text is returned as it is."""
    if text[:1] == "'" and _STARTS_A_FORMULA.match(text):
        return text[1:]
    return text
