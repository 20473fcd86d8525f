"""What can be done with accounts, points and levels; every write of loyalty goes through here."""

from loyalty.services.accounts import Repeated, account_of, open_account, opening_accounts
from loyalty.services.assigning import assign_level, remove_manual_level
from loyalty.services.choosing import levels_of, next_level, reached_level, start_level
from loyalty.services.levels import (
    create_level,
    delete_level,
    find_level,
    level_warnings,
    set_level_active,
    update_level,
)
from loyalty.services.points import (
    add_points,
    adjust_points,
    cancel_entry,
    spend_points,
    transfer_points,
)
from loyalty.services.redeeming import (
    cancel_redemption,
    find_coupon,
    redeem_reward,
    set_delivery,
    unuse_coupon,
    use_coupon,
)
from loyalty.services.rewards import create_reward, delete_reward, update_reward
from loyalty.services.rules import (
    create_earning_rule,
    delete_earning_rule,
    update_earning_rule,
)
from loyalty.services.transactions import (
    join_transactions,
    part_transactions,
    record_transaction,
)

__all__ = [
    "Repeated",
    "account_of",
    "add_points",
    "adjust_points",
    "assign_level",
    "cancel_entry",
    "cancel_redemption",
    "create_earning_rule",
    "create_level",
    "create_reward",
    "delete_earning_rule",
    "delete_level",
    "delete_reward",
    "find_coupon",
    "find_level",
    "join_transactions",
    "level_warnings",
    "levels_of",
    "next_level",
    "open_account",
    "opening_accounts",
    "part_transactions",
    "reached_level",
    "record_transaction",
    "redeem_reward",
    "remove_manual_level",
    "set_delivery",
    "set_level_active",
    "spend_points",
    "start_level",
    "transfer_points",
    "unuse_coupon",
    "update_earning_rule",
    "update_level",
    "update_reward",
    "use_coupon",
]
