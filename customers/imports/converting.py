"""From the text of a cell to the form that the services take; the rules are theirs.

A converter gets a cell that is not blank, as text or (from JSON) as the value itself, and
returns what belongs into the record, or BLANK where the cell says "nothing" in other words.
It raises ConversionError with a sentence for the person whose file it is. Nothing is guessed:
a date or a number that can be read in two ways is refused with the way to settle it.
"""

import datetime
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

BLANK = object()
DATE_ORDERS = ("DMY", "MDY", "YMD")
DECIMAL_MARKS = (".", ",")

_TRUE = "1 true t yes y on x ja j oui si sí sim sant wahr vrai"
_FALSE = "0 false f no n off nein nei nej non não nao usann falsch faux"
TRUE_WORDS = frozenset(_TRUE.split())
FALSE_WORDS = frozenset(_FALSE.split())

_CHOICES: dict[str, dict[str, str]] = {
    "kind": {
        "person": "person", "private": "person", "individual": "person", "b2c": "person",
        "company": "company", "business": "company", "organisation": "company",
        "organization": "company", "b2b": "company",
    },
    "gender": {
        "male": "male", "m": "male", "man": "male", "mr": "male", "mr.": "male", "herr": "male",
        "männlich": "male", "mann": "male", "homme": "male",
        "female": "female", "f": "female", "w": "female", "woman": "female", "ms": "female",
        "ms.": "female", "mrs": "female", "mrs.": "female", "miss": "female", "frau": "female",
        "weiblich": "female", "kvinne": "female", "femme": "female", "mme": "female",
        "not_disclosed": "not_disclosed", "not disclosed": "not_disclosed",
        "not specified": "not_disclosed", "unknown": "not_disclosed", "other": "not_disclosed",
        "unspecified": "not_disclosed", "undisclosed": "not_disclosed",
        "n/a": "not_disclosed", "u": "not_disclosed", "x": "not_disclosed", "d": "not_disclosed",
        "divers": "not_disclosed",
    },
    "status": {
        "new": "new", "active": "active", "blocked": "blocked", "inactive": "blocked",
        "aktiv": "active", "inaktiv": "blocked",
    },
    "card_state": {"no-card": "no-card", "card-sent": "card-sent", "with-card": "with-card"},
    "phone_kind": {
        "mobile": "mobile", "cell": "mobile", "mobil": "mobile", "home": "home",
        "private": "home", "work": "work", "business": "work", "other": "other", "fax": "other",
    },
    "address_kind": {
        "home": "home", "work": "work", "billing": "billing", "shipping": "shipping",
        "delivery": "shipping", "other": "other",
    },
}  # fmt: skip

# Forms of address, for a column that holds only such; others (Dr.) say nothing about gender.
SALUTATIONS = {
    word: gender for word, gender in _CHOICES["gender"].items() if gender != "not_disclosed"
}

# A spreadsheet writes 14 as 14.0.
_INTEGER = re.compile(r"([+-]?\d{1,18})(?:\.0{1,6})?$", re.ASCII)
_PLAIN_DECIMAL = re.compile(r"[+-]?\d{1,15}(\.\d{1,15})?$", re.ASCII)
_COMMA_DECIMAL = re.compile(r"[+-]?(\d{1,15}|\d{1,3}([. ’']\d{3}){1,4})(,\d{1,15})?$", re.ASCII)
_SHORTENED = re.compile(r"\s*[+-]?\d(?:[.,](\d+))?E\+\d{1,3}\s*$", re.ASCII)
_NUMBER = re.compile(r"(?:cust-)?(\d{1,18})$", re.IGNORECASE | re.ASCII)
_YEAR_FIRST = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})$", re.ASCII)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})$", re.ASCII)
_YEAR_LAST = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})$", re.ASCII)
_WITHOUT_YEAR = re.compile(r"--(\d{2})-?(\d{2})$", re.ASCII)
_SHORT = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\.?$", re.ASCII)
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec"
_MONTH = "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
_MONTH = f"({_MONTH}|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
# “Dec 15, 1973” and “15-Dec-1973”, with the time of day that may follow.
_SPELT = re.compile(
    rf"(?:{_MONTH}\.? (\d{{1,2}}),? (\d{{4}})|(\d{{1,2}})[ -]{_MONTH}[ -](\d{{4}}))(?!\d),?",
    re.IGNORECASE | re.ASCII,
)
_DAY_NUMBER = re.compile(r"\d{5}(\.\d+)?$", re.ASCII)
_TWELVE_HOURS = re.compile(
    r"(\d{1,2})(:\d{2}(?::\d{2})?)\s*([ap])\.?m\.?$", re.IGNORECASE | re.ASCII
)
_TIME = re.compile(
    r"(\d{1,2}:\d{2}(?::\d{2})?)(\.\d{1,9})?\s*(Z|UTC|[+-]\d{2}:?\d{2})?$",
    re.IGNORECASE | re.ASCII,
)


