"""Writing what a body holds: all of its records, or none.

What takes its time or waits for others (hashing, taking numbers) is done before the transaction;
inside it customers are locked in the order of their ids, so that two bodies never wait for each
other.
"""

from collections import deque
from dataclasses import dataclass, field
from functools import partial

from django.db import transaction
from django.utils.translation import gettext as _

import normalise
from customers.models import Customer
from customers.records import COLUMNS, assemble
from customers.services import (
    activate_customer,
    create_or_update,
    deactivate_customer,
    encode_password,
    is_password,
    open_change,
    register_customer,
    set_customer_password,
    update_customer,
)
from customers.services.placing import store_of_registration
from dialects.zeald import serializers as words
from dialects.zeald.queries import of_resource
from dialects.zeald.refusing import RecordRefused, by_word, missing, refusing
from dialects.zeald.resources import CUSTOMER, GROUP, LINK
from groups.models import Group, Subscription
from groups.services import clean_wish, create_group, join_groups, update_group
from tenancy.permissions import changes_field
from tenancy.scoping import current_tenant
from tenancy.services import take_customer_numbers, take_subscription_codes


@dataclass
class Saved:
    """What was written: the ids of the records in the order of the body, and how many are new."""

    ids: list = field(default_factory=list)
    n_new: int = 0

    def add(self, pk, *, new):
        if pk not in self.ids:
            self.ids.append(pk)
            self.n_new += new


# --- Customers ---------------------------------------------------------------------------------
@dataclass
class Plan:
    """One customer of a body, prepared. `customer` is None for one who will be new, `again` is set
    where the body has one a second time; `fields` are those that differ from what is shown."""

    sent: object
    key: str
    customer: Customer | None
    again: bool = False
    fields: dict = field(default_factory=dict)
    username: str | None = None
    inactive: bool | None = None
    password: str | None = None
    wishes: list = field(default_factory=list)

    @property
    def pk(self):
        return self.customer and self.customer.pk


def save_customers(principal, sent, *, named=None):
    """Register or change the customers of a body with their memberships and groups; `named` is the
    customer whom the path names. Returns Saved; raises RecordRefused."""
    plans = [_plan(one, named) for one in sent]
    _compare(principal, plans)
    for plan in plans:
        _prepare_password(plan)
    links = [link for plan in plans for link in plan.sent.below(LINK.name)]
    numbers = _taken(take_customer_numbers, sum(plan.customer is None for plan in plans))
    codes = _taken(take_subscription_codes, _n_new_links(plans))
    with transaction.atomic():
        save_groups([group for link in links for group in link.below(GROUP.name)])
        groups = _groups_of(links)
        held = _held_codes(links)
        for plan in plans:
            plan.wishes = [_wish(link, plan, groups, held) for link in plan.sent.below(LINK.name)]
        done = {}
        for plan in sorted(plans, key=_locking_order):
            done[id(plan)] = _write(principal, plan, numbers, codes)
        saved = Saved()
        for plan in plans:
            customer, new = done[id(plan)]
            saved.add(customer.pk, new=new)
    return saved


def _locking_order(plan):
    # Who is new is locked by nobody else; equal keys keep the order of the body.
    return (plan.customer is None, str(plan.pk or ""), plan.key)


def _taken(take, n):
    """`n` numbers, taken now in a transaction of their own: whoever holds the counter until the end
    of a long one makes everybody else wait."""
    if not n:
        return deque()
    first = take(current_tenant(), n)
    return deque(range(first, first + n))


def _plan(sent, named):
    given = sent.fields.get(words.KEY, "").strip()
    if named is None:
        if not given:
            raise missing(sent, words.KEY)
        with refusing(sent, words.CUSTOMER):
            key = by_word("username", partial(normalise.clean_identifier, max_length=254), given)
        return Plan(sent, key, of_resource(CUSTOMER, key))
    plan = Plan(sent, given or words.key_of(named.username, named.pk), named)
    if given and given != str(named.pk):
        found = of_resource(CUSTOMER, given)
        if named.username is None and found is None:
            plan.username = given
        elif found is None or found.pk != named.pk:
            raise sent.refuse(words.KEY, _("The key of a record cannot be changed."))
    return plan


