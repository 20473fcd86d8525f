"""Finding customers by what people type.

Each term is routed by what it looks like: a customer number to the number, digits and words to the
folded text of the record. All terms must match. The folded text is one column and each condition
speaks of columns of the customer alone, so that one trigram index serves them where the database
has one; results are the same without.
"""

import contextlib
import re

from django.core.exceptions import ValidationError
from django.db.models import CharField, F, Q, TextField, Value
from django.db.models.functions import Replace
from django.db.models.lookups import BuiltinLookup, IContains

import normalise
from customers.models import Address, ContactPerson, Customer, Email, Label, Phone
from customers.querysets import known_as

WILDCARD = "%"
LONGEST_NUMBER = 18  # digits that surely fit into 64 bits
# Stand in the folded text.
SEARCHED_COLUMNS = {"first_name", "last_name", "company_name", "external_id", "card_number"}
SEARCHED_COLUMNS |= {"username"}
NAMES = ("first_name", "last_name", "company_name")
PLACES = ("city", "postal_code")
MIN_PART = 3  # shorter words match only the beginning of a word
_SEPARATORS = re.compile(r"[ .,:/\-]+")
_PHONE = re.compile(r"[+0-9 ().\-/]*[0-9][+0-9 ().\-/]*")


class Pattern(IContains):
    """`column__pattern=text`: the whole column in any letter case, where % in the text is any
    characters and everything else means itself."""

    def process_rhs(self, compiler, connection):
        sql, (text,) = BuiltinLookup.process_rhs(self, compiler, connection)
        parts = map(connection.ops.prep_for_like_query, text.split(WILDCARD))
        return sql, [WILDCARD.join(parts)]


for _field in (CharField, TextField):
    _field.register_lookup(Pattern, "pattern")


def search_customers(customers, q):
    """Narrow a customer queryset to the matches of `q`; an empty `q` narrows nothing.

    `q` may hold names in any order, with or without accents and capitals, an e-mail, a phone
    number in any format or its last digits, a card number or a customer number.
    """
    terms = normalise.search_terms(q)
    if not terms and str(q or "").strip():
        return customers.none()  # punctuation alone: nobody is called that
    condition = Q()
    for term in terms:
        condition &= _condition(term)
    part = normalise.email_part(q)
    if part is not None and len(part.value) >= MIN_PART:
        # What looks like several words, or a number in groups, may stand in one e-mail.
        condition |= _condition(part)
    return customers.filter(condition)


def _condition(term):
    if term.kind == "number":
        if len(term.value) > LONGEST_NUMBER:
            return Q(pk=None)
        return known_as(Customer, "number", int(term.value))
    if term.kind == "digits":
        return _digits_condition(term.value)
    if len(term.value) < MIN_PART:
        return Q(search_text__contains=f" {term.value}")
    return Q(search_text__contains=term.value)


def _digits_condition(digits):
    # The folded text holds phones in their international and national form, so a number dialled
    # with its international or trunk prefix is found without it.
    condition = Q(search_text__contains=digits)
    if digits.startswith("0") and digits.strip("0"):
        condition |= Q(search_text__contains=digits.lstrip("0"))
    if len(digits) <= LONGEST_NUMBER:
        condition |= Q(number=int(digits))
    return condition


def with_contact(customers, contact, *, country):
    """The customers with exactly this e-mail or phone, as contact point or sign-in; None where the
    text is neither. `country` is whose way of writing phones counts."""
    try:
        if "@" in contact:
            return customers.with_email(normalise.email_key(normalise.clean_email(contact)))
        phone = normalise.clean_phone(contact, country=country)
    except ValidationError:
        return None
    return customers.with_phone(phone.digits)


def narrow_by_text(customers, columns, text, *, whole=False):
    """Customers of whom one of `columns` contains `text`, or with `whole` is it, in any letter
    case."""
    condition = Q()
    for column in columns:
        own = _like(column, text, "iexact" if whole else "icontains")
        condition |= own
        if column in Customer.FOLLOWED:
            former = Customer.with_merged.filter(own, merged_into__isnull=False)
            condition |= Q(pk__in=former.order_by().values("merged_into"))
    return _prepared(customers, text).filter(condition)


