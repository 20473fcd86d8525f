"""From rows to documents: rows of one number joined, every cell cleaned, every fault named."""

from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from customers.imports.errors import RowError
from customers.imports.matching import key_of
from customers.imports.report import describe
from loyalty.amounts import THOUSANDTHS, money_in, number_in
from loyalty.imports.columns import LINE, MATCHES, PurchaseRule
from loyalty.models import Transaction, TransactionLine
from loyalty.services.documents import LARGEST_AMOUNT, Document, clean_document
from tenancy.models import Store

Kind = Transaction.Kind
_SALE = (
    "sale s sales purchase order invoice receipt verkauf kauf rechnung salg kjop faktura vente"
    " achat facture"
)
_RETURN = (
    "return r returned refund credit creditnote credit_note credit-note gutschrift retoure storno"
    " retur kreditnota retour avoir"
)
KINDS = {
    **dict.fromkeys(_SALE.split(), Kind.SALE),
    **dict.fromkeys(_RETURN.split(), Kind.RETURN),
}
# What the rows of one document say alike.
HEAD = (
    *MATCHES.values(),
    *("kind", "revises", "purchased_at", "amount", "delivery_amount", "excluded_amount"),
    *("currency", "store"),
)
DERIVED = "-"  # stands for a number that is made later


@dataclass(slots=True)
class Draft:
    """A document as the file tells it: where it starts, its rows, what they say, what is wrong."""

    line: int
    record: dict
    raw: list
    lines: list = field(default_factory=list)
    errors: list = field(default_factory=list)

    @property
    def rows(self):
        return len(self.raw)


@dataclass(slots=True)
class Candidate:
    """A cleaned draft: its Document (None where `errors` say why not) and whose it is, as
    (match, key). `lost` is why its customer cannot be settled, `earlier` counts the same rows that
    stood above it in the file."""

    draft: Draft
    key: tuple | None = None
    document: Document | None = None
    errors: list = field(default_factory=list)
    lost: list = field(default_factory=list)
    earlier: int | None = None


def read_drafts(plan):
    """All documents of a plan's source, in flat memory."""
    mapping, known = plan.mapping, plan.mapping.columns | plan.mapping.ignored
    is_json, before = not plan.source.is_table, None
    for row in plan.source:
        shaped = mapping.apply(row)
        if is_json and (unknown := row.values.keys() - known):
            shaped.errors += [
                RowError(name, row.values[name], PurchaseRule.unknown(name))
                for name in sorted(unknown)
            ]
        draft = _draft(shaped)
        if not plan.by_lines:
            yield draft
        elif before is not None and _continues(before, draft):
            _join(before, draft, plan)
        else:
            if before is not None:
                yield before
            before = draft
    if before is not None:
        yield before


def _draft(shaped):
    head = {name: value for name, value in shaped.record.items() if not name.startswith(LINE)}
    article = {
        name.removeprefix(LINE): value
        for name, value in shaped.record.items()
        if name.startswith(LINE)
    }
    lines = [*head.pop("lines", ()), *([article] if article else ())]
    errors = [
        describe(error.line or shaped.line, error.column, error.value, error.message)
        for error in shaped.errors
    ]
    return Draft(shaped.line, head, shaped.raw, lines, errors)


def _continues(before, draft):
    number = draft.record.get("number")
    return number is not None and number == before.record.get("number")


def _join(document, row, plan):
    """Add a further row of the same document."""
    for name in HEAD:
        value = row.record.get(name)
        if value is None:
            continue
        if document.record.setdefault(name, value) != value:
            hint = f"; map the column to {LINE}amount" if name == "amount" else ""
            message = _("differs from line %(line)d of the same document") % {"line": document.line}
            row.errors.append(describe(row.line, plan.label(name), str(value), f"{message}{hint}"))
    document.lines += row.lines
    document.errors += row.errors
    document.raw += row.raw


# Columns of a document that are judged without looking at the others.
_APART = ("number", "purchased_at")


