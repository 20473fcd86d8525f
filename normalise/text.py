"""Plain text and identifiers."""

import re
import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

# What is trimmed at both ends: blanks of every width, tab, line feed, carriage return and the
# two Unicode line separators. Other control characters are refused wherever they stand, and
# invisible characters such as the zero-width joiner stay: emoji need them.
OUTER_SPACE = (
    "\t\n\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)

_UNWANTED = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_UNWANTED_IN_LINES = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")

# A character composes from at most this many code points, so a longer raw text can not fit.
_MOST_CODE_POINTS_PER_CHARACTER = 4

# Putting marks into canonical order takes time that grows with the square of their run. Real
# writing has a handful on one letter; short texts can not hold enough of them to matter.
_MARKS_IN_A_ROW = 64
_TOO_SHORT_TO_STALL = 2000

# Nothing shows where these stand, so two codes that look alike would differ. The format
# characters (category Cf: zero-width, bidirectional) and unusual blanks go by category; these
# are the invisible ones among letters and marks.
_INVISIBLE_CATEGORIES = frozenset(("Cf", "Zs", "Zl", "Zp"))
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0") | {
    chr(code) for code in (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))
}


def clean_text(value, *, max_length, multiline=False):
    """Return `value` in Unicode form NFC, trimmed (see `OUTER_SPACE`); '' stays ''.

    Refuses anything but a `str` (code `not_text`: a number in place of a text is a caller's
    mistake that must not become a name), NUL, lone surrogates and other control characters,
    and more than `max_length` characters, counted after normalisation as PostgreSQL counts
    them. Tabs and line breaks inside are for `multiline` only; CRLF and CR become LF there.
    """
    if not isinstance(value, str):
        raise ValidationError(_("This must be text."), code="not_text")
    if value.isascii() and value.isprintable():
        value = value.strip(" ")
    else:
        value = _clean_unusual_text(value, max_length, multiline)
    if len(value) > max_length:
        raise _too_long(value, max_length)
    return value


def clean_identifier(value, *, max_length):
    """Return a code as `clean_text` would, or None for '' and None.

    For what must be typed and compared exactly: external ids, usernames, card numbers, codes.
    Refuses characters that nobody can see (bidirectional controls, zero-width and other format
    characters, variation selectors, blanks other than the plain one): two codes that look the
    same must be the same.
    """
    if value is None:
        return None
    value = clean_text(value, max_length=max_length)
    if not value.isascii():
        for character in value:
            if character in _INVISIBLE or (
                character != " " and unicodedata.category(character) in _INVISIBLE_CATEGORIES
            ):
                raise ValidationError(
                    _("Invisible characters are not allowed here (U+%(code)s)."),
                    code="invisible_character",
                    params={"code": f"{ord(character):04X}"},
                )
    return value or None


def build_name(*, name, first_name, last_name, company_name):
    """Return the name a customer is shown by, from parts that are already clean.

    An explicit `name` wins, then "First Last" or the one of the two that is there, then the
    company, else ''. None counts as ''.
    """
    if name:
        return name
    if first_name and last_name:
        return f"{first_name} {last_name}"
    return first_name or last_name or company_name or ""


def _clean_unusual_text(value, max_length, multiline):
    value = value.strip(OUTER_SPACE)
    if len(value) > _MOST_CODE_POINTS_PER_CHARACTER * max_length:
        raise _too_long(value, max_length)
    unwanted = (_UNWANTED_IN_LINES if multiline else _UNWANTED).search(value)
    if unwanted:
        raise _unwanted(unwanted.group())
    if multiline:
        value = value.replace("\r\n", "\n").replace("\r", "\n")
    if value.isascii():
        return value
    if len(value) > _TOO_SHORT_TO_STALL:
        _refuse_piles_of_marks(value)
    return unicodedata.normalize("NFC", value)


def _refuse_piles_of_marks(value):
    run = 0
    for character in value:
        run = run + 1 if unicodedata.combining(character) else 0
        if run > _MARKS_IN_A_ROW:
            raise ValidationError(
                _("There are too many accents on one letter."), code="too_many_marks"
            )


def _too_long(value, max_length):
    return ValidationError(
        _("This may have at most %(max)d characters; it has %(length)d."),
        code="max_length",
        params={"max": max_length, "length": len(value)},
    )


def _unwanted(character):
    if character == "\x00":
        return ValidationError(_("NUL characters are not allowed."), code="null_character")
    if character in "\n\r\u2028\u2029\x85":
        return ValidationError(_("Line breaks are not allowed here."), code="line_break")
    if "\ud800" <= character <= "\udfff":
        return ValidationError(
            _("This text holds half of a character (a lone surrogate)."), code="surrogate"
        )
    return ValidationError(
        _("Control characters are not allowed (U+%(code)s)."),
        code="control_character",
        params={"code": f"{ord(character):04X}"},
    )