def narrow_by_email(customers, text, *, whole=False):
    """Customers with an e-mail (a contact point or sign-in) that contains `text`, or is it."""
    key = normalise.email_key(text)
    if whole:
        return customers.with_email(key)
    return _having(_prepared(customers, text), Email.objects.filter(address_key__contains=key))


def narrow_by_phone(customers, text, *, whole=False):
    """Customers with a phone (a contact point or sign-in) that has the digits of `text` in a row,
    or no others."""
    digits = normalise.phone_digits(text)
    if not digits:
        return customers.none()
    if whole:
        return customers.with_phone(digits)
    return _having(_prepared(customers, digits), Phone.objects.filter(digits__contains=digits))


def narrow_by_typed_phone(customers, text, *, country, whole=False):
    """Customers with a phone in which the digits of `text` stand in a row, or with `whole` are all
    there is: those of the number as it was given or of its international form, however `text` is
    grouped. `country` is whose way of writing phones counts."""
    digits = normalise.phone_digits(text)
    if not digits:
        return customers.none()
    condition = Q(digits=digits) if whole else Q(digits__contains=digits)
    international = Q(digits=_international(text, country))
    if text.strip().startswith(("+", "00")):
        condition |= international
    elif whole:
        # The country's own form of a number is that number only where it was given so.
        condition |= international & ~Q(given__startswith="+") & ~Q(given__startswith="00")
    elif digits.startswith("0") and digits.strip("0"):
        condition |= Q(digits__contains=digits.lstrip("0"))
    return _having(customers, Phone.objects.filter(condition))


def _international(text, country):
    try:
        return normalise.clean_phone(text, country=country).digits
    except ValidationError:
        return normalise.phone_digits(text)


def narrow_by_vat_number(customers, text, *, whole=False):
    """Customers whose VAT number contains `text`, or is it, with or without its blanks and dots."""
    lookup = "iexact" if whole else "icontains"
    compact = _SEPARATORS.sub("", text)
    # The index of those who have one is a short one.
    return customers.exclude(vat_number="").filter(
        _like("vat_number", text.strip(), lookup) | _like("vat_number", compact or text, lookup)
    )


def narrow_by_address(customers, columns, text, *, whole=False):
    """Customers with an address of which one of `columns` contains `text`, or is it."""
    condition = Q()
    for column in columns:
        condition |= _like(column, text, "iexact" if whole else "icontains")
    return _having(customers, Address.objects.filter(condition))


def _having(customers, rows):
    """Those of the customers who have one of these rows. No EXISTS: where the rows have to be
    walked through, SQLite would do it once for each customer."""
    return customers.filter(pk__in=rows.order_by().values("customer"))


def by_pattern(column, pattern):
    """The condition that `column` is `pattern`, in any letter case, where % is any characters and
    everything else means itself."""
    return _like(column, pattern, "pattern")


def narrow_by_pattern(customers, column, pattern):
    """Customers of whom `column` is `pattern` (see `by_pattern`)."""
    if column in SEARCHED_COLUMNS:
        for part in pattern.split(WILDCARD):
            customers = _prepared(customers, part)
    return customers.filter(by_pattern(column, pattern))


def narrow_by_words(customers, text, fields, *, country, whole=False):
    """Customers of whom every word of `text` is part of one of the `fields`; with `whole`, of whom
    one field is `text`, or every word of it is a whole field.

    `fields` are of first_name, last_name, company_name, vat_number, email, phone, city and
    postal_code.
    """
    if whole:
        words = customers
        for word in text.split():
            words = words.filter(pk__in=_in_any(word, fields, country, whole=True))
        at_once = _in_any(text, fields, country, whole=True)
        return customers.filter(Q(pk__in=at_once) | Q(pk__in=words.order_by().values("pk")))
    for word in text.split():
        customers = customers.filter(pk__in=_in_any(word, fields, country, whole=False))
    return customers


