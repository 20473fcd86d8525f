"""The one way in which a customer's row changes.

`open_change` locks the customer, collects what the deed sets, and on leaving writes the row, its
history and its events once: a deed made of several deeds moves `version` and `updated_at` once,
one that changes nothing moves neither.
"""

from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

import normalise
from customers.hooks import hooks
from customers.models import Consent, Customer
from customers.services.uniqueness import taken_named
from events.kinds import kind_named
from events.models import Event
from events.services import build_event, build_history, write_history
from tenancy import clock
from tenancy.bulk import insert_rows, update_rows

SEARCHED = {
    *("name", "first_name", "last_name", "company_name", "emails", "phones", "contact_persons"),
    *("external_id", "username", "card_number", "login_email", "login_phone", "merged_from"),
}
TICK = timedelta(microseconds=1)
# A survivor may be merged, or parted again, in the moment between two looks.
LONGEST_CHASE = 10


class VersionConflict(Exception):
    """The record is no longer at the version that the caller has seen."""

    def __init__(self, current):
        super().__init__("The customer has changed meanwhile.")
        self.current = current


class CustomerGone(Exception):
    """There is no such customer (any more) in this tenant."""


_open = ContextVar("open_customer_changes", default=None)
_eventless = ContextVar("customer_events_left_out", default=False)


@contextmanager
def without_customer_events():
    """Changes inside leave their history but no event of their own: an import tells of itself
    once instead of a million times."""
    token = _eventless.set(True)
    try:
        yield
    finally:
        _eventless.reset(token)


def events_left_out():
    """Whether that is so now; apps that tell of a customer by events of their own ask it too."""
    return _eventless.get()


class CustomerChange:
    """A locked customer and what the current deed changes about it."""

    def __init__(self, customer, deed, reason):
        self.customer = customer
        self.deeds = [deed]
        self.reason = reason
        self.changes = {}  # name -> [old, new], as JSON can hold them
        self.columns = set()
        self.consents = []
        self.event_data = {}
        self.allow_anonymised = False

    def set(self, column, value):
        """Set a column; remembered only when the value differs."""
        old = getattr(self.customer, column)
        if old == value:
            return
        setattr(self.customer, column, value)
        self.columns.add(column)
        self.record(column, old, value)

    def set_silently(self, column, value):
        """Set a column whose values the history must not hold (a password, a derived key)."""
        if getattr(self.customer, column) != value:
            setattr(self.customer, column, value)
            self.columns.add(column)

    def record(self, name, old, new):
        """Remember that something of the record changed that is not a column of the row."""
        first_old = self.changes[name][0] if name in self.changes else _plain(old)
        self.changes[name] = [first_old, _plain(new)]

    def tell_from_nothing(self):
        """Make what was set so far the whole of a new row, which nothing was before."""
        self.columns.clear()
        self.changes = {name: [None, new] for name, (_old, new) in self.changes.items()}

    def add_deed(self, deed):
        """Name a further deed: it gets an event of its own when anything changed."""
        if deed not in self.deeds:
            self.deeds.append(deed)


class Beginning(CustomerChange):
    """The change of a customer who is being made: whatever it has, it has from nothing."""

    def set(self, column, value):
        """Set a column; told only when it differs from what nobody has said."""
        customer = self.customer
        if getattr(customer, column) != value:
            setattr(customer, column, value)
            self.changes[column] = [None, _plain(value)]

    def set_silently(self, column, value):
        setattr(self.customer, column, value)

    def record(self, name, old, new):
        self.changes[name] = [None, _plain(new)]

    def tell_from_nothing(self):
        pass

    def begun(self):
        """A CustomerChange for what others do to the customer from now on."""
        later = CustomerChange(self.customer, self.deeds[0], self.reason)
        later.changes, later.consents = self.changes, self.consents
        return later


def _plain(value):
    if isinstance(value, (str, int, float, bool, list, dict, type(None))):
        return value
    if hasattr(value, "code") and not isinstance(value, Customer):
        return value.code
    return str(value)


def _changes_open():
    table = _open.get()
    if table is None:
        table = {}
        _open.set(table)
    return table


