"""The back office of the loyalty programme."""

from loyalty.admin import ledger, levels, rewards, rules, transactions

__all__ = ["ledger", "levels", "rewards", "rules", "transactions"]
