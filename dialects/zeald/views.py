"""The endpoints of the four resources: read the request, ask one service, answer."""

from django.core.exceptions import PermissionDenied, ValidationError
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotAuthenticated

from customers.services import delete_customer
from dialects.problems import Problem, wording
from dialects.zeald import queries, saving
from dialects.zeald.base import ZealdEndpoint
from dialects.zeald.grammar import refused, specification
from dialects.zeald.records import columns, shown
from dialects.zeald.refusing import fitting
from dialects.zeald.resources import CUSTOMER, GROUP, LINK, ORDER
from groups.services import delete_group, remove_from_group
from tenancy.permissions import CUSTOMER as CUSTOMERS_THEMSELVES

SAVE = {
    CUSTOMER: saving.save_customers,
    LINK: saving.save_links,
    GROUP: saving.save_groups,
}
DELETE = {
    CUSTOMER: delete_customer,
    LINK: lambda link: remove_from_group(link.customer, link.group),
    GROUP: delete_group,
}
# What each action needs, beside what reading and writing the joined resources needs.
OPERATIONS = {
    CUSTOMER: {
        "list": "customers.list",
        "retrieve": "customers.retrieve",
        "save": "customers.create",
        "update": "customers.partial_update",
        "destroy": "customers.destroy",
    },
    LINK: {
        "list": "subscriptions.list",
        "retrieve": "subscriptions.list",
        "save": "subscriptions.update",
        "update": "subscriptions.update",
        "destroy": "subscriptions.destroy",
    },
    GROUP: {
        "list": "groups.list",
        "retrieve": "groups.retrieve",
        "save": "groups.create",
        "update": "groups.partial_update",
        "destroy": "groups.destroy",
    },
    ORDER: {"list": "transactions.list", "retrieve": "transactions.retrieve"},
}
READING = ("list", "retrieve")


class NotThere(Exception):
    """There is no record with the key that a path names."""

    def __init__(self, resource, key):
        super().__init__()
        self.message = f"{resource.node} {key} not found"


@wording(NotThere)
def _not_there(error):
    return Problem(404, "not_found", error.message)


class ZealdViewSet(ZealdEndpoint):
    """`/API/V3/<specification>[/<key>]`, for the specifications that begin with `resource`."""

    resource = None
    join = None

    @property
    def operation(self):
        return OPERATIONS[self.resource].get(self.action, OPERATIONS[self.resource]["list"])

    def initial(self, request, *args, **kwargs):
        # Who has no key is told so before anything else, whatever is wrong with the path.
        if request.user is None:
            raise NotAuthenticated
        super().initial(request, *args, **kwargs)
        if self.principal.kind == CUSTOMERS_THEMSELVES:
            raise PermissionDenied
        self.join = specification(self.kwargs["specification"])
        self.asked = queries.asked(self.resource, request.query_params)
        if self.action != "list" and self.asked.search:
            unknown = ValidationError(_("Only a list can be searched."), code="invalid")
            raise ValidationError(dict.fromkeys(self.asked.search, unknown))
        for join in self.join.joins:
            self._check_rights(join)

    def _check_rights(self, join):
        for one in join.all():
            if self.action in READING:
                needed = one.resource.read
            elif self.action == "destroy":
                raise refused(_("Delete one resource, without what is joined to it."))
            elif one.resource.write is None:
                told = {"name": one.resource.name}
                raise refused(_("%(name)s can only be read.") % told)
            else:
                needed = one.resource.write
            if not self.principal.may(needed):
                raise PermissionDenied(f"You may not use {one.resource.name}.")

    # --- the actions
    def list(self, request, specification):
        """The records that every named field narrows to, one page of them."""
        asked = self.asked
        rows = queries.matching(self.resource, asked.search)
        total = rows.count()
        page = []
        if asked.start < total:
            rows = rows.order_by(*asked.order).values(*columns(self.join))
            page = rows[asked.start : asked.start + asked.limit]
        return self.result_set(self.shown(page), specification, start=asked.start, total=total)

    def retrieve(self, request, specification, key):
        """One record, by its key."""
        return self.written([self.named().pk])

    def save(self, request, specification):
        """Create the records of the body, or change those that are there."""
        saved = SAVE[self.resource](
            sent=fitting(self.records(), self.join), principal=self.principal
        )
        return self.written(saved.ids, status=201 if saved.n_new == len(saved.ids) else 200)

    def update(self, request, specification, key):
        """Change the one record that the path names."""
        named = self.named()
        sent = fitting(self.records(), self.join)
        if len(sent) > 1:
            raise ValidationError(_("The path names one record; send one."), code="invalid")
        saved = SAVE[self.resource](sent=sent, principal=self.principal, named=named)
        return self.written(saved.ids)

    def destroy(self, request, specification, key):
        """Remove a record for good."""
        DELETE[self.resource](self.named())
        return self.result_set([], specification)

    # --- what they share
    def named(self):
        """The row that the path names; raises NotThere."""
        key = self.kwargs["key"]
        found = None if "\0" in key else queries.of_resource(self.resource, key)
        if found is None:
            raise NotThere(self.resource, key)
        return found

    def written(self, ids, *, status=200):
        """The answer that shows these records in this order."""
        rows = queries.matching(self.resource, {}).filter(pk__in=ids)
        place = {pk: number for number, pk in enumerate(ids)}
        rows = sorted(rows.values("pk", *columns(self.join)), key=lambda row: place[row.pop("pk")])
        return self.result_set(self.shown(rows), self.kwargs["specification"], status=status)

    def shown(self, rows):
        """Rows as this caller may see them."""
        return shown(self.join, rows, self.principal, self.asked.only)