def _in_any(text, fields, country, *, whole):
    """The keys of those with `text` in one of the fields: one query for each, each by its own
    index, put together."""
    everybody = Customer.objects.order_by()
    together = NAMES, PLACES  # where the rows have to be walked through, then once for all
    alone = [[name] for name in fields if not any(name in names for names in together)]
    groups = [*alone, *([name for name in fields if name in names] for names in together)]
    found = [
        _in_one_of(everybody, names, text, country, whole).values("pk") for names in groups if names
    ]
    return found[0].union(*found[1:])


def _in_one_of(customers, names, text, country, whole):
    match names:
        case ["email"]:
            return narrow_by_email(customers, text, whole=whole)
        case ["phone"]:
            if not _PHONE.fullmatch(text):
                return customers.none()
            return narrow_by_typed_phone(customers, text, country=country, whole=whole)
        case ["vat_number"]:
            return narrow_by_vat_number(customers, text, whole=whole)
    if names[0] in PLACES:
        return narrow_by_address(customers, names, text, whole=whole)
    return narrow_by_text(customers, names, text, whole=whole)


def narrow_by_contact_person(customers, *, words=(), email="", mobile="", whole=False):
    """Customers with one contact person of whom each of `words` is part of a name, the e-mail or
    the mobile, and who has this `email` and `mobile`; with `whole`, each is one of them whole."""
    lookup = "iexact" if whole else "icontains"
    rows = ContactPerson.objects.annotate(bare=_bare("mobile"))
    for word in words:
        condition = Q()
        for column in ("first_name", "last_name", "email"):
            condition |= _like(column, word, lookup)
        if _PHONE.fullmatch(word) and normalise.phone_digits(word):
            condition |= Q(**{f"bare__{lookup}": normalise.phone_digits(word)})
        rows = rows.filter(condition)
    if email:
        rows = rows.filter(_like("email", email, lookup))
    if mobile:
        rows = rows.filter(**{f"bare__{lookup}": normalise.phone_digits(mobile) or mobile})
    return _having(customers, rows)


def _bare(column):
    """A phone's column without what people put between its digits."""
    bare = F(column)
    for mark in "+ ()-./":
        bare = Replace(bare, Value(mark), Value(""))
    return bare


def narrow_by_label(customers, *, key="", value=""):
    """Customers with a label of this key and value, in any letter case; "" is any."""
    rows = Label.objects.all()
    if key:
        rows = rows.filter(_like("key", key, "iexact"))
    if value:
        rows = rows.filter(_like("value", value, "iexact"))
    return _having(customers, rows)


def _prepared(customers, text):
    """Narrow by the folded text first, which has an index where the database knows of any: what
    holds `text` holds its folded words too."""
    for word in normalise.fold(text).split():
        if len(word) >= MIN_PART:
            customers = customers.filter(search_text__contains=word)
    return customers


def _like(column, text, lookup):
    condition = Q(**{f"{column}__{lookup}": text})
    if text.isascii():
        return condition
    # SQLite knows the letter case of ASCII alone.
    exact = lookup.removeprefix("i")
    for form in {text.lower(), text.upper(), text.title()}:
        condition |= Q(**{f"{column}__{exact}": form})
    return condition


def find_customer(reference):
    """The customer that a person or file names by id, number, external id, card or username,
    also by one of a record that was merged into it.

    Returns None where nothing or nobody matches exactly.
    """
    text = str(reference or "").strip()
    if not text or "\0" in text or len(text) > 254:
        return None
    with contextlib.suppress(ValidationError, ValueError):
        found = Customer.objects.known_as("pk", text).first()
        if found:
            return found
    upper = text.upper()
    number = upper.removeprefix("CUST-")
    if number.isdecimal() and upper.startswith("CUST-") and len(number) <= LONGEST_NUMBER:
        return Customer.objects.known_as("number", int(number)).first()
    for column in ("external_id", "card_number", "username"):
        found = Customer.objects.known_as(column, text).first()
        if found:
            return found
    return None
