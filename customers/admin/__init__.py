"""The back office's view of customers."""

from customers.admin import customers, tombstones

__all__ = ["customers", "tombstones"]