class ConversionError(ValueError):
    """The cell does not have the form that its target needs."""


@dataclass(frozen=True, slots=True)
class Options:
    """How the cells of one column are to be read where their text alone does not say it."""

    dates: str | None = None
    decimal: str = "."
    true: frozenset[str] = TRUE_WORDS
    false: frozenset[str] = FALSE_WORDS
    utc: bool = False


DEFAULT = Options()


def to_text(value: Any, options: Options) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return str(value)
    raise ConversionError(_("has to be a text"))


def to_digits(value: Any, options: Options) -> str:
    """A number that is a name: of a phone, a card, a customer. A spreadsheet that took it for an
    amount has kept its first digits only."""
    text = to_text(value, options)
    if "E+" in text and (match := _SHORTENED.match(text)):
        kept = len(match[1] or "") + 1
        message = _(
            "was shortened by a spreadsheet, which kept %(kept)s digits of it; "
            "make the column a text there, fill it anew and save the file again"
        )
        raise ConversionError(message % {"kept": kept})
    return text


def to_integer(value: Any, options: Options) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and (match := _INTEGER.match(value.strip())):
        return int(match[1])
    raise ConversionError(_("is not a whole number"))


def to_number(value: Any, options: Options) -> int:
    """A customer number, with or without the letters that people see before it."""
    if isinstance(value, str) and (match := _NUMBER.match(value.strip())):
        return int(match[1])
    return to_integer(value, options)


def to_decimal(value: Any, options: Options) -> Decimal:
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return Decimal(value)
    if not isinstance(value, str):
        raise ConversionError(_("is not a number"))
    text = value.strip()
    if options.decimal == ",":
        if _COMMA_DECIMAL.match(text):
            return Decimal(re.sub(r"[. ’']", "", text).replace(",", "."))
    elif _PLAIN_DECIMAL.match(text):
        return Decimal(text)
    elif _COMMA_DECIMAL.match(text):
        raise ConversionError(_('is written with a comma; say "decimal": "," in the mapping'))
    raise ConversionError(_("is not a number"))


def to_boolean(value: Any, options: Options) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).strip().casefold()
    if word in options.true:
        return True
    if word in options.false:
        return False
    raise ConversionError(_("is neither yes nor no (write 1 or 0, yes or no, true or false)"))


def to_date(value: Any, options: Options) -> Any:
    """An ISO date; `--MM-DD` where the year is unknown; BLANK for a date of zeroes.

    A time of day behind the date is dropped.
    """
    if not isinstance(value, str):
        raise ConversionError(_("is not a date (write YYYY-MM-DD)"))
    text, rest = _split_time(value)
    if rest and not _TIME.match(rest):
        raise ConversionError(_("is not a date (write YYYY-MM-DD)"))
    return _iso_date(text, options)