class Cleaner:
    """Cleans the drafts of one file for one tenant."""

    def __init__(self, tenant, plan):
        self.tenant, self.plan = tenant, plan
        self._stores = None

    def clean(self, draft):
        """A Candidate, whole or with every reason why not."""
        candidate = Candidate(draft, errors=list(draft.errors))
        fields, record = {}, draft.record
        candidate.key = self._collect(candidate, self._key, record)
        amounts = {
            name: self._collect(candidate, self._amount, name, record.get(name))
            for name in ("amount", "delivery_amount", "excluded_amount")
        }
        lines = self._collect(candidate, self._lines, draft.lines)
        if amounts["amount"] is None and lines and "amount" not in record:
            amounts["amount"] = sum(line["amount"] for line in lines)
        fields["kind"] = self._collect(candidate, self._kind, record, amounts["amount"])
        fields["store"] = self._collect(candidate, self._store, record.get("store"))
        self._collect(candidate, self._check_currency, record.get("currency"))
        if candidate.errors and fields["kind"] is None:
            fields["kind"] = Transaction.Kind.RETURN if record.get("revises") else None
        try:
            document = clean_document(
                number=record.get("number") if self.plan.numbered else DERIVED,
                revises=record.get("revises", ""),
                purchased_at=record.get("purchased_at"),
                amount=amounts["amount"],
                delivery_amount=amounts["delivery_amount"] or 0,
                excluded_amount=amounts["excluded_amount"] or 0,
                lines=lines or (),
                **fields,
            )
        except ValidationError as refusal:
            if candidate.errors:
                # Of a row that is refused already, what does not follow from the first reason.
                found = refusal.error_dict
                apart = {name: found[name] for name in _APART if name in found}
                refusal = ValidationError(apart) if apart else None
            if refusal:
                told = {fault["column"] for fault in candidate.errors}
                candidate.errors += [
                    fault for fault in self.told(refusal, draft) if fault["column"] not in told
                ]
        else:
            candidate.document = None if candidate.errors else document
        return candidate

    def told(self, refusal, draft):
        """A refusal of the services in the words of the file."""
        faults = []
        for name, errors in refusal.error_dict.items():
            line, target = draft.line, name
            if name.startswith("lines."):
                _lines, place, *column = name.split(".")
                line = draft.raw[min(int(place), draft.rows - 1)].line
                target = LINE + column[0] if column else "lines"
            value = draft.record.get(target)
            faults += [
                describe(line, self.plan.label(target), value and str(value), message)
                for error in errors
                for message in error.messages
            ]
        return faults

    def _collect(self, candidate, clean, *args):
        try:
            return clean(*args)
        except ValidationError as refusal:
            candidate.errors += self.told(refusal, candidate.draft)
            return None

    def _key(self, record):
        for match in self.plan.matches:
            target = MATCHES[match]
            if record.get(target) is None:
                continue
            return match, _named(target, key_of, self.tenant, match, record[target])
        target = MATCHES[self.plan.matches[0]]
        raise _refusal(target, _("Nothing says whose this is."), "required")

    def _amount(self, name, value):
        if value is None:
            return None
        return _named(name, money_in, value, self.tenant.currency, minimum=-LARGEST_AMOUNT)

    def _kind(self, record, amount):
        if self.plan.kind is not None:
            return self.plan.kind
        word = record.get("kind")
        if word is not None:
            kind = KINDS.get(word.strip().casefold())
            if kind is None:
                message = _("Is neither a sale nor a return; translate it in a mapping file.")
                raise _refusal("kind", message, "invalid_choice")
            return kind
        return Kind.RETURN if amount is not None and amount < 0 else Kind.SALE

    def _lines(self, lines):
        return [self._line(place, line) for place, line in enumerate(lines)]

    def _line(self, place, line):
        clean = {name: value for name, value in line.items() if value is not None}
        unknown = set(clean) - set(TransactionLine.FIELDS)
        if unknown:
            raise _refusal(f"lines.{place}.{min(unknown)}", _("Unknown field."), "unknown")
        clean["amount"] = _named(
            f"lines.{place}.amount",
            money_in,
            clean.get("amount", 0),
            self.tenant.currency,
            minimum=-LARGEST_AMOUNT,
        )
        clean["quantity"] = _named(
            f"lines.{place}.quantity",
            number_in,
            clean.get("quantity", 1),
            THOUSANDTHS,
            minimum=-LARGEST_AMOUNT,
        )
        return clean

    def _store(self, code):
        if code is None:
            return None
        if self._stores is None:
            self._stores = {store.code.casefold(): store for store in Store.objects.all()}
        store = self._stores.get(str(code).strip().casefold())
        if store is None:
            raise _refusal("store", _("There is no such store."), "does_not_exist")
        return store

    def _check_currency(self, currency):
        if currency is not None and currency.strip().upper() != self.tenant.currency:
            message = _("The shop's currency is %(currency)s.") % {"currency": self.tenant.currency}
            raise _refusal("currency", message, "invalid_currency")


def _named(target, clean, *args, **options):
    """Clean a value; a refusal gets the name of its column."""
    try:
        return clean(*args, **options)
    except ValidationError as refusal:
        raise ValidationError({target: refusal.error_list}) from refusal


def _refusal(target, message, code):
    return ValidationError({target: ValidationError(message, code=code)})
