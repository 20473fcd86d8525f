"""Requests of people about their data: written down, checked, held, answered.

Nothing is handed out, erased or changed before somebody has said how the identity of the person was
checked. A request is answered once; each step stands in its history.
"""

import calendar
from datetime import date
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

import normalise
from customers.models import Consent, Customer, DataRequest
from customers.services.changes import CustomerGone
from customers.services.consents import record_consent
from customers.services.erasure import refuse_telling_reason
from customers.services.exporting import export_customer
from customers.services.holdings import merged_records
from customers.services.lifecycle import deactivate_customer
from customers.services.updating import update_customer
from events.actors import current
from events.services import build_history, clean_reason
from tenancy import clock
from tenancy.integrity import refusals
from tenancy.scoping import current_tenant

Kind, State = DataRequest.Kind, DataRequest.State
SUBJECT = "data_request"
OPEN_ONCE = {
    "data_request_open_once": ("kind", _("The same was asked for already, and is not answered.")),
}
MONTHS, MOST_MONTHS = 1, 3
CHOICES = {"kind": Kind, "channel": DataRequest.Channel, "identity": DataRequest.Identity}


# --- Days --------------------------------------------------------------------------------------
def months_later(day, months):
    """The same day so many months later, or the last of that month where it has no such day."""
    year, month = divmod(day.month - 1 + months, 12)
    last = calendar.monthrange(day.year + year, month + 1)[1]
    return date(day.year + year, month + 1, min(day.day, last))


def today(tenant):
    """The date where the tenant is."""
    return clock.now().astimezone(ZoneInfo(tenant.timezone)).date()


def days_left(request):
    """How many days there are to answer a request; below zero when it is overdue."""
    return (request.due_on - today(request.tenant)).days


# --- Whom it is about --------------------------------------------------------------------------
def ids_of(customer):
    """The ids under which something may have been asked about a customer: its own, and those of
    records that were merged into it."""
    return [customer.pk, *(record.pk for record in merged_records(customer))]


def customer_of(request):
    """The customer that a request is about, of a merged record the one that is left; None when it
    was deleted."""
    found = Customer.with_merged.filter(pk=request.customer_id).first()
    if found is not None and found.merged_into_id:
        return Customer.objects.filter(pk=found.merged_into_id).first()
    return found


# --- Writing down ------------------------------------------------------------------------------
def open_data_request(customer, *, kind, channel, received_on=None, identity="", note=""):
    """Write down what a customer asks for; returns the DataRequest.

    `received_on` is a date of the past, today when left out; the request is due a month later.
    Raises ValidationError by field: a value that is none, the same asked for already (code
    "unique"), a customer of whom nothing is left (`customer`, code "anonymised").
    """
    tenant = current_tenant()
    values = _clean(tenant, kind, channel, received_on, identity, note)
    if customer.anonymised_at:
        gone = ValidationError(_("This customer was anonymised; nothing is left."), "anonymised")
        raise ValidationError({"customer": gone})
    who = current().actor.label[:254]
    request = DataRequest(
        tenant=tenant,
        customer_id=customer.pk,
        due_on=months_later(values["received_on"], MONTHS),
        created_by=who,
        **values,
    )
    if values["identity"]:
        request.identified_at, request.identified_by = clock.now(), who
    with transaction.atomic(), refusals(OPEN_ONCE):
        request.save(force_insert=True)
        _tell(request, "received", {"kind": [None, request.kind], "due_on": [None, request.due_on]})
    return request


def _clean(tenant, kind, channel, received_on, identity, note):
    errors, values = {}, {}
    given = {"kind": kind, "channel": channel, "identity": identity or ""}
    for name, value in given.items():
        if value == "" and name == "identity":
            values[name] = ""
        elif value in CHOICES[name].values:
            values[name] = value
        else:
            known = ", ".join(CHOICES[name].values)
            errors[name] = ValidationError(_("Must be one of: %s.") % known, code="invalid")
    try:
        values["received_on"] = _day(received_on) or today(tenant)
        if values["received_on"] > today(tenant):
            raise ValidationError(_("The day is in the future."), code="invalid")
        if values["received_on"].year < 2000:
            raise ValidationError(_("The day is too long ago."), code="invalid")
    except ValidationError as error:
        errors["received_on"] = error
    try:
        values["note"] = normalise.clean_text(note or "", max_length=2000, multiline=True)
    except ValidationError as error:
        errors["note"] = error
    if errors:
        raise ValidationError(errors)
    return values


def _day(value):
    if value in (None, ""):
        return None
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValidationError(_("Must be a date such as 2025-12-31."), code="invalid") from None


# --- On the way --------------------------------------------------------------------------------
def confirm_identity(request, identity):
    """Say how the identity of the person was checked; by the present actor."""
    if identity not in DataRequest.Identity.values:
        known = ", ".join(DataRequest.Identity.values)
        wrong = ValidationError(_("Must be one of: %s.") % known, code="invalid")
        raise ValidationError({"identity": wrong})
    with _locked(request) as locked:
        before, locked.identity = locked.identity, identity
        locked.identified_at, locked.identified_by = clock.now(), current().actor.label[:254]
        _save(locked, "identified", {"identity": [before or None, identity]})
    return _refreshed(request)


def hold_data_request(request, *, reason, until=None):
    """Put a request on hold, or give it more time: until a day at most three months after it was
    received (article 12). The reason is told to the person, and stays."""
    with _locked(request) as locked:
        reason = _said(locked, reason)
        latest = months_later(locked.received_on, MOST_MONTHS)
        try:
            day = _day(until) or locked.due_on
            if not locked.received_on <= day <= latest:
                words = _("At most three months after it was received: %(day)s.")
                raise ValidationError(words % {"day": latest.isoformat()}, code="invalid")
        except ValidationError as error:
            raise ValidationError({"until": error}) from error
        changes = {"state": [locked.state, State.HELD], "due_on": [locked.due_on, day]}
        locked.state, locked.due_on, locked.reason = State.HELD, day, reason
        _save(locked, "held", changes, reason)
    return _refreshed(request)


