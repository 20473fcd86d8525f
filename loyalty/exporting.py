"""What loyalty computes for the export of one customer: where the customer stands, in words too.

The rows themselves (account, entries, lots, purchases, redemptions) are told by the registry.
"""

from customers.services.exporting import shape
from loyalty.amounts import money_out, number_out
from loyalty.status import status_of

IN_HUNDREDTHS = (
    *("points", "received_points", "earned_points", "used_points", "expired_points"),
    *("locked_points", "points_to_next", "expiring_next_month"),
)
MONEY = ("transactions_amount", "amount_without_delivery", "excluded_amount")
PLAIN = ("transactions_count", "level_since", "looked_at_again")


def exported_status(customer):
    """{"loyalty_status": {…}}; numbers as decimals in text, in the customer's language where we
    speak it."""
    language = (customer.language or customer.tenant.setting("locale")).partition("-")[0]
    status = status_of(customer)
    told = {name: number_out(getattr(status, name)) for name in IN_HUNDREDTHS}
    told |= {name: money_out(getattr(status, name), status.currency) for name in MONEY}
    told |= {name: getattr(status, name) for name in PLAIN}
    told |= {
        "level": status.level and status.level.told(language)[0],
        "level_percent": status.level and number_out(status.level.reward_percent),
        "assigned": status.is_assigned,
        "next_level": status.next_level and status.next_level.told(language)[0],
        "explanation": status.sentences(language),
    }
    section = {name: shape(value) for name, value in told.items()}
    section["expiring"] = [
        {"date": day.isoformat(), "points": shape(number_out(points))}
        for day, points in status.expiring
    ]
    return {"loyalty_status": section}
