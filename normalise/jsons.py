"""A value in its JSON form: exact decimals, instants in UTC that end in Z."""

from decimal import Decimal
from typing import Any

import orjson
from django.utils.functional import Promise

OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS


def json_bytes(data: Any) -> bytes:
    """`data` as JSON in UTF-8. Decimals become numbers with all their digits.

    Raises TypeError for what has no JSON form.
    """
    return orjson.dumps(data, default=_unusual, option=OPTIONS)


def json_bytes_of_texts(data: Any) -> bytes:
    """The same with decimals as texts, for who reads them back without losing a digit."""
    return orjson.dumps(data, default=_unusual_as_text, option=OPTIONS)


def _unusual(value: Any) -> Any:
    if isinstance(value, Decimal):
        return orjson.Fragment(format(value, "f").encode())
    if isinstance(value, Promise):
        return str(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if hasattr(value, "isoformat"):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _unusual_as_text(value: Any) -> Any:
    return format(value, "f") if isinstance(value, Decimal) else _unusual(value)
