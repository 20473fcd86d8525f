"""Countries, languages and time zones, by the data of CLDR and IANA."""

import re
from functools import lru_cache
from zoneinfo import available_timezones

from babel import Locale, UnknownLocaleError
from babel.core import get_global
from babel.languages import get_official_languages
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from .searching import fold
from .text import OUTER_SPACE

_LONGEST = 100

# CLDR's territories of two letters that are not in ISO 3166-1: groups, reservations, islands
# that have a code for their post only. Kosovo's XK stays: everybody uses it.
_NOT_COUNTRIES = frozenset(
    ("AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ")
)

# What people write that neither ISO nor CLDR's English lists, by the key of `_name_key`.
_ALIASES = {
    "GB": "UK, Great Britain, Britain, England, Scotland, Wales, Northern Ireland,"
    "United Kingdom of Great Britain and Northern Ireland",
    "US": "USA, United States of America, America",
    "NL": "Holland, The Netherlands",
    "CZ": "Czech Republic",
    "SK": "Slovak Republic",
    "IE": "Republic of Ireland, Eire",
    "TR": "Turkey",
    "KR": "Korea, Republic of Korea",
    "KP": "Democratic People's Republic of Korea",
    "RU": "Russian Federation",
    "CN": "People's Republic of China, Mainland China",
    "HK": "Hong Kong",
    "MO": "Macao, Macau",
    "TW": "Taiwan Province of China, Chinese Taipei",
    "VN": "Viet Nam",
    "LA": "Lao People's Democratic Republic",
    "MM": "Myanmar, Burma",
    "CI": "Ivory Coast",
    "CD": "Democratic Republic of the Congo, DR Congo, Zaire",
    "CG": "Republic of the Congo, Congo Republic",
    "SZ": "Swaziland",
    "MK": "Macedonia, FYROM",
    "MD": "Republic of Moldova",
    "CV": "Cabo Verde",
    "TL": "East Timor",
    "VA": "Holy See, Vatican",
    "PS": "Palestine, State of Palestine",
    "SY": "Syrian Arab Republic",
    "IR": "Islamic Republic of Iran",
    "TZ": "United Republic of Tanzania",
    "VE": "Bolivarian Republic of Venezuela",
    "BO": "Plurinational State of Bolivia",
    "BN": "Brunei Darussalam",
    "FM": "Federated States of Micronesia",
    "AE": "UAE, Emirates",
    "FK": "Falkland Islands",
}
_ALPHA_2_ALIASES = {"UK": "GB", "EL": "GR"}

_LANGUAGE_TAG = re.compile(r"([a-z]{2,3})(?:-([a-z]{4}))?(?:-([a-z]{2}|[0-9]{3}))?")


def clean_country(value, *, locale=None):
    """Return the ISO 3166-1 alpha-2 code of a country; '' stays ''.

    `value` is an alpha-2 or alpha-3 code or a name: in English, in an official language of the
    country itself (`Deutschland`), in the language `locale` where one is given, or one of the
    usual other names (UK, USA, Holland, Czech Republic). Case, accents, dots and "the" in front
    do not matter. A name that could mean two countries is refused like an unknown one.
    """
    if isinstance(value, str) and len(value) <= _LONGEST:
        text = value.strip(OUTER_SPACE)
        if not text:
            return ""
        code = _country_by_code(text.upper()) if text.isascii() else None
        code = code or _country_by_name(text, str(locale) if locale else None)
        if code:
            return code
    raise ValidationError(
        _("Enter a country by its code, such as NO, or by its name."), code="invalid_country"
    )


def clean_language(value):
    """Return a BCP 47 tag in its usual letter case (`en`, `nb`, `pt-BR`); '' stays ''.

    Three-letter and withdrawn codes become the two-letter one of today (`eng` is `en`, `iw` is
    `he`); an underscore counts as a hyphen. Refuses names of languages and what CLDR does not
    know.
    """
    if isinstance(value, str) and len(value) <= _LONGEST:
        text = value.strip(OUTER_SPACE)
        if not text:
            return ""
        tag = _language_tag(text.lower().replace("_", "-"))
        if tag:
            return tag
    raise ValidationError(
        _("Enter a language by its code, such as en or pt-BR."), code="invalid_language"
    )


