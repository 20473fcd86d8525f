"""The back office's view of customers."""

from customers.admin import customers, import_profiles, importing, merging, tombstones

__all__ = ["customers", "import_profiles", "importing", "merging", "tombstones"]
