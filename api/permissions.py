"""May this caller do this operation? Asked of the one permission table."""

from rest_framework.exceptions import MethodNotAllowed
from rest_framework.permissions import BasePermission

from tenancy.permissions import OPERATIONS


class TablePermission(BasePermission):
    """Looks `<operation_prefix>.<action>` up in `tenancy.permissions`.

    An operation without a row raises KeyError: forgetting one is a bug and must crash. Ownership
    (a customer's own record) is the view's to check, because a foreign record is "not there".
    """

    def has_permission(self, request, view):
        # Django REST framework calls OPTIONS "metadata"; the schema says more.
        if view.action in (None, "metadata"):
            raise MethodNotAllowed(request.method)
        rule = OPERATIONS[view.operation]
        if rule.anonymous:
            return True
        return request.user is not None and request.user.may(view.operation)
