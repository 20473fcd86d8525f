"""The back office's view of customers."""

from customers.admin import (
    bulk_deeds,
    customers,
    data_requests,
    import_profiles,
    importing,
    merging,
    tombstones,
)

__all__ = [
    "bulk_deeds",
    "customers",
    "data_requests",
    "import_profiles",
    "importing",
    "merging",
    "tombstones",
]