def to_moment(value: Any, options: Options) -> Any:
    """An ISO date, or date and time; with the offset only where the file states one."""
    if not isinstance(value, str):
        raise ConversionError(_("is not a date and time (write YYYY-MM-DD HH:MM:SS)"))
    text, rest = _split_time(value)
    day = _iso_date(text, options)
    if day is BLANK:
        return BLANK
    if day.startswith("--"):
        raise ConversionError(_("has no year"))
    if not rest:
        return day
    match = _TIME.match(rest)
    if not match:
        raise ConversionError(_("is not a date and time (write YYYY-MM-DD HH:MM:SS)"))
    clock, fraction, zone = match.groups()
    try:
        moment = datetime.time.fromisoformat(clock.zfill(5) if len(clock) < 6 else clock.zfill(8))
    except ValueError:
        raise ConversionError(_("has a time of day that does not exist")) from None
    offset = ""
    if zone or options.utc:
        offset = "+00:00" if (zone or "Z").upper() in ("Z", "UTC") else _offset(zone)
    return f"{day}T{moment.isoformat()}{(fraction or '')[:7]}{offset}"


def _offset(zone: str) -> str:
    digits = zone[1:].replace(":", "")
    if int(digits[:2]) > 14 or int(digits[2:]) > 59:
        raise ConversionError(_("has an offset from UTC that does not exist"))
    return f"{zone[0]}{digits[:2]}:{digits[2:]}"


def _split_time(value: str) -> tuple[str, str]:
    """Day and time of day; a day with its month in letters becomes an ISO date."""
    text = value.strip()
    if spelt := _SPELT.match(text):
        month, day, year = spelt.group(1, 2, 3) if spelt[1] else spelt.group(5, 4, 6)
        number = _MONTHS.split().index(month[:3].lower()) + 1
        return f"{year}-{number:02d}-{int(day):02d}", _in_24_hours(text[spelt.end() :].strip())
    for mark in ("T", " "):
        day, found, rest = text.partition(mark)
        if found and day[:1].isdigit():
            return day, _in_24_hours(rest.strip())
    return text, ""


def _in_24_hours(text: str) -> str:
    match = _TWELVE_HOURS.match(text)
    if not match or not 1 <= int(match[1]) <= 12:
        return text
    return f"{int(match[1]) % 12 + 12 * (match[3] in 'pP'):02d}{match[2]}"


def _iso_date(text: str, options: Options) -> Any:
    if not text.strip("0-/."):
        return BLANK
    if match := _YEAR_FIRST.match(text):
        year, _mark, month, day = match.groups()
    elif (match := _COMPACT.match(text)) or (match := _WITHOUT_YEAR.match(text)):
        year, month, day = ("0", *match.groups())[-3:]
    elif match := _YEAR_LAST.match(text):
        first, mark, second, year = match.groups()
        day, month = _day_and_month(first, second, mark, options)
    elif (match := _SHORT.match(text)) and (options.dates in ("DMY", "MDY") or match[2] == "/"):
        first, mark, second = match.groups()
        year = "0"
        day, month = _day_and_month(first, second, mark, options)
    elif _DAY_NUMBER.match(text):
        raise ConversionError(
            _(
                "is a spreadsheet's number of a day; make the column a date there (YYYY-MM-DD) "
                "and save the file again"
            )
        )
    else:
        raise ConversionError(_("is not a date (write YYYY-MM-DD)"))
    try:
        # In a leap year, so that the 29th of February may stand without its year.
        found = datetime.date(int(year) or 2000, int(month), int(day))
    except ValueError:
        raise ConversionError(_("is a day that does not exist")) from None
    return found.isoformat() if int(year) else f"--{found:%m-%d}"


def _day_and_month(first: str, second: str, mark: str, options: Options) -> tuple[str, str]:
    order = options.dates or date_order_of(first, second, mark)
    if order == "DMY":
        return first, second
    if order == "MDY":
        return second, first
    if order == "YMD":
        raise ConversionError(_("does not begin with the year"))
    raise ConversionError(
        _('may be day/month or month/day; say "dates": "DMY" or "MDY" in the mapping, or --dates')
    )


def date_order_of(first: str, second: str, mark: str) -> str | None:
    """The order that the two numbers prove, or None where both readings are possible."""
    # With dots the day is written first wherever dots are used.
    if mark == "." or int(first) > 12:
        return "DMY"
    if int(second) > 12:
        return "MDY"
    return "DMY" if first == second else None


