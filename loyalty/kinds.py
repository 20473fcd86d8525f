"""The kinds of events about levels, points and purchases."""

from events.kinds import Kind, register_kinds

LEVEL = {
    "level": "the level now, null for none",
    "before": "the level before, null for none",
    "up": "whether it is the better one",
    "by_hand": "whether staff put the customer there",
}


def register():
    """Add our kinds; called once when the app is ready."""
    register_kinds(
        Kind("level.changed", "customer", "The customer stands on another level.", LEVEL),
        Kind(
            "points.changed",
            "customer",
            "The balance moved: earned, spent, expired, adjusted, transferred.",
            {"account": "the loyalty account"},
        ),
        Kind(
            "transaction.recorded",
            "transaction",
            "A sale or a return was recorded.",
            {"customer": "whose it is", "account": "the loyalty account"},
        ),
        Kind(
            "reward.redeemed",
            "customer",
            "A reward was bought with points.",
            {"reward": "the reward", "redemption": "the purchase"},
        ),
    )
