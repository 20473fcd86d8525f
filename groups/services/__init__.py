"""Every write to groups and subscriptions, one function per deed."""

from groups.services.managing import create_group, delete_group, update_group
from groups.services.subscribing import (
    find_group,
    remove_from_group,
    subscribe_customer,
    unsubscribe_customer,
)

__all__ = [
    "create_group",
    "delete_group",
    "find_group",
    "remove_from_group",
    "subscribe_customer",
    "unsubscribe_customer",
    "update_group",
]
