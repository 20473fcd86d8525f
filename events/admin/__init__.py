"""What happened and what is still to happen, in the back office."""

from events.admin.jobs import JobAdmin
from events.admin.records import EventAdmin, HistoryEntryAdmin

__all__ = ["EventAdmin", "HistoryEntryAdmin", "JobAdmin"]
