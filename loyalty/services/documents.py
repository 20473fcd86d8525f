"""What a message about a sale or a return may say, and how two messages are compared."""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

import normalise
from loyalty.models import Transaction, TransactionLine
from tenancy import clock
from tenancy.models import Store
from tenancy.scoping import current_tenant

# Nobody sells for more, and the sum of a million such sales stays within 64 bits.
LARGEST_AMOUNT = 1_000_000_000_000
MOST_LINES = 1_000
# A till whose clock runs ahead, or that is in another time zone, is no reason to lose a sale.
AHEAD = timedelta(days=1)
LINE_TEXTS = ("sku", "name", "category", "maker")


@dataclass(slots=True)
class Document:
    """A sale or a return as it came in, clean: amounts positive and in minor units."""

    number: str
    kind: str
    revises: str
    purchased_at: datetime
    amount: int
    delivery_amount: int
    excluded_amount: int
    store: Store | None
    lines: list = field(default_factory=list)
    _hash: str = ""

    @property
    def is_return(self):
        return self.kind == Transaction.Kind.RETURN

    @property
    def content_hash(self):
        """What tells a repeated message from one that says something else under its number."""
        if not self._hash:
            said = [
                self.kind,
                self.revises,
                self.purchased_at.astimezone(UTC).isoformat(),
                self.amount,
                self.delivery_amount,
                self.excluded_amount,
                self.store and str(self.store.pk),
                self.lines,
            ]
            text = json.dumps(said, sort_keys=True, ensure_ascii=False)
            self._hash = hashlib.sha256(text.encode()).hexdigest()
        return self._hash


def clean_document(
    *,
    number,
    kind=Transaction.Kind.SALE,
    revises="",
    purchased_at,
    amount,
    delivery_amount=0,
    excluded_amount=0,
    store=None,
    lines=(),
):
    """A Document from a message.

    Amounts are whole minor units; those of a return may have either sign. `purchased_at` is an
    instant or ISO 8601 text (local time where it names no zone). `store` is a Store of the tenant
    or None. `lines` are dicts by the names of TransactionLine.FIELDS, quantity in thousandths.

    Raises one ValidationError that names every bad field (`lines.<n>.<field>` for lines).
    """
    errors = {}

    def collect(name, clean, *args, **options):
        try:
            return clean(*args, **options)
        except ValidationError as error:
            errors[name] = error.error_list
            return None

    def refuse(name, message, code):
        errors.setdefault(name, ValidationError(message, code=code))

    number = collect("number", normalise.clean_identifier, number, max_length=120)
    if number is None:
        refuse("number", _("This field is required."), "required")
    if kind not in Transaction.Kind.values:
        refuse("kind", _("Use sale or return."), "invalid_choice")
    is_return = kind == Transaction.Kind.RETURN
    revises = collect("revises", normalise.clean_identifier, revises, max_length=120) or ""
    if revises and not is_return:
        refuse("revises", _("Only a return names the sale that it belongs to."), "invalid")
    if revises and revises == number:
        refuse("revises", _("A return has a number of its own."), "invalid")
    at = collect("purchased_at", clean_purchased_at, purchased_at)
    whole = collect("amount", clean_amount, amount, either_sign=is_return)
    parts = [
        collect(name, _clean_part, value, whole, either_sign=is_return)
        for name, value in (
            ("delivery_amount", delivery_amount),
            ("excluded_amount", excluded_amount),
        )
    ]
    if store is not None and not isinstance(store, Store):
        refuse("store", _("There is no such store."), "does_not_exist")
    try:
        lines = clean_lines(lines)
    except ValidationError as error:
        errors |= error.error_dict
    if errors:
        raise ValidationError(errors)
    return Document(number, str(kind), revises, at, whole, *parts, store, lines)


def clean_purchased_at(value):
    """The instant of a purchase; raises ValidationError for one that is to come."""
    if value in (None, ""):
        raise ValidationError(_("This field is required."), code="required")
    instant = normalise.parse_instant(value, tz=current_tenant().timezone)
    if instant > clock.now() + AHEAD:
        raise ValidationError(_("Lies in the future."), code="future")
    return instant


def clean_amount(value, *, either_sign=False):
    """Whole minor units, not negative; with `either_sign` without their sign."""
    if value is None:
        raise ValidationError(_("This field is required."), code="required")
    least = -LARGEST_AMOUNT if either_sign else 0
    return abs(normalise.clean_int(value, minimum=least, maximum=LARGEST_AMOUNT))


def _clean_part(value, whole, *, either_sign):
    part = clean_amount(value or 0, either_sign=either_sign)
    if whole is not None and part > whole:
        raise ValidationError(_("This is more than the amount."), code="max_value")
    return part


def clean_lines(lines):
    """Clean dicts, in the order given. Raises ValidationError naming `lines` or what in it."""
    if lines is None:
        return []
    if not isinstance(lines, (list, tuple)):
        raise ValidationError({"lines": ValidationError(_("Must be a list."), code="invalid")})
    if len(lines) > MOST_LINES:
        too_many = _("At most %(n)d entries.") % {"n": MOST_LINES}
        raise ValidationError({"lines": ValidationError(too_many, code="max_length")})
    clean, errors = [], {}
    for index, line in enumerate(lines):
        try:
            clean.append(_clean_line(line))
        except ValidationError as error:
            path = f"lines.{index}"
            if hasattr(error, "error_dict"):
                errors |= {f"{path}.{name}": e for name, e in error.error_dict.items()}
            else:
                errors[path] = error.error_list
    if errors:
        raise ValidationError(errors)
    return clean


def _clean_line(line):
    if not isinstance(line, dict):
        raise ValidationError(_("Must be an object."), code="invalid")
    errors = {
        name: ValidationError(_("Unknown field."), code="unknown")
        for name in set(line) - set(TransactionLine.FIELDS)
    }
    values = {}
    for name in TransactionLine.FIELDS:
        try:
            values[name] = _clean_cell(name, line.get(name))
        except ValidationError as error:
            errors[name] = error.error_list
    if errors:
        raise ValidationError(errors)
    return values


def _clean_cell(name, value):
    if name in LINE_TEXTS:
        longest = TransactionLine._meta.get_field(name).max_length
        return normalise.clean_text(value or "", max_length=longest)
    if value is None:
        return 1_000 if name == "quantity" else 0
    return normalise.clean_int(value, minimum=-LARGEST_AMOUNT, maximum=LARGEST_AMOUNT)
