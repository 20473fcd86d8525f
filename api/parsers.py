"""The one JSON parser: whatever it lets through, both databases and every later list can hold.

The checks are in the order of their price. Size and nesting are known before anything is built;
duplicate keys, numbers and text are refused while or right after it is.
"""

import json
import re
from decimal import Decimal, InvalidOperation

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import UnreadablePostError
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from api.problems import BodyTooLarge

MAX_DEPTH = 32
MAX_DIGITS = 40
EXACT_DIGITS = 15  # what a float surely keeps
LARGEST, SMALLEST = 2**63 - 1, -(2**63)
BOM = b"\xef\xbb\xbf"

# Strings are matched whole, so that brackets inside them do not count.
_STRUCTURE = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|([\[{])|([\]}])', re.DOTALL)
_SUSPECT_ESCAPE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def loads(raw):
    """The value in these bytes of JSON; raises ParseError with a sentence that says what is bad.

    Refuses: other charsets than UTF-8, more than 32 levels, NaN and infinity, whole numbers
    outside 64 bits and fractions of more than 40 digits, a key that comes twice, NUL and lone
    surrogates (naming where).
    """
    raw = raw.removeprefix(BOM)
    _check_depth(raw)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ParseError(f"The body is not UTF-8 (byte {error.start}).", "not_utf8") from error
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_whole,
            parse_float=_fraction,
            parse_constant=_constant,
        )
    except json.JSONDecodeError as error:
        raise ParseError(
            f"This is not JSON: {error.msg} (line {error.lineno}, column {error.colno}).",
            "invalid_json",
        ) from error
    if _SUSPECT_ESCAPE.search(raw):
        _check_text(value, "")
    return value


def _check_depth(raw):
    depth = 0
    for token in _STRUCTURE.finditer(raw):
        if token[1]:
            depth += 1
            if depth > MAX_DEPTH:
                raise ParseError(f"More than {MAX_DEPTH} levels of nesting.", "too_deep")
        elif token[2]:
            depth -= 1


def _object(pairs):
    value = dict(pairs)
    if len(value) < len(pairs):
        seen = set()
        for key, _item in pairs:
            if key in seen:
                raise ParseError(f"The key {_shown(key)} comes twice.", "duplicate_key")
            seen.add(key)
    return value


def _whole(digits):
    number = int(digits) if len(digits) <= 20 else None
    if number is None or not SMALLEST <= number <= LARGEST:
        raise ParseError("A whole number does not fit into 64 bits.", "number_out_of_range")
    return number


def _fraction(digits):
    if len(digits) > MAX_DIGITS:
        raise ParseError(f"A number has more than {MAX_DIGITS} digits.", "number_out_of_range")
    try:
        number = Decimal(digits)
    except InvalidOperation as error:
        raise ParseError("A number is out of range.", "number_out_of_range") from error
    if number and not -MAX_DIGITS <= number.adjusted() <= 18:
        raise ParseError("A number is out of range.", "number_out_of_range")
    return float(number) if len(number.as_tuple().digits) <= EXACT_DIGITS else number


def _constant(word):
    raise ParseError(f"{word} is not a number in JSON.", "invalid_json")


def _check_text(value, path):
    if isinstance(value, str):
        if _UNSTORABLE.search(value):
            raise ParseError(
                f"NUL or half a surrogate pair at {path or 'the top'}.", "unstorable_text"
            )
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_text(key, f"a key of {path}" if path else "a key")
            _check_text(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _check_text(item, f"{path}.{index}" if path else str(index))


def _shown(key):
    return json.dumps(key[:60])


class JSONParser(BaseParser):
    """`application/json` in UTF-8, up to DATA_UPLOAD_MAX_MEMORY_SIZE bytes."""

    media_type = "application/json"

    def parse(self, stream, media_type=None, parser_context=None):
        request = parser_context["request"]
        charset = _charset(request.content_type)
        if charset not in (None, "utf-8", "utf8"):
            raise ParseError("JSON is UTF-8; send it in no other charset.", "not_utf8")
        return loads(raw_body(request))


def raw_body(request):
    """The bytes of a request's body; raises BodyTooLarge beyond the limit, ParseError when the
    sender has hung up."""
    try:
        return request._request.body
    except RequestDataTooBig as error:
        raise BodyTooLarge(settings.DATA_UPLOAD_MAX_MEMORY_SIZE) from error
    except UnreadablePostError as error:
        raise ParseError("The body broke off.", "incomplete") from error


def _charset(content_type):
    match = re.search(r"charset\s*=\s*\"?([^\s;\"]+)", content_type or "", re.IGNORECASE)
    return match[1].lower() if match else None
