"""The kinds of events about levels, points and purchases."""

from events.kinds import Kind, register_kinds

LEVEL = {
    "level": "the level now, null for none",
    "before": "the level before, null for none",
    "up": "whether it is the better one",
    "by_hand": "whether staff put the customer there",
}

REDEMPTION = {"reward": "the reward", "customer": "whose it is, null after a deletion"}


def register():
    """Add our kinds; called once when the app is ready."""
    register_kinds(
        Kind("level.changed", "customer", "The customer stands on another level.", LEVEL),
        Kind("level.created", "level", "A level was made."),
        Kind("level.updated", "level", "A level was changed, or put elsewhere in the order."),
        Kind("level.deleted", "level", "A level was deleted."),
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
            "account.frozen",
            "account",
            "The numbers of a loyalty account do not add up; nothing moves on it.",
            {"customer": "whose it is, null for nobody's"},
        ),
        Kind(
            "account.released",
            "account",
            "A frozen loyalty account adds up again and may move.",
            {"customer": "whose it is, null for nobody's"},
        ),
        Kind("earning_rule.created", "earning_rule", "There is another rule that gives points."),
        Kind("earning_rule.updated", "earning_rule", "A rule that gives points was changed."),
        Kind("earning_rule.deleted", "earning_rule", "A rule that gave points is gone."),
        Kind(
            "reward.redeemed",
            "customer",
            "A reward was bought with points.",
            {"reward": "the reward", "redemption": "the purchase"},
        ),
        Kind("redemption.used", "redemption", "A coupon was used.", REDEMPTION),
        Kind("redemption.unused", "redemption", "The use of a coupon was taken back.", REDEMPTION),
        Kind("redemption.delivery_changed", "redemption", "A delivery moved on.", REDEMPTION),
        Kind("redemption.cancelled", "redemption", "The points went back.", REDEMPTION),
        Kind("reward.created", "reward", "A reward is new."),
        Kind("reward.updated", "reward", "A reward changed."),
        Kind("reward.deleted", "reward", "A reward is gone."),
    )
