"""The groups' part of a customer's record, in bulk."""

from collections import defaultdict

from customers.sql_records import OF_WANTED, SqlPart, as_list, as_object, table
from groups.models import Group, Subscription


def groups_of(customer_ids):
    """Each customer's groups for the record, in one query for all of them."""
    grouped = defaultdict(list)
    rows = (
        Subscription.objects.filter(customer__in=customer_ids)
        .order_by("group__code")
        .values_list("customer_id", "group__code", "group__title", "subscribed")
    )
    for customer_id, code, title, subscribed in rows:
        grouped[customer_id].append({"code": code, "title": title, "subscribed": subscribed})
    return {customer_id: {"groups": grouped[customer_id]} for customer_id in customer_ids}


def groups_in_sql(writing):
    """The same as PostgreSQL writes it."""
    told = as_object(("code", "g.code"), ("title", "g.title"), ("subscribed", "x.subscribed"))
    join = f"""LEFT JOIN (
        SELECT x.customer_id, {as_list(told, "g.code")} AS told
        FROM (SELECT * FROM {table(Subscription)} WHERE {OF_WANTED}) AS x
        JOIN {table(Group)} AS g ON g.id = x.group_id
        GROUP BY x.customer_id
        ) AS groups_told ON groups_told.customer_id = c.id"""  # noqa: S608
    return SqlPart("groups", "coalesce(groups_told.told, '[]')", join)
