"""Loyalty's part of a customer's record, in bulk."""

from loyalty.amounts import money_out, number_out
from loyalty.models import LoyaltyAccount
from loyalty.sums import NOTHING, sums_of
from tenancy import clock
from tenancy.scoping import current_tenant

COLUMNS = (
    *("id", "customer_id", "points", "locked_points", "next_due_at"),
    *("level_id", "level__name", "level__reward_percent", "manual_level_id", "level_since"),
    *("recalculated_at", "transactions_count", "transactions_amount"),
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
