"""The resources of Zeald's API, and how they hang together."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Resource:
    """`node` is the element of one record, `key` the field that names it in paths, `joins` the
    resources that its records can hold.

    `read` and `write` are the operations of the table of rights that reading and writing it needs;
    without `write` it can only be read.
    """

    name: str
    node: str
    key: str
    read: str
    write: str | None = None
    joins: tuple = ()

    @property
    def nodes(self):
        """The names by which a body may call a record."""
        return {self.node, self.name}


CUSTOMER = Resource(
    "Customer",
    "Customer",
    "username",
    read="customers.list",
    write="customers.partial_update",
    joins=("UserCustomerGroups", "Order"),
)
LINK = Resource(
    "UserCustomerGroups",
    "UserCustomerGroup",
    "code",
    read="subscriptions.list",
    write="subscriptions.update",
    joins=("UserGroups",),
)
GROUP = Resource(
    "UserGroups", "UserGroup", "code", read="groups.list", write="groups.partial_update"
)
ORDER = Resource("Order", "Order", "order_number", read="transactions.list")

RESOURCES = {resource.name: resource for resource in (CUSTOMER, LINK, GROUP, ORDER)}
