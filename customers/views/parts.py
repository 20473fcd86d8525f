"""The lists below a customer: e-mails, phones, addresses, contact persons, labels."""

from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.response import Response

from api.etags import etag
from api.problems import FieldsRefused
from customers.records import record_of
from customers.serializers import (
    AddressSerializer,
    ContactPersonSerializer,
    EmailSerializer,
    LabelSerializer,
    PhoneSerializer,
)
from customers.services import (
    CustomerGone,
    NoSuchEntry,
    add_entry,
    change_entry,
    remove_entry,
)
from customers.views.base import CustomerPartViewSet
from customers.views.writing import PROVEN_ONLY_BY_CODE
from tenancy.permissions import CUSTOMER


class EntryViewSet(CustomerPartViewSet):
    """One list of child rows; its entries change through the services of their customer."""

    list_name = None
    # The lists are short (a hundred entries) and come whole.
    filter_backends = []
    pagination_class = None
    list_actions = frozenset()

    def list(self, request, customer_id):
        """All entries, in their order."""
        record = self._record()
        return Response(
            {"results": record[self.list_name], "next": None, "previous": None},
            headers={"ETag": etag(record["version"])},
        )

    def retrieve(self, request, customer_id, entry_id):
        """One entry."""
        return self._entry(self.own_part("entry_id"))

    def create(self, request, customer_id):
        """Add an entry. A contact point that is there already is changed instead of doubled."""
        customer = self.customer()
        values = self._values()
        row = add_entry(
            customer,
            self.list_name,
            values,
            expected_version=self.expected_version(customer),
        )
        name = f"api:{self.operation_prefix.replace('_', '-')}-entry"
        location = reverse(name, args=[customer.pk, row.pk])
        headers = {"Location": request.build_absolute_uri(location)}
        return self._entry(row.pk, status=201, headers=headers)

    def partial_update(self, request, customer_id, entry_id):
        """Change the named parts of an entry."""
        customer = self.customer()
        entry = self.own_part("entry_id")
        change_entry(
            customer,
            self.list_name,
            entry,
            self._values(),
            expected_version=self.expected_version(customer),
        )
        return self._entry(entry)

    def destroy(self, request, customer_id, entry_id):
        """Remove an entry; the first of the rest becomes primary where it was."""
        customer = self.customer()
        remove_entry(
            customer,
            self.list_name,
            self.own_part("entry_id"),
            expected_version=self.expected_version(customer),
        )
        return Response(status=204, headers={"ETag": etag(customer.version)})

    def _values(self):
        values = self.body()
        if "id" in values:
            raise ValidationError(
                {"id": ValidationError(_("This cannot be set here."), code="read_only")}
            )
        if self.principal.kind == CUSTOMER:
            refused = [name for name in PROVEN_ONLY_BY_CODE if name in values]
            if refused:
                raise FieldsRefused(refused)
        return values

    def _record(self):
        record = record_of(self.customer_id())
        if record is None:
            raise CustomerGone
        return record

    def _entry(self, entry_id, *, status=200, headers=None):
        record = self._record()
        for entry in record[self.list_name]:
            if entry["id"] == entry_id:
                headers = {"ETag": etag(record["version"]), **(headers or {})}
                return Response(entry, status=status, headers=headers)
        raise NoSuchEntry


def described(serializer, singular, plural):
    """The schema of an EntryViewSet: its five operations answer in one shape."""
    return extend_schema_view(
        list=extend_schema(responses=serializer(many=True), summary=f"List {plural}"),
        retrieve=extend_schema(responses=serializer, summary=f"Read {singular}"),
        create=extend_schema(
            request=serializer, responses={201: serializer}, summary=f"Add {singular}"
        ),
        partial_update=extend_schema(
            request=serializer, responses=serializer, summary=f"Change {singular}"
        ),
        destroy=extend_schema(responses={204: None}, summary=f"Remove {singular}"),
    )


OWN_PROFILE = frozenset({"create", "partial_update", "destroy"})


@described(EmailSerializer, "an e-mail", "e-mails")
class EmailViewSet(EntryViewSet):
    operation_prefix = list_name = "emails"
    own_profile = OWN_PROFILE


@described(PhoneSerializer, "a phone", "phones")
class PhoneViewSet(EntryViewSet):
    operation_prefix = list_name = "phones"
    own_profile = OWN_PROFILE


@described(AddressSerializer, "an address", "addresses")
class AddressViewSet(EntryViewSet):
    operation_prefix = list_name = "addresses"
    own_profile = OWN_PROFILE


@described(ContactPersonSerializer, "a contact person", "contact persons")
class ContactPersonViewSet(EntryViewSet):
    operation_prefix = list_name = "contact_persons"


@described(LabelSerializer, "a label", "labels")
class LabelViewSet(EntryViewSet):
    operation_prefix = list_name = "labels"
    operations = {"retrieve": "labels.list", "partial_update": "labels.create"}
