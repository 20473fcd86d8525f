"""What becomes of two records that are merged: worked out from the live rows, before anything is
written. The preview shows a plan, the merge carries it out.

The survivor's word stands unless it says nothing; a choice names what is taken from the other
record instead. Lists are joined, and a refusal in either record stays a refusal.
"""

from copy import copy
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

import normalise
from customers import profile
from customers.hooks import hooks
from customers.models import Avatar, ChargeAccount, Customer
from customers.profile import CHILD_LISTS, LIST_LIMIT
from customers.services.children import WITH_PRIMARY
from customers.services.consents import current_consents
from customers.services.devices import DEVICE_LIMIT

SURVIVOR, OTHER = "survivor", "other"
SIDES = (SURVIVOR, OTHER)
# Fields of the record that are several columns.
UNITS = {
    "birth_date": ("birth_year", "birth_month", "birth_day"),
    "name": ("name", "name_given"),
    "login_phone": ("login_phone", "login_phone_key"),
}
UNSAID = {**profile.UNSAID, "credit_balance": 0}
# The stricter of the two holds, whatever is chosen.
STRICT = ("no_email",)
FIELDS = (*Customer.PROFILE, "status", "created_at", "password")
ONE_ROW = {"avatar": Avatar, "charge_account": ChargeAccount}
CHOOSABLE = {*FIELDS, *ONE_ROW} - set(STRICT)
PROFILES = "store_profiles"


class MergeBlocked(ValidationError):
    """These two cannot be merged as they are; `blockers` is a list of {"code", "field",
    "message"}."""

    def __init__(self, blockers):
        self.blockers = list(blockers)
        super().__init__(
            {
                blocker["field"]: ValidationError(blocker["message"], blocker["code"])
                for blocker in self.blockers
            }
        )


@dataclass(slots=True)
class ListPlan:
    """One list of child rows: the other record's `moves` go over, its `same` are there already, as
    (row, the survivor's row, {column: what that row learns from it})."""

    kept: list
    moves: list = field(default_factory=list)
    same: list = field(default_factory=list)


@dataclass(slots=True)
class Plan:
    """The outcome of a merge. `sides` says for each field whose value it becomes, `columns` what
    the survivor's row changes to. `consents` maps purposes to (the survivor's current statement,
    the other's, whose holds). `rows` are single rows by name: (survivor's, other's, whose)."""

    survivor: Customer
    other: Customer
    sides: dict = field(default_factory=dict)
    columns: dict = field(default_factory=dict)
    lists: dict = field(default_factory=dict)
    consents: dict = field(default_factory=dict)
    rows: dict = field(default_factory=dict)
    blockers: list = field(default_factory=list)
    warnings: list = field(default_factory=list)
    sections: dict = field(default_factory=dict)
    reason: str = ""

    def block(self, code, field_name, message):
        """Forbid the merge, in words."""
        self.blockers.append({"code": code, "field": field_name, "message": str(message)})


def plan_merge(survivor, other, choices=None):
    """The Plan of merging `other` into `survivor` (two Customers of the active tenant).

    Raises ValidationError naming `choices.<field>` for a choice that cannot be made. What forbids
    the merge stands in `plan.blockers`.
    """
    plan = Plan(survivor, other)
    chosen = _clean_choices(choices)
    _refuse_records(plan)
    if plan.blockers:
        return plan
    _plan_columns(plan, chosen)
    for name in CHILD_LISTS:
        _plan_list(plan, name)
    _plan_devices(plan)
    _plan_profiles(plan, chosen)
    _plan_consents(plan)
    _plan_single_rows(plan, chosen)
    for hook in hooks.merge_preview:
        told = hook(survivor, other)
        plan.blockers += told.get("blockers", ())
        plan.sections |= told.get("sections", {})
    _warn(plan)
    return plan


def _clean_choices(choices):
    if choices is None:
        return {}
    if not isinstance(choices, dict):
        raise ValidationError({"choices": ValidationError(_("Must be an object."), "invalid")})
    errors = {}
    for name, side in choices.items():
        known = name in CHOOSABLE or str(name).startswith(f"{PROFILES}.")
        if not known:
            errors[f"choices.{name}"[:100]] = ValidationError(
                _("This cannot be chosen."), code="unknown"
            )
        elif side not in SIDES:
            errors[f"choices.{name}"[:100]] = ValidationError(
                _("Must be one of: %(choices)s.") % {"choices": ", ".join(SIDES)},
                code="invalid_choice",
            )
    if errors:
        raise ValidationError(errors)
    return choices


