"""Which refusals of loyalty speak of what is stored: 409, the same request may be right later."""

from api.problems import CONFLICTS

CONFLICTS |= {
    # accounts and points
    *("insufficient_points", "not_earning", "not_spending", "frozen"),
    *("not_cancellable", "not_manual"),
    # levels and rules
    *("has_members", "restricts_rewards", "busy", "gone"),
    # rewards and coupons
    *("redeemed", "below_redeemed", "not_on_offer", "sold_out", "wrong_level", "limit_reached"),
    *("used", "not_used", "cancelled", "expired", "delivered", "no_delivery", "wrong_step"),
    "nameless",
}
