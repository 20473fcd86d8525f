"""What lists and searches ask: criteria, order and page, by Flow Retail's names and rules."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import F, OuterRef, Subquery
from django.utils.translation import gettext_lazy as _

import normalise
from customers.models import Address, Customer, Email, Phone
from customers.search import (
    narrow_by_contact_person,
    narrow_by_email,
    narrow_by_typed_phone,
    narrow_by_vat_number,
    narrow_by_words,
)
from customers.stores import find_store
from tenancy.scoping import current_tenant

LONGEST_TEXT = 200
MOST_WORDS = 10
LARGEST_PAGE_NUMBER = 10**9
SCOPES = (CUSTOMER_SCOPE, CONTACT_SCOPE) = ("CUSTOMER", "CONTACT")
# The fields that `query` looks at, and the criterion that takes a field out of them.
SEARCHED = {
    **dict.fromkeys(("first_name", "last_name", "city", "postal_code", "company_name")),
    **{"phone": "mobile", "email": "email", "vat_number": "vat_number"},
}


def _primary(model, column):
    rows = model.objects.filter(customer=OuterRef("pk"), primary=True)
    return Subquery(rows.order_by().values(column)[:1])


SORTS = {
    "customerUid": "id",
    "customerType": "kind",
    "displayName": "name",
    "firstname": "first_name",
    "lastname": "last_name",
    "companyName": "company_name",
    "externalId": "external_id",
    "ledgerNumber": "ledger_number",
    "vatNumber": "vat_number",
    "loyaltyId": "card_number",
    "origin": "origin",
    "paymentTerms": "payment_terms_days",
    "createdAt": "created_at",
    "lastModifiedAt": "updated_at",
    "email": (Email, "address"),
    "mobile": (Phone, "given"),
    "address": (Address, "street"),
    "city": (Address, "city"),
    "postalCode": (Address, "postal_code"),
    "countryCode": (Address, "country"),
}


# --- Pages -----------------------------------------------------------------------------------
def page_of(asked):
    """(page number from 1, rows per page); raises ValidationError by parameter."""
    number = _whole(asked, "pageNumber", 1, LARGEST_PAGE_NUMBER)
    return number, _whole(asked, "pageSize", settings.API_PAGE_SIZE, settings.API_MAX_PAGE_SIZE)


def _whole(asked, name, default, maximum):
    if asked.get(name) is None:
        return default
    try:
        return normalise.clean_int(asked[name], minimum=1, maximum=maximum)
    except ValidationError as error:
        raise ValidationError({name: error.error_list}) from error


def order_of(asked):
    """(sortBy or None, whether it descends); raises ValidationError by parameter."""
    errors = {}
    name, direction = asked.get("sortBy"), asked.get("sortDirection", "ASC")
    if name is not None and name not in SORTS:
        errors["sortBy"] = _one_of(SORTS)
    if direction not in ("ASC", "DESC"):
        errors["sortDirection"] = _one_of(("ASC", "DESC"))
    if errors:
        raise ValidationError(errors)
    return name, direction == "DESC"


def ordered(customers, asked):
    """By `sortBy` and `sortDirection`, by the time of creation unless named; nobody stands twice
    or between two pages, because the key decides among equals."""
    name, descends = order_of(asked)
    column = SORTS[name or "createdAt"]
    term = F(column) if isinstance(column, str) else _primary(*column)
    key = F("id")
    if descends:
        return customers.order_by(term.desc(nulls_last=True), key.desc())
    return customers.order_by(term.asc(nulls_last=True), key.asc())


def _one_of(words):
    listed = _("Must be one of: %s.") % ", ".join(words)
    return ValidationError(listed, code="invalid_choice")


# --- Criteria --------------------------------------------------------------------------------
def listed(asked):
    """The customers of a list: all, or the one with exactly this `customerExternalId`."""
    if "customerExternalId" not in asked:
        return Customer.objects.all()
    wanted = text_of(asked, "customerExternalId")
    return Customer.objects.known_as("external_id", wanted) if wanted else Customer.objects.none()


def searched(criteria):
    """The customers that all criteria leave; raises ValidationError by our names of them.

    A field with a criterion of its own is not looked at by `query`.
    """
    query = text_of(criteria, "query")
    own = {name: text_of(criteria, name) for name in ("mobile", "email", "vat_number")}
    whole = bool(criteria.get("exact"))
    words = query.split()
    if len(words) > MOST_WORDS:
        many = _("At most %(n)d words.") % {"n": MOST_WORDS}
        raise ValidationError({"query": ValidationError(many, code="max_length")})
    found = Customer.objects.all()
    if _scope(criteria) == CONTACT_SCOPE:
        found = narrow_by_contact_person(
            found, words=words, email=own["email"], mobile=own["mobile"], whole=whole
        )
        own = {"vat_number": own["vat_number"]}
    elif words:
        fields = [name for name, taken in SEARCHED.items() if not (taken and own[taken])]
        country = current_tenant().country
        found = narrow_by_words(found, query, fields, country=country, whole=whole)
    found = _narrowed(found, own, whole)
    return _placed(found, criteria)


def _narrowed(found, own, whole):
    if own.get("mobile"):
        country = current_tenant().country
        found = narrow_by_typed_phone(found, own["mobile"], country=country, whole=whole)
    if own.get("email"):
        found = narrow_by_email(found, own["email"], whole=whole)
    if own.get("vat_number"):
        found = narrow_by_vat_number(found, own["vat_number"], whole=whole)
    return found


def _placed(found, criteria):
    if criteria.get("at_store") is not None:
        store = find_store(criteria["at_store"])
        found = found.tied_to(store) if store else found.none()
    if criteria.get("created_at") is not None:
        try:
            since = normalise.parse_instant(criteria["created_at"], tz=current_tenant().timezone)
        except ValidationError as error:
            raise ValidationError({"created_at": error.error_list}) from error
        found = found.filter(created_at__gte=since)
    return found


def _scope(criteria):
    scope = criteria.get("scope")
    if scope is not None and scope not in SCOPES:
        raise ValidationError({"scope": _one_of(SCOPES)})
    return scope or CUSTOMER_SCOPE


def text_of(asked, name):
    """A text to look for, "" where there is none; raises ValidationError for what is none."""
    value = asked.get(name)
    if value is None:
        return ""
    try:
        return normalise.clean_text(value, max_length=LONGEST_TEXT)
    except ValidationError as error:
        raise ValidationError({name: error.error_list}) from error