def _refuse_records(plan):
    survivor, other = plan.survivor, plan.other
    if survivor.pk == other.pk:
        plan.block("same_customer", "other", _("This is the same customer."))
    for name, customer in ((SURVIVOR, survivor), (OTHER, other)):
        if customer.anonymised_at:
            plan.block("anonymised", name, _("An anonymised customer cannot be merged."))
        if customer.merged_into_id:
            plan.block(
                "already_merged",
                name,
                _("This record is part of %(code)s by now.")
                % {"code": customer.merged_into.code or customer.merged_into_id},
            )


# --- The row ---------------------------------------------------------------------------------
def _plan_columns(plan, chosen):
    survivor, other = plan.survivor, plan.other
    for name in FIELDS:
        plan.sides[name] = chosen.get(name) or _side_of(name, survivor, other)
    if "card_state" not in chosen and survivor.card_number != other.card_number:
        # The state is that of the card.
        if plan.sides["card_number"] == OTHER:
            plan.sides["card_state"] = OTHER
        elif survivor.card_number:
            plan.sides["card_state"] = SURVIVOR
    for name, side in plan.sides.items():
        if side == OTHER and name != "name":
            for column in UNITS.get(name, (name,)):
                plan.columns[column] = getattr(other, column)
    _plan_name(plan, chosen)
    plan.columns = {
        column: value
        for column, value in plan.columns.items()
        if getattr(survivor, column) != value
    }
    if _both(plan, "credit_balance") and "credit_balance" not in chosen:
        plan.block(
            "two_balances",
            "credit_balance",
            _("Both have a credit balance. Settle one, or choose the one that counts."),
        )


def _side_of(name, survivor, other):
    if name in STRICT:
        return OTHER if getattr(other, name) and not getattr(survivor, name) else SURVIVOR
    if name == "status":
        # The person has proven a contact point to the other record.
        proven = (survivor.status, other.status) == (Customer.Status.NEW, Customer.Status.ACTIVE)
        return OTHER if proven else SURVIVOR
    if name == "password":
        # A password comes along with the sign-in that it belongs to, and with nothing else.
        free = not (survivor.password or survivor.login_email or survivor.login_phone)
        return OTHER if free and other.password else SURVIVOR
    return OTHER if is_unsaid(survivor, name) and not is_unsaid(other, name) else SURVIVOR


def is_unsaid(customer, name):
    """Whether the record says nothing under this name."""
    value = getattr(customer, f"{name}_id" if name in ("home_store", "seller") else name)
    return value in (None, "") or (name in UNSAID and value == UNSAID[name])


def _plan_name(plan, chosen):
    """A given name is a value like any other; a built one is built again from the parts."""
    survivor, other = plan.survivor, plan.other
    parts = {
        name: getattr(other if plan.sides[name] == OTHER else survivor, name)
        for name in ("first_name", "last_name", "company_name")
    }
    built = normalise.build_name(name="", **parts)
    if "name" not in chosen and not survivor.name_given and built:
        plan.columns |= {"name": built, "name_given": False}
        plan.sides["name"] = SURVIVOR if built == survivor.name else OTHER
        return
    name = (other if plan.sides["name"] == OTHER else survivor).name
    plan.columns |= {"name": name, "name_given": bool(name) and name != built}


def _both(plan, name):
    values = getattr(plan.survivor, name), getattr(plan.other, name)
    return all(values) and values[0] != values[1]


# --- The lists -------------------------------------------------------------------------------
def _plan_list(plan, name):
    child = CHILD_LISTS[name]

    def key(row):
        return child.key({f.attname: getattr(row, f.attname) for f in row._meta.concrete_fields})

    kept = sorted(getattr(plan.survivor, name).all(), key=lambda row: row.position)
    rows = sorted(getattr(plan.other, name).all(), key=lambda row: row.position)
    known = {key(row): row for row in reversed(kept)}
    joined = ListPlan(kept)
    for row in rows:
        same = known.get(key(row))
        if same is None:
            if name in WITH_PRIMARY and kept:
                row.primary = False  # the survivor has one
            joined.moves.append(row)
        else:
            joined.same.append((row, same, _learnt(same, row, child.model.FIELDS)))
    plan.lists[name] = joined
    if len(kept) + len(joined.moves) > LIST_LIMIT:
        plan.block(
            "too_many",
            name,
            _("Together they have more than %(n)d entries here.") % {"n": LIST_LIMIT},
        )


def _learnt(mine, theirs, names):
    """What my row learns from one that says the same: what I leave blank, and that it was proven
    or that nothing more may be sent there."""
    learnt = {}
    for name in names:
        column = f"{name}_micro" if name in ("latitude", "longitude") else name
        here, there = getattr(mine, column), getattr(theirs, column)
        if name in ("verified", "opted_out"):
            if there and not here:
                learnt[column] = True
        elif name != "primary" and here in (None, "") and there not in (None, ""):
            learnt[column] = there
    return learnt


