"""The back office's view of customers."""

from customers.admin import (
    customers,
    data_requests,
    import_profiles,
    importing,
    merging,
    tombstones,
)

__all__ = ["customers", "data_requests", "import_profiles", "importing", "merging", "tombstones"]