def resume_data_request(request):
    """Take a request off hold; the day on which it is due stays."""
    with _locked(request) as locked:
        if locked.state != State.HELD:
            raise ValidationError(_("The request is not on hold."), code="request_state")
        locked.state, locked.reason = State.OPEN, ""
        _save(locked, "resumed", {"state": [State.HELD, State.OPEN]})
    return _refreshed(request)


# --- Answers -----------------------------------------------------------------------------------
def hand_out(request):
    """The copy of everything held about the customer, for the person; that it was handed out
    stands on record. Raises ValidationError, with the code "identity_unchecked" before somebody has
    said how the identity was checked."""
    with _locked(request) as locked:
        customer = _identified(locked)
        export = export_customer(customer)
        before, locked.exported_at = locked.exported_at, clock.now()
        if before is None:
            _save(locked, "handed_out", {"exported_at": [None, locked.exported_at]})
        else:
            locked.save(update_fields=["exported_at"])
    request.refresh_from_db()
    return export


def refuse_data_request(request, *, reason):
    """Refuse what was asked for. The reason is told to the person, and stays."""
    with _locked(request) as locked:
        reason = _said(locked, reason)
        _close(locked, State.REFUSED, reason)
    return _refreshed(request)


def complete_data_request(request, *, reason="", deactivate=False):
    """Answer a request that is about access or an objection; an erasure is done by
    `erasure_receipts.anonymise_with_receipt`, which closes it.

    Access is done when the copy was handed out (`hand_out`). An objection withdraws the consent to
    marketing and marks the customer as one who wants no unsolicited mail; `deactivate` blocks the
    customer too (restriction). Raises ValidationError: code "identity_unchecked" as `hand_out`
    does, "request_state" where something is missing.
    """
    with _locked(request) as locked:
        reason = _said(locked, reason, required=False)
        customer = _identified(locked)
        if locked.kind == Kind.ACCESS and locked.exported_at is None:
            raise ValidationError(
                _("The copy of the data was not handed out yet."), code="request_state"
            )
        if locked.kind == Kind.ERASE:
            raise ValidationError(
                _("It is done by anonymising the customer."), code="request_state"
            )
        if locked.kind == Kind.OBJECT:
            _object(customer, deactivate)
        _close(locked, State.DONE, reason)
    return _refreshed(request)


def _object(customer, deactivate):
    record_consent(customer, purpose=Consent.MARKETING, granted=False, source="data request")
    update_customer(customer, no_email=True)
    if deactivate and customer.status != Customer.Status.BLOCKED:
        deactivate_customer(customer)


def answer_erasures(customers):
    """What was asked about the erasure of these customers is done: they are being anonymised or
    deleted, by whatever door. Called within that transaction, by the table of hooks."""
    asked = DataRequest.objects.about(customer.pk for customer in customers)
    for locked in asked.to_answer().filter(kind=Kind.ERASE).select_for_update():
        _close(locked, State.DONE, "")


def keep_scan(customer_id, scan):
    """Keep with the requests that an erasure answered what a search found afterwards: how much was
    searched, and where something is left."""
    left = [{name: hit[name] for name in ("table", "column", "count")} for hit in scan["left"]]
    found = {"clean": scan["clean"], "searched": scan["searched"], "left": left}
    asked = DataRequest.objects.about([customer_id]).filter(kind=Kind.ERASE, state=State.DONE)
    asked.filter(scan__isnull=True).update(scan=found)


# --- Shared ------------------------------------------------------------------------------------
class _locked:
    """A request under lock, in a transaction of its own; one that is answered is refused."""

    def __init__(self, request):
        self.pk = request.pk
        self.transaction = transaction.atomic()

    def __enter__(self):
        self.transaction.__enter__()
        try:
            found = DataRequest.objects.select_for_update().get(pk=self.pk)
            if not found.is_open:
                raise ValidationError(_("The request is answered already."), code="request_state")
            return found
        except BaseException as error:
            self.transaction.__exit__(type(error), error, error.__traceback__)
            raise

    def __exit__(self, *exception):
        return self.transaction.__exit__(*exception)


def _identified(locked):
    """The customer, once somebody has checked who is asking."""
    if not locked.identity:
        raise ValidationError(
            _("First say how the identity of the person was checked."), code="identity_unchecked"
        )
    customer = customer_of(locked)
    if customer is None:
        raise CustomerGone
    return customer


def _said(locked, reason, *, required=True):
    """A reason that stays, and so must not name the person."""
    reason = clean_reason(reason)
    if required and not reason:
        raise ValidationError({"reason": ValidationError(_("Say why."), code="required")})
    customer = customer_of(locked)
    if customer is not None:
        refuse_telling_reason(customer, reason)
    return reason


def _close(locked, state, reason):
    changes = {"state": [locked.state, state]}
    locked.state, locked.reason = state, reason
    locked.closed_at, locked.closed_by = clock.now(), current().actor.label[:254]
    _save(locked, state, changes, reason)


def _save(locked, deed, changes, reason=""):
    locked.save()
    _tell(locked, deed, changes, reason)


def _tell(request, deed, changes, reason=""):
    told = {
        name: [value if value is None else str(value) for value in values]
        for name, values in changes.items()
    }
    build_history(
        request.tenant, SUBJECT, request.pk, deed=f"{SUBJECT}.{deed}", changes=told, reason=reason
    ).save(force_insert=True)


def _refreshed(request):
    request.refresh_from_db()
    return request