@contextmanager
def open_change(customer, *, deed, reason="", expected_version=None, allow_anonymised=False):
    """Lock `customer` (an instance or an id) and yield its CustomerChange.

    Inside another open change of the same customer it joins that one. A record that was merged is
    its survivor here. Raises CustomerGone when the row is not there, VersionConflict when it is not
    at `expected_version`, ValidationError for an anonymised customer unless allowed, or when an
    identifier is taken.
    """
    customer_id = customer.pk if isinstance(customer, Customer) else customer
    table = _changes_open()
    if customer_id in table:
        change = table[customer_id]
        change.add_deed(deed)
        yield change
        return
    with transaction.atomic():
        locked = lock_customer(customer_id)
        if locked is None:
            raise CustomerGone
        if locked.pk in table:
            table[locked.pk].add_deed(deed)
            yield table[locked.pk]
            return
        if expected_version is not None and locked.version != expected_version:
            raise VersionConflict(locked.version)
        if locked.anonymised_at and not allow_anonymised:
            raise ValidationError(_("This customer was anonymised."), code="anonymised")
        change = CustomerChange(locked, deed, reason)
        change.allow_anonymised = allow_anonymised
        table[locked.pk] = change
        try:
            yield change
            if change.changes or change.columns:
                _write(change)
        finally:
            del table[locked.pk]
    if isinstance(customer, Customer):
        _copy(change.customer, customer)


def lock_customer(customer_id):
    """The customer's row, locked until the transaction ends; of a merged record its survivor's.
    None where there is neither."""
    for _attempt in range(LONGEST_CHASE):
        rows = Customer.objects.select_for_update(of=("self",))
        locked = rows.filter(pk=customer_id).first()
        if locked is not None:
            return locked
        survivor_id = survivor_of(customer_id)
        if survivor_id is None:
            return None
        customer_id = survivor_id
    return None


def survivor_of(customer_id):
    """The id of the customer that the record `customer_id` became part of, or None."""
    merged = Customer.with_merged.filter(pk=customer_id, merged_into__isnull=False)
    return merged.order_by().values_list("merged_into", flat=True).first()


def with_former_ids(customer_id):
    """The ids under which a person was or is known: the customer's, and those of the records that
    were merged into it."""
    # Put in order here, because SQLite would rather walk through everybody in that order.
    former = Customer.with_merged.filter(merged_into=customer_id).order_by()
    numbered = former.values_list("number", "pk")
    return [
        customer_id,
        *(pk for _n, pk in sorted(numbered, key=lambda row: (row[0] or 0, row[1]))),
    ]


@contextmanager
def opening(customer):
    """A change for a customer that is being registered: no row to lock yet."""
    change = CustomerChange(customer, "customer.registered", "")
    table = _changes_open()
    table[customer.pk] = change
    try:
        yield change
    finally:
        del table[customer.pk]


@contextmanager
def opening_many(changes):
    """The same for many customers who are being registered together."""
    table = _changes_open()
    opened = {change.customer.pk: change for change in changes}
    table.update(opened)
    try:
        yield
    finally:
        for customer_id in opened:
            del table[customer_id]


def _write(change):
    for hook in hooks.updated:
        hook(change)
    _move_on(change, clock.now())
    customer = change.customer
    with taken_named(customer):
        exchanged = _take_back_identifiers(change)
        customer.save(update_fields=[*change.columns, "version", "updated_at"])
    if exchanged:
        for holder, name, given_up in exchanged:
            Customer.with_merged.filter(pk=holder).update(**{name: given_up})
        customer.search_text = build_search_text(customer)
        customer.save(update_fields=["search_text"])
    write_consents(change)
    leave_trace(change)


def _move_on(change, instant, lists=None):
    """Count a change of a customer, and fold anew what a search looks at where it says so."""
    customer = change.customer
    customer.version += 1
    customer.updated_at = max(instant, customer.updated_at + TICK)
    if SEARCHED & set(change.changes):
        customer.search_text = build_search_text(customer, lists)
        change.columns.add("search_text")


def begin_change(customer, *, deed, reason=""):
    """A CustomerChange for a customer whose row the caller has locked, for `write_many`."""
    return CustomerChange(customer, deed, reason)


