"""What the file says that a known customer does not: by the policy of the import.

`fill` only adds: a value where there is none, a contact point that is not there. `overwrite`
replaces the fields that the file gives, or those of them that are named. Neither takes anything
away that the file does not name: rows of a list are recognised by what they say (an e-mail by its
address, a phone by its digits, an address by kind, street and town, a person by the name, a label
by its key) and are changed or added. Only a blank cell under the mapping's "clear" empties.
"""

from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from customers.columns import Context
from customers.hooks import hooks
from customers.models import Customer
from customers.profile import CHILD_LISTS, UNSAID, clean_child, clean_profile
from customers.services.consents import repeats

from .planning import Plan
from .validating import Candidate

ADDRESS_KEY = ("kind", "street", "street2", "street3", "city", "state", "postal_code")
_ADDRESS_KEY_OF = attrgetter(*ADDRESS_KEY)
PERSON_KEY = ("first_name", "last_name")
ONCE = ("emails", "phones")


@dataclass(slots=True)
class Known:
    """A customer who is here: the row (as a Draft), its children and consents by list, what higher
    apps hold about it by name, and the identifiers of records that were merged into it."""

    customer: Any
    lists: dict[str, list] = field(default_factory=dict)
    former: set[tuple[str, str]] = field(default_factory=set)
    extras: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Changes:
    """The arguments of the services that bring a customer to what the file says."""

    profile: dict[str, Any] = field(default_factory=dict)
    consents: list[dict[str, Any]] = field(default_factory=list)
    account: dict[str, Any] = field(default_factory=dict)
    status: str | None = None

    @property
    def is_status_alone(self) -> bool:
        return not (self.profile or self.consents or self.account)

    def __bool__(self) -> bool:
        return bool(self.profile or self.consents or self.account or self.status)


def changes_of(candidate: Candidate, known: Known, plan: Plan) -> Changes:
    """What `candidate` changes about a known customer; false where it says nothing new.

    Raises ValidationError where a value cannot be taken for this customer.
    """
    customer = known.customer
    country = (customer.home_store and customer.home_store.country) or customer.tenant.country
    clean = candidate.clean
    if country != _country_of(candidate, customer.tenant):
        # Its own store reads phones and VAT numbers by another country than the file's.
        clean = clean_profile(candidate.profile, tenant=customer.tenant, country=country)
    changes = Changes()
    for name, value in clean.columns.items():
        if (name, value) in known.former:
            continue
        if _holds(customer, name, value):
            continue
        if plan.only_fills(name) and not _is_empty(customer, name):
            continue
        changes.profile[name] = candidate.profile[name]
    context = Context(customer.tenant, country)
    for name, wanted in clean.children.items():
        there = known.lists.get(name, ())
        if wanted and _is_told(name, wanted, there):
            continue
        fills = plan.only_fills(name)
        rows = _merged(name, candidate.profile[name] or (), there, context, fills)
        if rows is not None:
            changes.profile[name] = rows
    for name, value in clean.extras.items():
        if hooks.fields[name].holds is not None:
            if _is_new(hooks.fields[name], value, known.extras, plan.only_fills(name)):
                changes.profile[name] = candidate.profile[name]
            continue
        held, fills = known.extras.get(name, ()), plan.only_fills(name)
        names = _joined(candidate.profile[name] or (), held, fills)
        if names is not None:
            changes.profile[name] = names
    consents = known.lists.get("consents", ())
    changes.consents = _news(candidate, consents, plan.only_fills("consents"))
    if not plan.only_fills("status"):
        changes.status = _status(candidate.beside.get("status"), customer)
    changes.account = _account(candidate.account, customer, plan.only_fills("charge_account"))
    return changes


def _is_new(field, value, extras, fills):
    """Whether a higher app's single value says something; an empty one never does."""
    if value is None or field.holds(extras, value):
        return False
    return not fills or field.holds(extras, None)


def _country_of(candidate: Candidate, tenant: Any) -> str:
    store = candidate.clean.columns.get("home_store")
    return (store.country if store else "") or tenant.country


def _holds(customer: Customer, name: str, value: Any) -> bool:
    if name == "birth_date":
        return customer.birth_date == (value and value.isoformat())
    if name in ("home_store", "seller"):
        return getattr(customer, f"{name}_id") == (value and value.pk)
    if name == "name" and not value:
        return not customer.name_given
    return getattr(customer, name) == value


def _is_empty(customer: Customer, name: str) -> bool:
    if name in ("home_store", "seller"):
        return getattr(customer, f"{name}_id") is None
    value = getattr(customer, name)
    return value in (None, "") or (name in UNSAID and value == UNSAID[name])


# --- Lists -----------------------------------------------------------------------------------
def _is_told(list_name, wanted, there):
    """Whether every one of these clean rows stands there already, word for word: so it is with
    nearly all customers of a file that comes again."""
    unmatched = list(there)
    for clean in wanted:
        match = _find(list_name, clean, unmatched, wanted)
        if "id" in clean:
            clean = {name: value for name, value in clean.items() if name != "id"}
        if match is None or not clean.items() <= vars(match).items():
            return False
        unmatched.remove(match)
    return True


