"""Bodies as PHP clients send them: forms whose names nest by brackets, with files or without.

The values become the dicts that the same structure in JSON would be; a list is one whose keys are
numbers. Of a name that comes twice the last value counts, as PHP has it: a checkbox is often sent
with a hidden field of the same name before it.
"""

import re
from urllib.parse import unquote_to_bytes

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser, DataAndFiles, MultiPartParser

from dialects.base import MAX_DEPTH, raw_body

LONGEST_NAME = 1000
_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class FormParser(BaseParser):
    """`application/x-www-form-urlencoded` in UTF-8, up to DATA_UPLOAD_MAX_MEMORY_SIZE bytes."""

    media_type = "application/x-www-form-urlencoded"

    def parse(self, stream, media_type=None, parser_context=None):
        return nested(pairs(raw_body(parser_context["request"])))


class UploadParser(MultiPartParser):
    """`multipart/form-data`; the files stand at their place in the structure."""

    def parse(self, stream, media_type=None, parser_context=None):
        parsed = super().parse(stream, media_type, parser_context)
        found = [
            (name, value) for data in (parsed.data, parsed.files)
            for name, values in data.lists() for value in values
        ]  # fmt: skip
        # The files are handed on too: whoever ends the request closes them.
        return DataAndFiles(nested(found), parsed.files)


def pairs(raw):
    """The names and values of an urlencoded text; raises ParseError."""
    if raw.count(b"&") >= settings.DATA_UPLOAD_MAX_NUMBER_FIELDS:
        raise ParseError("Too many fields.", "too_many_fields")
    found = []
    for part in raw.split(b"&"):
        if not part:
            continue
        name, _equals, value = part.partition(b"=")
        found.append((_text(name), _text(value)))
    return found


def _text(raw):
    try:
        return unquote_to_bytes(raw.replace(b"+", b" ")).decode("utf-8")
    except UnicodeDecodeError as error:
        raise ParseError("The body is not UTF-8.", "not_utf8") from error


def nested(found):
    """The structure that bracketed names describe; raises ParseError for more than 32 levels, NUL
    and halves of characters."""
    whole = {}
    for name, value in found:
        for text in (name, value):
            if isinstance(text, str) and _UNSTORABLE.search(text):
                raise ParseError("NUL or half a character.", "unstorable_text")
        _put(whole, _path(name), value)
    return whole


def _path(name):
    if len(name) > LONGEST_NAME or name.count("[") > MAX_DEPTH:
        raise ParseError(f"More than {MAX_DEPTH} levels of nesting.", "too_deep")
    match = _NAME.fullmatch(name)
    if match is None:
        return [name]  # PHP would make some other name of it; it is none that we know
    return [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])]


def _put(whole, path, value):
    place = whole
    for key in path[:-1]:
        inner = place.get(_key(place, key))
        if not isinstance(inner, dict):
            inner = {}
        place[_key(place, key)] = inner
        place = inner
    place[_key(place, path[-1])] = value


def _key(place, key):
    """Empty brackets count up, as an array of PHP does."""
    if key != "":
        return key
    position = len(place)
    while str(position) in place:
        position += 1
    return str(position)
