"""What hangs on a customer: extensions of stores, contacts, further addresses."""

from django.core.exceptions import ValidationError
from django.http import Http404
from django.utils.translation import gettext_lazy as _
from rest_framework.response import Response

from customers.services import (
    add_entry,
    add_extension,
    change_entry,
    remove_entry,
    remove_extension,
)
from dialects.flowretail.serializers import EXTENSIONS, FlowRetailAddress, FlowRetailContact
from dialects.flowretail.views.base import CustomerEndpoint


class FlowRetailExtensionViewSet(CustomerEndpoint):
    """`…/extensions/<code>`: a service that the store in the body has switched on."""

    operation_prefix = "store_profiles"
    operations = {"create": "store_profiles.update"}

    def create(self, request, customer, code, tenant_code):
        """Switch it on; repeatable."""
        found, store = self.customer(), self.store_in_body()
        add_extension(found, store, self.known_code())
        return Response(self.one(found.pk)[1])

    def destroy(self, request, customer, code, tenant_code):
        """Switch it off; 404 where it is not on."""
        found, store = self.customer(), self.store_in_body()
        if not remove_extension(found, store, self.known_code()):
            raise Http404
        return self.no_content()

    def known_code(self):
        """The extension in the path; raises ValidationError for another one."""
        if self.kwargs["code"] not in EXTENSIONS:
            listed = _("Must be one of: %s.") % ", ".join(EXTENSIONS)
            raise ValidationError(
                {"customerExtensionCode": ValidationError(listed, code="invalid_choice")}
            )
        return self.kwargs["code"]


class RowViewSet(CustomerEndpoint):
    """Rows of one list of a customer. Each kind supplies: `rows`, our name of the list; `listed`,
    theirs; `key`, their name of a row's uid; `words`, the Body of a row; `required`, by our names.
    """

    rows = listed = key = words = None
    required = ()

    def list(self, request, customer, tenant_code):
        """All of them."""
        found = self.told()
        paging = {"pageNumber": 1, "pageSize": len(found), "totalCount": len(found)}
        return Response({"items": found, "paging": paging})

    def create(self, request, customer, tenant_code):
        """One more, at the end."""
        values = self.values(whole=True)
        row = add_entry(self.customer(), self.rows, values)
        return Response(self.told_one(row.pk), status=201)

    def retrieve(self, request, customer, uid, tenant_code):
        """One of them."""
        return Response(self.told_one(self.part_id("uid")))

    def update(self, request, customer, uid, tenant_code):
        """Change what is sent; what is not stays, null clears."""
        row_id = self.part_id("uid")
        self.told_one(row_id)
        values = self.values()
        values.pop("id", None)  # a row's uid is the one in the path, and stays
        change_entry(self.customer(), self.rows, row_id, values)
        return Response(self.told_one(row_id))

    def destroy(self, request, customer, uid, tenant_code):
        """Remove it."""
        row_id = self.part_id("uid")
        self.told_one(row_id)
        remove_entry(self.customer(), self.rows, row_id)
        return self.no_content()

    def told(self):
        """The rows as the customer shows them."""
        return self.one(self.part_id("customer"))[1][self.listed]

    def told_one(self, row_id):
        """One of them; raises Http404."""
        for row in self.told():
            if row[self.key] == row_id:
                return row
        raise Http404

    def values(self, *, whole=False):
        """The row in the body by our names; with `whole` what is required must be there."""
        self.form = self.rows
        values = self.words().read(self.body())
        missing = [name for name in self.required if whole and not values.get(name)]
        if missing:
            error = ValidationError(_("This field is required."), code="required")
            raise ValidationError(dict.fromkeys(missing, error))
        return values


class FlowRetailContactViewSet(RowViewSet):
    """`…/contacts`: the people of a company."""

    operation_prefix = "contact_persons"
    operations = {"update": "contact_persons.partial_update"}
    rows, listed, key = "contact_persons", "contacts", "customerContactUid"
    words = FlowRetailContact
    required = ("first_name", "last_name")


class FlowRetailAddressViewSet(RowViewSet):
    """`…/addresses`: where deliveries go, beside the customer's own address."""

    operation_prefix = "addresses"
    operations = {"update": "addresses.partial_update"}
    rows, listed, key = "addresses", "addresses", "customerAddressUid"
    words = FlowRetailAddress

    def values(self, *, whole=False):
        values = super().values(whole=whole)
        return {**values, "kind": "shipping"} if whole else values
