"""The registry of personal data: every column of every table, and every other place.

Importing this package registers the tables of this app, of the apps below and of Django; a higher
app registers its own from `AppConfig.ready` (see groups/privacy.py). tests/customers/
test_privacy_registry.py fails for a column that nobody registered.
"""

from customers.privacy import customer_map, lower_map  # noqa: F401  (they register their lines)
from customers.privacy.registry import (
    EMPTIED,
    GOES,
    KEPT,
    MONTH,
    NAMES_ONLY,
    POLICY,
    Line,
    Store,
    Table,
    becomes,
    is_text,
    lines,
    registry,
    shown,
)

__all__ = [
    "EMPTIED",
    "GOES",
    "KEPT",
    "MONTH",
    "NAMES_ONLY",
    "POLICY",
    "Line",
    "Store",
    "Table",
    "becomes",
    "is_text",
    "lines",
    "registry",
    "shown",
]