def _plan_devices(plan):
    kept = list(plan.survivor.devices.all())
    known = {row.token: row for row in kept}
    joined = ListPlan(kept)
    for row in plan.other.devices.all():
        if row.token in known:
            joined.same.append((row, known[row.token], {}))
        else:
            joined.moves.append(row)
    plan.lists["devices"] = joined
    if len(kept) + len(joined.moves) > DEVICE_LIMIT:
        plan.block("too_many", "devices", _("Together they have too many devices."))


def _plan_profiles(plan, chosen):
    """Per store the survivor's profile counts unless absent; two different references of the same
    till cannot both stay, so somebody must say which."""
    kept = list(plan.survivor.store_profiles.select_related("store"))
    known = {row.store_id: row for row in kept}
    joined, open_choices = ListPlan(kept), {n for n in chosen if n.startswith(f"{PROFILES}.")}
    for row in plan.other.store_profiles.select_related("store"):
        same = known.get(row.store_id)
        if same is None:
            joined.moves.append(row)
            continue
        name = f"{PROFILES}.{row.store.code}"
        open_choices.discard(name)
        if chosen.get(name) == OTHER:
            joined.same.append((row, same, {"pos_ref": row.pos_ref, "note": row.note}))
            continue
        if same.pos_ref and row.pos_ref and same.pos_ref != row.pos_ref and name not in chosen:
            plan.block(
                "two_pos_refs",
                name,
                _("Both are known to the till of %(store)s. Choose whose reference stays.")
                % {"store": row.store.name or row.store.code},
            )
        joined.same.append((row, same, _learnt(same, row, ("pos_ref", "note"))))
    if open_choices:
        nothing = _("There is nothing to choose: not both have a profile there.")
        raise ValidationError(
            {f"choices.{n}"[:100]: ValidationError(nothing, "unknown") for n in open_choices}
        )
    plan.lists[PROFILES] = joined
    kept = list(plan.survivor.extensions.all())
    known = {(row.store_id, row.code): row for row in kept}
    joined = plan.lists["extensions"] = ListPlan(kept)
    for row in plan.other.extensions.all():
        same = known.get((row.store_id, row.code))
        if same is None:
            joined.moves.append(row)
        else:
            joined.same.append((row, same, {}))


def _plan_consents(plan):
    """A refusal in either record holds; a grant that the other never contradicted comes along."""
    mine, theirs = current_consents(plan.survivor), current_consents(plan.other)
    for purpose in sorted({*mine, *theirs}):
        here, there = mine.get(purpose), theirs.get(purpose)
        stricter = there and (here is None or (here.granted and not there.granted))
        plan.consents[purpose] = (here, there, OTHER if stricter else SURVIVOR)


# --- Single rows -----------------------------------------------------------------------------
def _plan_single_rows(plan, chosen):
    for name, model in ONE_ROW.items():
        here = model.objects.filter(customer=plan.survivor.pk).first()
        there = model.objects.filter(customer=plan.other.pk).first()
        side = chosen.get(name) or (OTHER if there and not here else SURVIVOR)
        if name == "charge_account" and here and there and name not in chosen:
            # One that takes nothing new gives way to one that is open.
            side = OTHER if here.retired and not there.retired else SURVIVOR
        plan.rows[name] = (here, there, side)
    here, there, _side = plan.rows["charge_account"]
    if here and there and not here.retired and not there.retired:
        plan.block(
            "two_charge_accounts",
            "charge_account",
            _("Both have an open charge account (%(one)s and %(two)s). Retire one of them first.")
            % {"one": here.number, "two": there.number},
        )


def _warn(plan):
    blocked = Customer.Status.BLOCKED
    if plan.other.status == blocked != plan.survivor.status:
        plan.warnings.append(_("The other record is deactivated; the survivor is not."))
    if plan.survivor.status == blocked != plan.other.status:
        plan.warnings.append(_("The survivor is deactivated, and stays so."))
    if plan.other.password and plan.sides["password"] == SURVIVOR:
        plan.warnings.append(_("The other record's password is given up with its sign-in."))
    if plan.survivor.kind != plan.other.kind:
        plan.warnings.append(_("One is a person, the other a company."))


def outcome_of(joined):
    """The rows of a list as the survivor will have them."""
    learnt = {same.pk: columns for _row, same, columns in joined.same}
    rows = []
    for row in joined.kept:
        row = copy(row)
        for column, value in learnt.get(row.pk, {}).items():
            setattr(row, column, value)
        rows.append(row)
    return [*rows, *joined.moves]
