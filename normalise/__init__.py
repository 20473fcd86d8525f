"""What a value must look like before it is stored: one place for each rule.

The API, the back office, the dialects and the importer all call these functions, so that a
phone number, an e-mail address or a date means the same whichever way it came in.

Every `clean_*` function takes the raw value and returns the normalised one, or raises
Django's `ValidationError` with a plain sentence and a `code`; the caller adds the name of the
field. They are idempotent (cleaning a cleaned value changes nothing) and pure: no database, no
settings, no clock but where a docstring says so. Nothing that belongs to a person is memoised:
a cache would outlive an erasure.
"""

from .emails import clean_email, email_key
from .jsons import json_bytes, json_bytes_of_texts
from .masking import mask_email, mask_phone
from .moments import (
    BirthDate,
    clean_birth_date,
    clean_date_in_order,
    parse_instant,
)
from .numbers import (
    clean_bool,
    clean_currency,
    clean_decimal,
    clean_int,
    minor_unit_places,
    to_minor_units,
)
from .phones import (
    Phone,
    clean_phone,
    clean_strict_phone,
    is_valid_e164,
    login_phone_key,
    national_digits,
    phone_digits,
    reversed_digits,
)
from .places import clean_country, clean_language, clean_timezone
from .searching import Term, email_part, fold, search_terms, search_text
from .text import build_name, clean_identifier, clean_text
from .vat import clean_vat_number

__all__ = [
    "BirthDate",
    "Phone",
    "Term",
    "build_name",
    "clean_birth_date",
    "clean_bool",
    "clean_country",
    "clean_currency",
    "clean_date_in_order",
    "clean_decimal",
    "clean_email",
    "clean_identifier",
    "clean_int",
    "clean_language",
    "clean_phone",
    "clean_strict_phone",
    "clean_text",
    "clean_timezone",
    "clean_vat_number",
    "email_key",
    "email_part",
    "fold",
    "is_valid_e164",
    "json_bytes",
    "json_bytes_of_texts",
    "login_phone_key",
    "mask_email",
    "mask_phone",
    "minor_unit_places",
    "national_digits",
    "parse_instant",
    "phone_digits",
    "reversed_digits",
    "search_terms",
    "search_text",
    "to_minor_units",
]
