"""Levels, accounts with their ledger, transactions, earning rules, rewards and redemptions.

Points are integers in hundredths of a point, money in the currency's minor unit, percents in
hundredths of a percent: SQLite keeps DECIMAL as floating point.
"""

from loyalty.models.accounts import LoyaltyAccount
from loyalty.models.earning import EarningRule, LevelMultiplier
from loyalty.models.ledger import Entry, EntryNote, Lot, LotUse
from loyalty.models.levels import Level
from loyalty.models.rewards import Redemption, Reward
from loyalty.models.transactions import Transaction, TransactionLine

__all__ = [
    "EarningRule",
    "Entry",
    "EntryNote",
    "Level",
    "LevelMultiplier",
    "Lot",
    "LotUse",
    "LoyaltyAccount",
    "Redemption",
    "Reward",
    "Transaction",
    "TransactionLine",
]
