"""The customer list's questions: filters, order and page, by Open Loyalty's names and rules."""

from datetime import timedelta
from urllib.parse import unquote

from django.core.exceptions import ValidationError
from django.db.models import Case, F, Q, Value, When
from django.utils.translation import gettext_lazy as _

import normalise
from customers.models import Customer
from customers.search import (
    narrow_by_address,
    narrow_by_email,
    narrow_by_label,
    narrow_by_phone,
    narrow_by_text,
)
from loyalty.finding import (
    average_between,
    between,
    bought_since,
    has_assigned_level,
    narrow_by_account,
    with_average_order,
    with_order_of,
)
from normalise import minor_unit_places
from tenancy import clock

PER_PAGE = 10
# Of what comes in pages only.
MOST = 1_000
LONGEST_TEXT = 254
MOST_LABELS = 20
HOURS_OF_A_CENTURY = 100 * 366 * 24
TEXTS = {"firstName": "first_name", "lastName": "last_name", "loyaltyCardNumber": "card_number"}
SORTS = {
    "customerId": ["id"],
    "firstName": ["first_name"],
    "lastName": ["last_name"],
    "gender": ["gender"],
    "email": ["login_email"],
    "phone": ["login_phone"],
    "birthDate": ["birth_year", "birth_month", "birth_day"],
    "loyaltyCardNumber": ["card_number"],
    "createdAt": ["created_at"],
    "updatedAt": ["updated_at"],
    "posId": ["home_store_id"],
    "sellerId": ["seller_id"],
    "active": [Case(When(status=Customer.Status.ACTIVE, then=Value(1)), default=Value(0))],
}
COUNTERS = {
    "transactionsAmount": "transactions_amount",
    "transactionsCount": "transactions_count",
}
ACCOUNT_SORTS = {
    "levelId": "level",
    "transactionsCount": "transactions_count",
    # The vendor's own text calls it so.
    "transactionCount": "transactions_count",
    "transactionsAmount": "transactions_amount",
    "transactionsAmountWithoutDeliveryCosts": "amount_without_delivery",
    "amountExcludedForLevel": "excluded_amount",
    "firstPurchaseAt": "first_purchase_at",
    "lastTransactionDate": "last_purchase_at",
    "lastLevelRecalculation": "recalculated_at",
}
# Beyond every sum, and far below what 64 bits hold times a number of purchases.
LARGEST = 100_000_000


def narrowed(customers, asked, *, currency):
    """The customers that all filters in `asked` leave, amounts being in `currency`; raises
    ValidationError by parameter.

    Text matches as a part of the value, with `strict` as the whole of it; `null` is no filter.
    """
    whole = text_of(asked, "strict") in ("1", "true")
    for name, column in TEXTS.items():
        if text := text_of(asked, name):
            customers = narrow_by_text(customers, [column], text, whole=whole)
    if text := text_of(asked, "email"):
        customers = narrow_by_email(customers, text, whole=whole)
    if text := text_of(asked, "phone"):
        customers = narrow_by_phone(customers, text, whole=whole)
    if text := text_of(asked, "emailOrPhone"):
        customers = by_email_or_phone(customers, text, whole=whole)
    if (hours := _age(asked, "hoursFromLastUpdate")) is not None:
        customers = customers.filter(updated_at__gte=clock.now() - timedelta(hours=hours))
    if conditions := _of_account(asked, currency):
        customers = narrow_by_account(customers, *conditions)
    return _labelled(customers, asked.get("labels"))


def _of_account(asked, currency):
    """The conditions on level and purchases."""
    conditions = []
    for name, places in (("transactionsAmount", minor_unit_places(currency)),
                         ("averageTransactionAmount", minor_unit_places(currency)),
                         ("transactionsCount", 0)):  # fmt: skip
        exact = _bound(asked, name, places)
        least = _bound(asked, f"{name}From", places) if exact is None else exact
        most = _bound(asked, f"{name}To", places) if exact is None else exact
        if least is None and most is None:
            continue
        if name == "averageTransactionAmount":
            conditions.append(average_between(least, most))
        else:
            conditions.append(between(COUNTERS[name], least, most))
    if (days := _age(asked, "daysFromLastTransaction")) is not None:
        conditions.append(bought_since(clock.now() - timedelta(days=days)))
    if text_of(asked, "manuallyAssignedLevel") not in ("", "0", "false"):
        conditions.append(has_assigned_level())
    return conditions


