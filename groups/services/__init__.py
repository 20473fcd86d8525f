"""Every write to groups and subscriptions, one function per deed."""

from groups.services.managing import create_group, delete_group, update_group
from groups.services.subscribing import (
    add_to_group,
    clean_wish,
    find_group,
    join_groups,
    remove_from_group,
    subscribe_customer,
    unsubscribe_customer,
)

__all__ = [
    "add_to_group",
    "clean_wish",
    "create_group",
    "delete_group",
    "find_group",
    "join_groups",
    "remove_from_group",
    "subscribe_customer",
    "unsubscribe_customer",
    "update_group",
]