def proven_date_order(value: Any) -> str | None:
    """What one cell says about the order in its column; None for nothing."""
    if not isinstance(value, str):
        return None
    day = _split_time(value)[0]
    match = _YEAR_LAST.match(day) or _SHORT.match(day)
    if not match or int(match[1]) == int(match[3]):
        return None
    return date_order_of(match[1], match[3], match[2])


def is_open_date(value: Any) -> bool:
    """Whether a cell is a date that could be read day first and month first."""
    if not isinstance(value, str):
        return False
    match = _YEAR_LAST.match(_split_time(value)[0])
    return bool(match and int(match[1]) != int(match[3]) and proven_date_order(value) is None)


def _choice(type_: str) -> Callable[[Any, Options], str]:
    words = _CHOICES[type_]

    def convert(value: Any, options: Options) -> str:
        word = words.get(str(value).strip().casefold())
        if word is None:
            known = ", ".join(dict.fromkeys(words.values()))
            raise ConversionError(_("is not one of %(known)s") % {"known": known})
        return word

    return convert


def to_labels(value: Any, options: Options) -> list[dict[str, str]]:
    """`key:value;key:value`, or from JSON a list of key and value, or an object."""
    value = _json_list(value)
    if isinstance(value, dict):
        pairs = list(value.items())
    elif isinstance(value, list):
        for item in value:
            if not isinstance(item, dict) or not item.keys() <= {"id", "key", "value"}:
                raise ConversionError(_("has to be a list of objects with key and value"))
        pairs = [(item.get("key"), item.get("value", "")) for item in value]
    elif isinstance(value, str):
        pairs = []
        for piece in filter(None, (part.strip() for part in value.split(";"))):
            key, colon, text = piece.partition(":")
            if not colon:
                message = _("has “%(piece)s” without a value (write key:value;key:value)")
                raise ConversionError(message % {"piece": piece})
            pairs.append((key.strip(), text.strip()))
    else:
        raise ConversionError(_("has to be written as key:value;key:value"))
    if not all(isinstance(key, str) and key and isinstance(text, str) for key, text in pairs):
        raise ConversionError(_("has a label without a key, or with a value that is not a text"))
    return [{"key": key, "value": text} for key, text in pairs]


def to_tags(value: Any, options: Options) -> list[dict[str, str]]:
    words = value if isinstance(value, list) else re.split(r"[,;]", str(value))
    if not all(isinstance(word, str) for word in words):
        raise ConversionError(_("has to be a list of words"))
    names = dict.fromkeys(filter(None, (word.strip() for word in words)))
    return [{"key": name, "value": "yes"} for name in names]


def to_groups(value: Any, options: Options) -> list[Any]:
    """`code;code`, or from JSON a list of codes and of objects as our records hold them.

    A code stands for itself; an object that states the flag becomes {"group", "subscribed"}.
    """
    value = _json_list(value)
    items = value if isinstance(value, list) else re.split(r"[;,]", str(value))
    found = {}
    for item in items:
        if isinstance(item, dict) and item.keys() <= {"code", "title", "subscribed"}:
            code, flag = item.get("code"), item.get("subscribed")
        else:
            code, flag = item, None
        if not isinstance(code, str) or not isinstance(flag, (bool, type(None))):
            raise ConversionError(_("has to be a list of group codes"))
        if code := code.strip():
            found[code] = code if flag is None else {"group": code, "subscribed": flag}
    return list(found.values())


def _json_list(value: Any) -> Any:
    """A list that a cell holds as JSON, because its parts hold the separators themselves."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def to_objects(value: Any, options: Options) -> list[dict[str, Any]]:
    """A list of objects, from JSON or from a cell that holds one."""
    value = _json_list(value)
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise ConversionError(_("has to be a list of objects"))
    return value


CONVERTERS: dict[str, Callable[[Any, Options], Any]] = {
    "text": to_text,
    "digits": to_digits,
    "integer": to_integer,
    "number": to_number,
    "decimal": to_decimal,
    "boolean": to_boolean,
    "date": to_date,
    "moment": to_moment,
    "labels": to_labels,
    "tags": to_tags,
    "groups": to_groups,
    "objects": to_objects,
    **{type_: _choice(type_) for type_ in _CHOICES},
}