def _age(asked, name):
    """The longest time since something, by the document's name or, without its `To`, by that of the
    vendor's last release; None where it does not matter."""
    for spelt in (f"{name}To", name):
        if text_of(asked, spelt):
            return _number(asked, spelt)
    return None


def _bound(asked, name, places):
    """A bound as a count of the last decimal, or None; raises ValidationError."""
    text = text_of(asked, name)
    if not text:
        return None
    try:
        number = normalise.clean_decimal(text, places=places, minimum=-LARGEST, maximum=LARGEST)
    except ValidationError as error:
        raise ValidationError({name: error.error_list}) from error
    return int(number.scaleb(places))


def by_email_or_phone(customers, text, *, whole):
    """Customers with an e-mail or a phone like `text`."""
    found = narrow_by_email(customers, text, whole=whole).values("pk")
    called = narrow_by_phone(customers, text, whole=whole).values("pk")
    return customers.filter(Q(pk__in=found) | Q(pk__in=called))


def searched(customers, values):
    """The customers of a till's search: every value is a part of what is there."""
    for name, column in TEXTS.items():
        if values.get(name):
            customers = narrow_by_text(customers, [column], values[name])
    if values.get("email"):
        customers = narrow_by_email(customers, values["email"])
    if values.get("phone"):
        customers = narrow_by_phone(customers, values["phone"])
    for name, column in (("city", "city"), ("postcode", "postal_code")):
        if values.get(name):
            customers = narrow_by_address(customers, [column], values[name])
    return customers


def _labelled(customers, labels):
    if labels in (None, ""):
        return customers
    if isinstance(labels, dict):
        labels = list(labels.values())
    if not isinstance(labels, list) or len(labels) > MOST_LABELS:
        raise _refused("labels", _("Name each as labels[0][key] and labels[0][value]."))
    for label in labels:
        if not isinstance(label, dict):
            raise _refused("labels", _("Name each as labels[0][key] and labels[0][value]."))
        key, value = text_of(label, "key"), text_of(label, "value")
        if key or value:
            customers = narrow_by_label(customers, key=key, value=value)
    return customers


def ordered(customers, asked):
    """By `sort` and `direction`: `asc` ascends, every other word descends; a name that is none is
    ignored. The newest first unless asked otherwise."""
    sort = text_of(asked, "sort")
    if sort in ACCOUNT_SORTS:
        customers = with_order_of(customers, ACCOUNT_SORTS[sort])
        terms = [f"order_{ACCOUNT_SORTS[sort]}"]
    elif sort == "averageTransactionAmount":
        customers, terms = with_average_order(customers), ["order_average"]
    else:
        terms = SORTS.get(sort, ["created_at"])
    ascending = text_of(asked, "direction").lower() == "asc"

    def term(column):
        column = F(column) if isinstance(column, str) else column
        return column.asc(nulls_last=True) if ascending else column.desc(nulls_last=True)

    return customers.order_by(*map(term, [*terms, *([] if terms == ["id"] else ["id"])]))


def page_of(asked):
    """(first row, number of rows or None for all of them)."""
    page = max(_whole(asked, "page"), 1)
    per_page = _whole(asked, "perPage") or PER_PAGE
    return ((page - 1) * per_page, per_page) if per_page > 0 else (0, None)


def _whole(asked, name):
    """A number as PHP reads one: what is none is 0."""
    text = text_of(asked, name)
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 9):
        return 0
    return int(text)


def _number(asked, name):
    """A number of hours or days; raises ValidationError."""
    try:
        return float(
            normalise.clean_decimal(
                text_of(asked, name), places=6, minimum=0, maximum=HOURS_OF_A_CENTURY
            )
        )
    except ValidationError as error:
        raise ValidationError({name: error.error_list}) from error


def text_of(asked, name):
    """A parameter as text, "" where it is not there; raises ValidationError for what is none."""
    value = asked.get(name)
    if value is None or value == "null":
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if not isinstance(value, (str, int)):
        raise _refused(name, _("This must be text."))
    # Clients of this API are used to a second decoding.
    text = unquote(str(value)) if "%" in str(value) else str(value)
    try:
        return normalise.clean_text(text, max_length=LONGEST_TEXT)
    except ValidationError as error:
        raise ValidationError({name: error.error_list}) from error


def _refused(name, message):
    return ValidationError({name: ValidationError(message, code="invalid")})