def _compare(principal, plans):
    """Leave out what is sent back as it is shown, and refuse what the caller may not change."""
    known = [plan.pk for plan in plans if plan.pk]
    rows = list(Customer.objects.filter(pk__in=known).order_by().values(*COLUMNS))
    shown = {record["id"]: words.told(record) for record in assemble(rows)}
    for plan in plans:
        # Of a customer who comes twice the second record is about what the first has made.
        told = shown.pop(plan.pk, None)
        plan.again = plan.customer is not None and told is None
        plan.fields = {
            name: value
            for name, value in plan.sent.fields.items()
            if name != words.KEY and value.strip() != _text((told or {}).get(name))
        }
        _compare_inactive(plan, (told or {}).get(words.INACTIVE, False))
        _check_rights(principal, plan)


def _text(value):
    return None if value is None else str(value)


def _compare_inactive(plan, is_inactive):
    if words.INACTIVE not in plan.fields:
        return
    said = plan.fields.pop(words.INACTIVE).strip()
    with refusing(plan.sent, words.CUSTOMER):
        wanted = bool(said) and by_word("status", normalise.clean_bool, said)
    plan.inactive = wanted if plan.again or wanted != is_inactive else None


def _check_rights(principal, plan):
    changed = set(plan.fields)
    changed |= {words.KEY} if plan.username or plan.customer is None else set()
    changed |= {words.INACTIVE} if plan.inactive is not None else set()
    refused = [
        theirs
        for theirs, word in words.CUSTOMER.items()
        if theirs in changed and not may_change(principal.kind, words.ours(word))
    ]
    if refused:
        message = _("You may not set: %s.") % ", ".join(refused)
        raise RecordRefused(403, plan.sent.label, message)


def may_change(role, field):
    """Whether a role may change a field. Who may change a customer may block one."""
    return field == "status" or changes_field(role, field)


def _prepare_password(plan):
    """The hash of a new password. One that is there already, sent as text or as the hash that was
    shown, is no change; an empty one says nothing."""
    password = plan.fields.pop(words.PASSWORD, "")
    stored = plan.customer.password if plan.customer and not plan.again else ""
    if not password or is_password(password, stored):
        return
    with refusing(plan.sent, words.CUSTOMER):
        plan.password = encode_password(password)


def _write(principal, plan, numbers, codes):
    """The customer of a plan, and whether it is new."""
    lists, places = words.lists_in(plan.fields)
    with refusing(plan.sent, words.CUSTOMER, places):
        return create_or_update(
            find=lambda: plan.customer or of_resource(CUSTOMER, plan.key),
            create=lambda: _register(principal, plan, lists, numbers, codes),
            update=lambda found: _change(plan, found, codes),
        )


def _register(principal, plan, lists, numbers, codes):
    _take_codes(plan, set(), codes)
    return register_customer(
        number=numbers.popleft() if numbers else None,
        username=plan.key,
        status=Customer.Status.BLOCKED if plan.inactive else Customer.Status.ACTIVE,
        store=store_of_registration(principal),
        password=plan.password,
        groups=list({wish.group.pk: wish for wish in plan.wishes}.values()),
        **words.columns_in(plan.fields),
        **lists,
    )


def _change(plan, customer, codes):
    changes = words.columns_in(plan.fields)
    if plan.username:
        changes["username"] = plan.username
    members = Subscription.objects.filter(customer=customer).order_by()
    _take_codes(plan, set(members.values_list("group_id", flat=True)), codes)
    with open_change(customer, deed="customer.updated"):
        update_customer(customer, slots=words.slots_in(plan.fields), **changes)
        if plan.inactive is not None:
            (deactivate_customer if plan.inactive else activate_customer)(customer)
        if plan.password:
            set_customer_password(customer, plan.password)
        if plan.wishes:
            join_groups(customer, plan.wishes)
    return customer


# --- Memberships -------------------------------------------------------------------------------
def save_links(principal, sent, *, named=None):
    """Put customers into groups, or change their memberships; `named` is the one that the path
    names. Returns Saved; raises RecordRefused."""
    plans = [_link_plan(one, named) for one in sent]
    codes = _taken(take_subscription_codes, len(plans) if named is None else 0)
    with transaction.atomic():
        save_groups([group for one in sent for group in one.below(GROUP.name)])
        groups, held = _groups_of(sent), _held_codes(sent)
        done = {}
        for plan in sorted(plans, key=_locking_order):
            plan.wishes = [_wish(plan.sent, plan, groups, held, named=named)]
            members = Subscription.objects.filter(customer=plan.customer).order_by()
            known = set(members.values_list("group_id", flat=True))
            _take_codes(plan, known, codes)
            with refusing(plan.sent, words.LINK):
                (member,) = join_groups(plan.customer, plan.wishes)
            done[id(plan)] = (member, member.group_id not in known)
        saved = Saved()
        for plan in plans:
            member, new = done[id(plan)]
            saved.add(member.pk, new=new)
    return saved


