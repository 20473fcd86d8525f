"""The back office's view of customers."""

from customers.admin import customers, merging, tombstones

__all__ = ["customers", "merging", "tombstones"]