def write_many(changes, *, lists=None):
    """Write what a set-based deed did to many customers, as `open_change` writes one: columns,
    version, consents, history and events, in a few statements for all of them.

    The rows are locked by the caller, and each customer stands there once; one who wants an
    identifier of a record that was merged into it is for `open_change`. `lists` maps ids to
    the rows of the child lists by name, for who has no records that were merged into it; without
    it the rows that are saved count. Raises IntegrityError where an identifier is taken.
    """
    for change in changes:
        for hook in hooks.updated:
            hook(change)
    instant = clock.now()
    alike, others, columns = [], [], {"version", "updated_at"}
    for change in changes:
        customer = change.customer
        _move_on(change, instant, lists and lists[customer.pk])
        if change.columns or customer.updated_at != instant:
            others.append(customer)
            columns |= change.columns
        else:
            alike.append(customer.pk)
    Customer.objects.filter(pk__in=alike).update(version=F("version") + 1, updated_at=instant)
    update_rows(Customer, others, columns)
    consents = [consent for change in changes for consent in _dated(change)]
    insert_rows(Consent, consents)
    by_reason = {}
    for change in changes:
        by_reason.setdefault(change.reason, []).append(change)
    for reason, found in by_reason.items():
        told = ((one.customer.pk, one.deeds[0], one.customer.version, one.changes) for one in found)
        write_history(found[0].customer.tenant, "customer", told, reason=reason)
    if not _eventless.get():
        Event.objects.bulk_create([event for change in changes for event in _events_of(change)])


def _take_back_identifiers(change):
    """Let a customer take an identifier of a record that was merged into it; what it gives up for
    it is to go on leading here in its stead: [(the row that held it, the column, that value)]."""
    customer, exchanged = change.customer, []
    for name in Customer.FOLLOWED:
        wanted = getattr(customer, name)
        if name not in change.columns or wanted is None:
            continue
        former = Customer.with_merged.filter(merged_into=customer.pk, **{name: wanted})
        holder = former.order_by().values_list("pk", flat=True).first()
        if holder and former.update(**{name: None}):
            exchanged.append((holder, name, change.changes[name][0]))
    return exchanged


def write_consents(change):
    """Save the statements of consent that the deed made, under the version it makes."""
    for consent in _dated(change):
        consent.save(force_insert=True)


def _dated(change):
    for consent in change.consents:
        consent.version = change.customer.version
    return change.consents


def leave_trace(change):
    """Write the history row and the events of a change, in its transaction; inside
    `without_customer_events` the history row alone."""
    customer = change.customer
    build_history(
        customer.tenant,
        "customer",
        customer.pk,
        deed=change.deeds[0],
        changes=change.changes,
        version=customer.version,
        reason=change.reason,
    ).save(force_insert=True)
    for event in () if _eventless.get() else _events_of(change):
        event.save(force_insert=True)


def _events_of(change):
    customer = change.customer
    return [
        build_event(
            customer.tenant,
            deed,
            "customer",
            customer.pk,
            version=customer.version,
            # A deed made of several has the data of each; an event tells those of its own kind.
            data={
                name: value
                for name, value in change.event_data.items()
                if name in kind_named(deed).data
            },
        )
        for deed in change.deeds
    ]


def build_search_text(customer, children=None):
    """The folded text that a search looks at, from the customer and its contact points.

    `children` maps list names to rows that are not saved yet; without it the saved ones count.
    """

    def rows(name):
        return children.get(name, ()) if children is not None else getattr(customer, name).all()

    persons = [
        part for person in rows("contact_persons") for part in (person.first_name, person.last_name)
    ]
    emails = [email.address for email in rows("emails")]
    # What belonged to a record that was merged into this one finds this one.
    former = [] if children is not None else Customer.with_merged.filter(merged_into=customer.pk)
    first, last, company = customer.first_name, customer.last_name, customer.company_name
    names = [customer.name, first, last, company, *persons]
    if first and last and customer.name == f"{first} {last}":
        names[1:3] = ()  # their words are in the name
    return normalise.search_text(
        names=names,
        emails=[*emails, customer.login_email] if customer.login_email else emails,
        phones=[
            normalise.Phone(phone.given, phone.e164, phone.digits, phone.extension)
            for phone in rows("phones")
        ],
        identifiers=[
            value
            for record in (customer, *former)
            for value in (record.external_id, record.username, record.card_number)
            if value
        ]
        + [text for record in former for text in (record.code, str(record.number))],
        number=customer.number,
    )


def _copy(source, target):
    """Bring the caller's instance up to date with what was written."""
    for column in source._meta.concrete_fields:
        setattr(target, column.attname, getattr(source, column.attname))
    target._prefetched_objects_cache = {}