def _link_plan(sent, named):
    key = sent.fields.get("username", "").strip()
    if named is not None and not key:
        return Plan(sent, words.key_of(named.customer.username, named.customer_id), named.customer)
    if not key:
        raise missing(sent, "username")
    customer = of_resource(CUSTOMER, key)
    if customer is None:
        raise sent.refuse("username", _("There is no such customer."))
    return Plan(sent, key, customer)


def _n_new_links(plans):
    wanted = sum(len(plan.sent.below(LINK.name)) for plan in plans)
    if not wanted:
        return 0
    rows = Subscription.objects.filter(customer__in=[plan.pk for plan in plans if plan.pk])
    known = set(rows.order_by().values_list("customer_id", "group__code"))
    return sum(
        (plan.pk, _code_of(link)) not in known
        for plan in plans
        for link in plan.sent.below(LINK.name)
    )


def _take_codes(plan, known, codes):
    for wish in plan.wishes:
        if wish.group.pk not in known and wish.code is None and codes:
            wish.code = codes.popleft()


def _code_of(link):
    """The code of the group that a link names, itself or by the group in it."""
    named = link.fields.get("group_code", "").strip()
    inside = [group.fields.get("code", "").strip() for group in link.below(GROUP.name)]
    if len(inside) > 1:
        raise link.refuse("group_code", _("One membership has one group."))
    if inside and named and inside[0] != named:
        raise link.refuse("group_code", _("The group inside is another one."))
    return named or (inside[0] if inside else "")


def _groups_of(links):
    codes = {_code_of(link) for link in links}
    return {group.code: group for group in Group.objects.filter(code__in=codes)}


def _held_codes(links):
    """{code: membership} of the codes that the links name."""
    named = {_number(link) for link in links} - {None}
    return {row.code: row for row in Subscription.objects.filter(code__in=named)}


def _number(link):
    text = link.fields.get("code", "").strip()
    if not text:
        return None
    with refusing(link, words.LINK):
        return by_word("code", normalise.clean_int, text)


def _wish(link, plan, groups, held, named=None):
    """The Wish of a link below a customer, or of one that stands for itself."""
    whose = link.fields.get("username", "").strip()
    if whose and whose != plan.key:
        found = of_resource(CUSTOMER, whose)
        if found is None or found.pk != plan.pk:
            raise link.refuse("username", _("The membership is another customer's."))
    code = _code_of(link)
    if named is not None and not code:
        code = named.group.code
        groups = {**groups, code: named.group}
    if not code:
        raise missing(link, "group_code")
    group = groups.get(code)
    if group is None:
        raise link.refuse("group_code", _("There is no group %s.") % code[:64])
    holder = named or held.get(_number(link))
    if holder is not None and (holder.customer_id, holder.group_id) != (plan.pk, group.pk):
        raise link.refuse("code", _("The membership with this code is another one."))
    if named is not None and _number(link) not in (None, named.code):
        raise link.refuse("code", _("The key of a record cannot be changed."))
    with refusing(link, words.LINK):
        return clean_wish({"group": group, **words.membership_in(link.fields)})


# --- Groups ------------------------------------------------------------------------------------
def save_groups(sent, principal=None, *, named=None):
    """Create or change groups in the order of the body; `named` is the one that the path names.
    Returns Saved; raises RecordRefused."""
    saved = Saved()
    with transaction.atomic():
        for one in sent:
            group, new = _save_group(one, named)
            saved.add(group.pk, new=new)
    return saved


def _save_group(sent, named):
    code = sent.fields.get("code", "").strip()
    values = words.group_in(sent.fields)
    values.pop("code", None)
    if named is not None:
        if code and code != named.code:
            raise sent.refuse("code", _("The key of a record cannot be changed."))
        with refusing(sent, words.GROUP):
            return update_group(named, **values), False
    if not code:
        raise missing(sent, "code")
    with refusing(sent, words.GROUP):
        return create_or_update(
            find=lambda: Group.objects.filter(code=code).first(),
            create=lambda: create_group(code=code, **values),
            update=lambda found: update_group(found, **values),
        )
