"""Finding customers by what people type.

Each term is routed by what it looks like: a customer number to the number, digits and words to the
folded text of the record. All terms must match. The folded text is one column and each condition
speaks of columns of the customer alone, so that one trigram index serves them where the database
has one; results are the same without.
"""

import contextlib

from django.core.exceptions import ValidationError
from django.db.models import CharField, Exists, OuterRef, Q, TextField
from django.db.models.lookups import BuiltinLookup, IContains

import normalise
from customers.models import Address, Customer, Email, Label, Phone
from customers.querysets import known_as

WILDCARD = "%"
LONGEST_NUMBER = 18  # digits that surely fit into 64 bits
# Stand in the folded text.
SEARCHED_COLUMNS = {"first_name", "last_name", "company_name", "external_id", "card_number"}
SEARCHED_COLUMNS |= {"username"}
MIN_PART = 3  # shorter words match only the beginning of a word


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
    for term in terms:
        customers = customers.filter(_condition(term))
    return customers


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


def narrow_by_text(customers, column, text, *, whole=False):
    """Customers whose `column` contains `text`, or with `whole` is it, in any letter case."""
    condition = _like(column, text, "iexact" if whole else "icontains")
    if column in Customer.FOLLOWED:
        former = Customer.with_merged.filter(condition, merged_into__isnull=False)
        condition |= Q(pk__in=former.order_by().values("merged_into"))
    return _prepared(customers, text).filter(condition)


def narrow_by_email(customers, text, *, whole=False):
    """Customers with an e-mail (a contact point or sign-in) that contains `text`, or is it."""
    key = normalise.email_key(text)
    if whole:
        return customers.with_email(key)
    rows = Email.objects.filter(customer=OuterRef("pk"), address_key__contains=key)
    return _prepared(customers, text).filter(Exists(rows))


def narrow_by_phone(customers, text, *, whole=False):
    """Customers with a phone (a contact point or sign-in) that has the digits of `text` in a row,
    or no others."""
    digits = normalise.phone_digits(text)
    if not digits:
        return customers.none()
    if whole:
        return customers.with_phone(digits)
    rows = Phone.objects.filter(customer=OuterRef("pk"), digits__contains=digits)
    return _prepared(customers, digits).filter(Exists(rows))


def narrow_by_address(customers, column, text, *, whole=False):
    """Customers with an address whose `column` contains `text`, or with `whole` is it."""
    condition = _like(column, text, "iexact" if whole else "icontains")
    rows = Address.objects.filter(condition, customer=OuterRef("pk"))
    return customers.filter(Exists(rows))


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


def narrow_by_label(customers, *, key="", value=""):
    """Customers with a label of this key and value, in any letter case; "" is any."""
    rows = Label.objects.filter(customer=OuterRef("pk"))
    if key:
        rows = rows.filter(_like("key", key, "iexact"))
    if value:
        rows = rows.filter(_like("value", value, "iexact"))
    return customers.filter(Exists(rows))


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
    if number.isdigit() and upper.startswith("CUST-") and len(number) <= LONGEST_NUMBER:
        return Customer.objects.known_as("number", int(number)).first()
    for column in ("external_id", "card_number", "username"):
        found = Customer.objects.known_as(column, text).first()
        if found:
            return found
    return None