def clean_timezone(value):
    """Return the IANA name of a time zone in its own letter case; '' stays ''."""
    if isinstance(value, str) and len(value) <= _LONGEST:
        name = value.strip(OUTER_SPACE)
        if not name:
            return ""
        found = _timezones().get(name.lower())
        if found:
            return found
    raise ValidationError(
        _("Enter a time zone by its name, such as Europe/Oslo."), code="invalid_timezone"
    )


def _country_by_code(code):
    if len(code) == 2:
        return code if code in _alpha_2() else _ALPHA_2_ALIASES.get(code)
    if len(code) == 3:
        return _alpha_3().get(code)
    return None


def _country_by_name(text, locale):
    key = _name_key(text)
    code = _english_names().get(key)
    if code is None and locale:
        code = _names_in(locale).get(key)
    return code or _local_names().get(key)


@lru_cache(maxsize=1)
def _alpha_2():
    territories = Locale("en").territories
    return frozenset(
        code
        for code in territories
        if len(code) == 2 and code.isalpha() and code not in _NOT_COUNTRIES
    )


@lru_cache(maxsize=1)
def _alpha_3():
    return {
        alias: codes[0]
        for alias, codes in get_global("territory_aliases").items()
        if len(alias) == 3 and alias.isalpha() and len(codes) == 1 and codes[0] in _alpha_2()
    }


@lru_cache(maxsize=1)
def _english_names():
    names = dict(_names_in("en"))
    for code, aliases in _ALIASES.items():
        names.update((_name_key(alias), code) for alias in aliases.split(","))
    return names


@lru_cache(maxsize=64)
def _names_in(locale):
    """Return the countries' names in one language; none where the language is not known."""
    try:
        territories = Locale.parse(locale.replace("-", "_")).territories
    except (UnknownLocaleError, ValueError):
        return {}
    return {_name_key(territories[code]): code for code in _alpha_2() if code in territories}


@lru_cache(maxsize=1)
def _local_names():
    """Return every country's name in its official languages.

    Reads some hundred locales, a quarter of a second, once, and only when neither a code nor
    an English name nor the tenant's language has settled the matter.
    """
    found = {}
    for code in sorted(_alpha_2()):
        for language in get_official_languages(code, regional=True, de_facto=True):
            try:
                name = Locale.parse(language).territories.get(code)
            except (UnknownLocaleError, ValueError):
                continue
            if name:
                found.setdefault(_name_key(name), set()).add(code)
    return {name: codes.pop() for name, codes in found.items() if len(codes) == 1}


def _name_key(name):
    """Return the form in which names are compared: folded, without "the", "and" and blanks."""
    words = [word for word in fold(name).split() if word != "and"]
    if words[:1] == ["the"]:
        del words[0]
    return "".join(words)


@lru_cache(maxsize=512)
def _language_tag(tag):
    parts = _LANGUAGE_TAG.fullmatch(tag)
    if parts is None:
        return None
    language, script, region = parts.groups()
    current = get_global("language_aliases").get(language)
    if current and current.isalpha() and len(current) == 2:
        language = current
    script = script and script.title()
    region = region and region.upper()
    english = Locale("en")
    if (
        language not in english.languages
        or (script and script not in english.scripts)
        or (region and region not in english.territories)
    ):
        return None
    return "-".join(part for part in (language, script, region) if part)


@lru_cache(maxsize=1)
def _timezones():
    # Files of the zone database that are no zones stand in the same folder.
    return {
        name.lower(): name
        for name in available_timezones()
        if name not in ("Factory", "localtime", "posixrules")
    }
