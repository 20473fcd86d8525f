"""The customer list's questions: which customers, in which order, how many of them."""

from django.core.exceptions import ValidationError
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

import normalise
from customers.models import Customer
from customers.search import (
    narrow_by_address,
    narrow_by_email,
    narrow_by_phone,
    narrow_by_text,
    search_customers,
    with_contact,
)
from dialects.fieldpine import english, hints
from dialects.fieldpine.fields import PHYSKEY, UUID_TEXT

PAGE = 100
LARGEST = 999_999_999
TEXTS = {
    "name": "name",
    "firstname": "first_name",
    "lastname": "last_name",
    "companyname": "company_name",
    "company": "company_name",
}
ADDRESS = {"address": "street", "city": "city", "postcode": "postal_code"}
AMOUNTS = {"creditlimit": "credit_limit", "floorlimit": "floor_limit"}
FLAGS = {"eucitizen": "eu_citizen", "donotuse": "hidden", "excludeloyalty": "no_loyalty"}
LOOKUPS = {"=": "", "<": "__lt", "<=": "__lte", ">": "__gt", ">=": "__gte"}
SORTS = {
    "editdtu": "updated_at",
    "name": "name",
    "firstname": "first_name",
    "lastname": "last_name",
    "companyname": "company_name",
    "cid": "number",
    "customerid": "id",
}


# --- Which ---------------------------------------------------------------------------------------
def narrowed(asked, *, tenant):
    """The customers of the tenant that `englishquery` and `filter` leave; the anonymised are
    nobody's any more. Raises ValidationError by parameter."""
    customers = _filtered(Customer.objects.identifiable(), asked.get("filter", ""))
    meaning = english.read(asked.get("englishquery", ""))
    if meaning is None:
        return customers
    # Who is not to be used is not found by words, as in the back office; a phrase that asks for
    # changes, or for the flag itself, finds them.
    if english.holds_words(meaning) and not english.names_field(meaning, "donotuse"):
        customers = customers.filter(hidden=False)
    return _meant(meaning, customers, tenant)


def _filtered(customers, text):
    """`account`: who has a charge account that is not retired; `account=1234`: whose it is."""
    if not text.strip():
        return customers
    name, equals, number = (part.strip() for part in text.partition("="))
    if name.lower() != "account" or (equals and not number):
        known = _("Either account or account=<number>.")
        raise ValidationError({"filter": ValidationError(known, code="invalid")})
    return _with_account(customers, number or None, "filter")


def _with_account(customers, number, parameter="englishquery"):
    customers = customers.filter(charge_account__retired=False)
    if number is None:
        return customers
    try:
        number = normalise.clean_identifier(number, max_length=40)
    except ValidationError as error:
        raise ValidationError({parameter: error.error_list}) from error
    return customers.filter(charge_account__number=number)


def _meant(meaning, customers, tenant):
    kind = meaning[0]
    if kind == "words":
        return search_customers(customers, meaning[1])
    if kind == "all":
        for part in meaning[1]:
            customers = _meant(part, customers, tenant)
        return customers
    if kind in ("any", "not"):
        parts = meaning[1] if kind == "any" else [meaning[1]]
        condition = Q()
        for part in parts:
            found = _meant(part, Customer.objects.all(), tenant)
            condition |= Q(pk__in=found.order_by().values("pk"))
        return customers.filter(condition if kind == "any" else ~condition)
    return PHRASES[kind](customers, *meaning[1:], tenant=tenant)


def _moment(customers, column, begin, after, end, *, tenant):
    bounds = {f"{column}__gte": begin, f"{column}__gt": after, f"{column}__lt": end}
    return customers.filter(**{name: bound for name, bound in bounds.items() if bound})


def _text(customers, name, value, whole, *, tenant):
    if name == "customerid":
        known = UUID_TEXT.fullmatch(value)
        return customers.known_as("pk", value) if known else customers.none()
    if name == "physkey":
        key = PHYSKEY.fullmatch(value)
        return customers.known_as("number", int(key[1])) if key else customers.none()
    if name == "email":
        return narrow_by_email(customers, value, whole=whole)
    if name in ADDRESS:
        return narrow_by_address(customers, [ADDRESS[name]], value, whole=whole)
    if name in TEXTS:
        return narrow_by_text(customers, [TEXTS[name]], value, whole=whole)
    return _phone(customers, value, whole, tenant)


def _phone(customers, value, whole, tenant):
    if not whole:
        return narrow_by_phone(customers, value)
    if "@" in value:
        return customers.none()
    found = with_contact(customers, value, country=tenant.country)
    return customers.none() if found is None else found


def _number(customers, name, sign, value, *, tenant):
    try:
        if name == "cid":
            column, number = "number", normalise.clean_int(value)
        else:
            column, number = AMOUNTS[name], normalise.to_minor_units(value, tenant.currency)
    except ValidationError as error:
        raise english.Refused(error.messages[0]) from error
    if abs(number) > 2**63 - 1:
        raise english.Refused(_("This number is too large."))
    return customers.filter(**{f"{column}{LOOKUPS[sign]}": number})


def _flag(customers, name, value, *, tenant):
    return customers.filter(**{FLAGS[name]: value})


def _account(customers, number, *, tenant):
    return _with_account(customers, number)


PHRASES = {
    "moment": _moment,
    "text": _text,
    "number": _number,
    "flag": _flag,
    "account": _account,
}


# --- In which order, how many --------------------------------------------------------------------
def ordered(customers, asked):
    """By `sort` (`Name`, `EditDtu desc`), else by the hints in `option` and then the newest edit
    first. Total: the id comes last."""
    words = asked.get("sort", "").lower().split()
    if not words:
        hinted = hints.order_of(asked.get("option", ""))
        return customers.order_by(*hinted, "-updated_at", "-id")
    if words[0] not in SORTS or len(words) > 2 or words[1:] not in ([], ["asc"], ["desc"]):
        known = _("One of %(names)s, then asc or desc.") % {"names": ", ".join(sorted(SORTS))}
        raise ValidationError({"sort": ValidationError(known, code="invalid_choice")})
    column, down = SORTS[words[0]], words[1:] == ["desc"]
    terms = dict.fromkeys((column, "id"))
    return customers.order_by(*[F(name).desc() if down else F(name).asc() for name in terms])


def page_of(asked):
    """(first row, number of rows or None for all of them); a page beyond "everything" is empty."""
    limit = _whole(asked, "limit", PAGE, 0)
    page = _whole(asked, "page", 1, 1)
    if limit == 0:
        return (0, None) if page == 1 else (0, 0)
    return (page - 1) * limit, limit


def _whole(asked, name, default, least):
    if not asked.get(name, "").strip():
        return default
    try:
        return normalise.clean_int(asked[name].strip(), minimum=least, maximum=LARGEST)
    except ValidationError as error:
        raise ValidationError({name: error.error_list}) from error
