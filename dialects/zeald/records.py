"""Records as Zeald shows them: the words of `serializers`, from our records.

Plain functions over bulk reads, so that a page costs the same number of queries however long it is
and whatever is joined.
"""

from collections import defaultdict
from zoneinfo import ZoneInfo

from customers.models import Customer
from customers.records import BATCH, COLUMNS, assemble
from dialects.zeald import serializers as words
from dialects.zeald.markup import Shown
from dialects.zeald.resources import CUSTOMER, GROUP, LINK, ORDER
from groups.models import Group, Subscription
from loyalty.amounts import money_out
from loyalty.models import Transaction
from tenancy.permissions import sees_field
from tenancy.scoping import current_tenant

PASSWORD_SCOPE = "password_hash"
LINK_COLUMNS = (
    *("code", "customer_id", "customer__username", "group_id", "group__code", "subscribed"),
    *words.CUSTOM_DATA,
)
GROUP_COLUMNS = (
    *("id", "code", "title", "description", "subscribable", "subscribe_text", "parent__code"),
)
ORDER_COLUMNS = (
    *("number", "kind", "revises", "purchased_at", "amount", "delivery_amount", "store__code"),
    *("account__customer_id", "account__customer__username"),
)


def shown(join, rows, principal, only=None):
    """The rows of a resource (`columns` of its queryset) with what is joined, as `principal` may
    see them; `only` are the fields of the outermost records to show, None for all."""
    records = _SHOW[join.resource.name](join, list(rows), principal)
    if only is not None:
        for record in records:
            record.fields = {
                name: value for name, value in record.fields.items() if name in only
            }  # fmt: skip
    return records


def columns(join):
    """What `shown` wants to know of a row."""
    return {
        CUSTOMER: COLUMNS, LINK: LINK_COLUMNS, GROUP: GROUP_COLUMNS, ORDER: ORDER_COLUMNS
    }[join.resource]  # fmt: skip


def _customers(join, rows, principal):
    ids = [row["id"] for row in rows]
    hashes = _hashes(ids, principal)
    below = [_BELOW[one.resource.name](one, ids, principal) for one in join.joins]
    seen = [
        theirs
        for theirs, word in words.CUSTOMER.items()
        if sees_field(principal.kind, words.ours(word))
    ]
    found = []
    for start in range(0, len(rows), BATCH):
        for record in assemble(rows[start : start + BATCH]):
            told = words.told(record)
            if record["id"] in hashes:
                told[words.PASSWORD] = hashes[record["id"]]
            fields = {theirs: told[theirs] for theirs in seen if theirs in told}
            children = [child for by_id in below for child in by_id.get(record["id"], ())]
            found.append(Shown(CUSTOMER, told[words.KEY], fields, children))
    return found


def _hashes(ids, principal):
    if PASSWORD_SCOPE not in principal.scopes:
        return {}
    return dict(Customer.objects.filter(pk__in=ids).order_by().values_list("pk", "password"))


def _links_below(join, ids, principal):
    rows = Subscription.objects.filter(customer__in=ids).order_by("code").values(*LINK_COLUMNS)
    return _by_customer(rows, "customer_id", _links(join, rows, principal))


def _orders_below(join, ids, principal):
    rows = Transaction.objects.filter(account__customer__in=ids)
    rows = rows.order_by("purchased_at", "id").values(*ORDER_COLUMNS)
    return _by_customer(rows, "account__customer_id", _orders(join, rows, principal))


def _by_customer(rows, column, records):
    grouped = defaultdict(list)
    for row, record in zip(rows, records, strict=True):
        grouped[row[column]].append(record)
    return grouped


def _links(join, rows, principal):
    groups = {}
    if below := join.below(GROUP.name):
        ids = {row["group_id"] for row in rows}
        found = list(Group.objects.filter(pk__in=ids).order_by().values(*GROUP_COLUMNS))
        groups = {
            row["id"]: group
            for row, group in zip(found, _groups(below, found, principal), strict=True)
        }
    return [
        Shown(
            LINK,
            str(row["code"]),
            {
                "code": row["code"],
                "username": words.key_of(row["customer__username"], row["customer_id"]),
                "group_code": row["group__code"],
                "subscribed": row["subscribed"],
                **{name: row[name] for name in words.CUSTOM_DATA},
            },
            [groups[row["group_id"]]] if row["group_id"] in groups else [],
        )
        for row in rows
    ]


def _groups(join, rows, principal):
    return [
        Shown(
            GROUP,
            row["code"],
            {
                theirs: row["parent__code"] if ours == "parent" else row[ours]
                for theirs, ours in words.GROUP.items()
            },
        )
        for row in rows
    ]


def _orders(join, rows, principal):
    tenant = current_tenant()
    zone = ZoneInfo(tenant.timezone)
    return [
        Shown(
            ORDER,
            row["number"],
            {
                "order_number": row["number"],
                # After a deletion the purchases stay, nobody's.
                "username": row["account__customer_id"]
                and words.key_of(row["account__customer__username"], row["account__customer_id"]),
                "order_type": row["kind"],
                "original_order_number": row["revises"],
                "order_date": row["purchased_at"].astimezone(zone).isoformat(timespec="seconds"),
                "total_cost": money_out(row["amount"], tenant.currency),
                "shipping": money_out(row["delivery_amount"], tenant.currency),
                "store_code": row["store__code"],
            },
        )
        for row in rows
    ]


_SHOW = {
    CUSTOMER.name: _customers,
    LINK.name: _links,
    GROUP.name: _groups,
    ORDER.name: _orders,
}
_BELOW = {LINK.name: _links_below, ORDER.name: _orders_below}