def _merged(list_name, items, existing, context, fills):
    """The whole list as `update_customer` takes it, or None where nothing in it is new."""
    existing = sorted(existing, key=lambda row: row.position)
    if not items:
        return [] if existing and not fills else None
    rows = {row.pk: {"id": str(row.pk)} for row in existing}
    unmatched, added, seen, is_new = list(existing), [], set(), False
    for item in items:
        clean = clean_child(list_name, item, context)
        key = CHILD_LISTS[list_name].key(clean)
        if list_name in ONCE and key in seen:
            continue
        seen.add(key)
        match = _find(list_name, clean, unmatched, items)
        if match is not None:
            unmatched.remove(match)
            if differs := _differences(match, item, clean, fills):
                rows[match.pk] |= differs
                is_new = True
        elif not fills or not _speaks_already(list_name, clean, existing):
            kept = {"id", "primary"} if fills and existing else {"id"}
            added.append({name: value for name, value in item.items() if name not in kept})
            is_new = True
    return [*rows.values(), *added] if is_new else None


def _find(list_name, clean, rows, items):
    """The row that says the same, by its id or else by what it says."""
    if own := clean.get("id"):
        by_id = next((row for row in rows if str(row.pk) == own), None)
        if by_id is not None:
            return by_id
    if list_name == "emails":
        wanted = clean["address_key"]
        return next((row for row in rows if row.address_key == wanted), None)
    if list_name == "phones":
        wanted = clean["digits"], clean.get("extension", "")
        return next((row for row in rows if (row.digits, row.extension) == wanted), None)
    if list_name == "labels":
        exact = next((row for row in rows if _is_like(row, clean, ("key", "value"))), None)
        if exact is not None:
            return exact
        # A key that stands once on both sides is one label with a new value.
        same = [row for row in rows if row.key == clean["key"]]
        once = sum(item.get("key", "").strip() == clean["key"] for item in items) == 1
        return same[0] if once and len(same) == 1 else None
    if list_name == "addresses":
        wanted = (clean.get("kind", "home"), *[clean.get(name, "") for name in ADDRESS_KEY[1:]])
        return next((row for row in rows if _ADDRESS_KEY_OF(row) == wanted), None)
    key = PERSON_KEY if any(clean.get(name) for name in PERSON_KEY) else ("email", "mobile")
    return next((row for row in rows if _is_like(row, clean, key)), None)


def _is_like(row, clean, names):
    return all(getattr(row, name) == clean.get(name, "") for name in names)


def _speaks_already(list_name, clean, existing):
    """Whether a list that is only to be filled has its say on this already."""
    return list_name == "labels" and any(row.key == clean["key"] for row in existing)


def _differences(row, item, clean, fills):
    differs = {}
    for name in item:
        if name == "id":
            continue
        column = f"{name}_micro" if name in ("latitude", "longitude") else name
        old, new = getattr(row, column), clean.get(column)
        if old == new or column not in clean:
            continue
        if name == "primary":
            # The flag moves when another row takes it; a list always has its primary row.
            if new and not fills:
                differs[name] = True
        elif not fills or old in (None, ""):
            differs[name] = item[name]
    return differs


def _joined(wishes, held, fills):
    """The names of a higher app's list (groups), those that are held and those that are new;
    None where nothing is new. A flag that is not stated stays as it is."""
    if not wishes:
        return [] if held and not fills else None
    flags = {entry["code"]: entry.get("subscribed") for entry in held}
    entries = dict(zip(flags, flags, strict=True))
    is_new = False
    for wish in wishes:
        code = wish["group"] if isinstance(wish, dict) else wish
        flag = wish.get("subscribed") if isinstance(wish, dict) else None
        if code not in flags or (not fills and flag is not None and flag != flags[code]):
            entries[code] = wish
            is_new = True
    return list(entries.values()) if is_new else None


# --- Beside the profile ----------------------------------------------------------------------
def _news(candidate, consents, fills):
    """The statements of consent that change something. One whose time the file states does not
    undo what the customer said later."""
    holds = {}
    for consent in consents:
        if consent.purpose not in holds or consent.version > holds[consent.purpose].version:
            holds[consent.purpose] = consent
    news = []
    for statement, row in zip(candidate.statements, candidate.consents, strict=True):
        before = holds.get(row.purpose)
        if before is not None:
            older = statement.get("at") is not None and row.at <= before.at
            if fills or older or repeats(before, row):
                continue
        news.append(statement)
    return news


def _status(wanted, customer):
    if wanted is None or wanted == customer.status:
        return None
    if wanted == Customer.Status.NEW:
        message = _("Once active or blocked, a customer cannot become new again.")
        raise ValidationError({"status": ValidationError(message, code="not_new")})
    return wanted


def _account(values, customer, fills):
    account = getattr(customer, "charge_account", None)
    if not any(value not in (None, "") for value in values.values()):
        return {}
    if account is None:
        return values
    differs = {name: value for name, value in values.items() if getattr(account, name) != value}
    return {} if fills else differs
