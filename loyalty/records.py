"""Loyalty's part of a customer's record, in bulk."""

from customers.sql_records import SqlPart, as_object, instant, table
from loyalty.amounts import HUNDREDTHS, money_out, number_out
from loyalty.models import Level, LoyaltyAccount
from loyalty.sums import NOTHING, sums_of
from tenancy import clock
from tenancy.scoping import current_tenant

COLUMNS = (
    *("id", "customer_id", "points", "locked_points", "next_due_at"),
    *("level_id", "level__name", "level__reward_percent", "manual_level_id", "level_since"),
    *("recalculated_at", "transactions_count", "transactions_amount"),
    *("amount_without_delivery", "excluded_amount", "first_purchase_at", "last_purchase_at"),
)
# What the record tells, in this order.
NAMES = (
    *("level", "level_id", "level_percent", "level_since", "assigned", "assigned_level_id"),
    *("recalculated_at", "points", "locked_points", "transactions_count", "transactions_amount"),
    *("amount_without_delivery", "excluded_amount", "first_purchase_at", "last_purchase_at"),
)


def loyalty_of(customer_ids):
    """{customer id: {"loyalty": {…}}}: level, points that can be spent, purchases; None without an
    account. One query, and one more where points became due that no job has settled."""
    currency = current_tenant().currency
    now = clock.now()
    rows = list(
        LoyaltyAccount.objects.filter(customer__in=customer_ids).order_by().values(*COLUMNS)
    )
    due = [row["id"] for row in rows if row["next_due_at"] and row["next_due_at"] <= now]
    exact = sums_of(due, now) if due else {}
    for row in rows:
        if row["id"] in due:
            row |= exact.get(row["id"], NOTHING)
    parts = {row["customer_id"]: _part(row, currency) for row in rows}
    return {customer_id: {"loyalty": parts.get(customer_id)} for customer_id in customer_ids}


def _part(row, currency):
    return {
        "level": row["level__name"],
        "level_id": row["level_id"],
        "level_percent": number_out(row["level__reward_percent"]),
        "level_since": row["level_since"],
        # Whether a person assigned the present level, and which level was assigned.
        "assigned": row["level_id"] is not None and row["level_id"] == row["manual_level_id"],
        "assigned_level_id": row["manual_level_id"],
        "recalculated_at": row["recalculated_at"],
        "points": number_out(row["points"]),
        "locked_points": number_out(row["locked_points"]),
        "transactions_count": row["transactions_count"],
        "transactions_amount": money_out(row["transactions_amount"], currency),
        "amount_without_delivery": money_out(row["amount_without_delivery"], currency),
        "excluded_amount": money_out(row["excluded_amount"], currency),
        "first_purchase_at": row["first_purchase_at"],
        "last_purchase_at": row["last_purchase_at"],
    }


def loyalty_in_sql(writing):
    """The same as PostgreSQL writes it; unsure of accounts with points that became due."""
    account, level = "loyalty", "level_told"
    told = {
        "level": f"{level}.name",
        "level_id": f"{account}.level_id",
        "level_percent": writing.decimal(f"{level}.reward_percent", HUNDREDTHS),
        "assigned": f"coalesce({account}.level_id = {account}.manual_level_id, false)",
        "assigned_level_id": f"{account}.manual_level_id",
        "transactions_count": f"{account}.transactions_count",
    }
    for name in ("level_since", "recalculated_at", "first_purchase_at", "last_purchase_at"):
        told[name] = instant(f"{account}.{name}")
    for name in ("points", "locked_points"):
        told[name] = writing.decimal(f"{account}.{name}", HUNDREDTHS)
    for name in ("transactions_amount", "amount_without_delivery", "excluded_amount"):
        told[name] = writing.money(f"{account}.{name}")
    pairs = [(name, told[name]) for name in NAMES]
    return SqlPart(
        "loyalty",
        f"CASE WHEN {account}.id IS NULL THEN 'null' ELSE {as_object(*pairs)}::text END",
        f"""LEFT JOIN {table(LoyaltyAccount)} AS {account}
            ON {account}.customer_id = c.id AND {account}.tenant_id = %(tenant)s
        LEFT JOIN {table(Level)} AS {level} ON {level}.id = {account}.level_id""",
        unsure=f"coalesce({account}.next_due_at <= %(now)s, false)",
    )
