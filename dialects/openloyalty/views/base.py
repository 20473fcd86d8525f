"""What the endpoints about customers share."""

import re
import uuid

from django.core.exceptions import PermissionDenied, ValidationError

import normalise
from customers.models import Customer
from customers.services import CustomerGone, get_customer, with_former_ids
from dialects.openloyalty.base import OpenLoyaltyEndpoint
from dialects.openloyalty.parsers import FormParser
from dialects.openloyalty.programme import ENTERED
from events import reading
from tenancy.permissions import CUSTOMER

LOCALE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z]{2})?")
UUID_TEXT = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")


class CustomerEndpoint(OpenLoyaltyEndpoint):
    """Customers. `closed_to` names the roles that the prefix of a path shuts out."""

    operation_prefix = "customers"
    closed_to = frozenset()

    def initial(self, request, *args, **kwargs):
        super().initial(request, *args, **kwargs)
        if self.principal is not None and self.principal.kind in self.closed_to:
            raise PermissionDenied

    def customer(self):
        """The customer that the path names by id or, where that is no UUID, by card number.

        Raises CustomerGone; PermissionDenied for a customer who names anybody else, whether or not
        there is such a one.
        """
        reference = self.kwargs["customer"]
        if self.principal.kind == CUSTOMER:
            own = get_customer(self.principal.customer_id)
            own_ids = {str(one) for one in with_former_ids(own.pk)}
            if reference.lower() not in own_ids and reference != own.card_number:
                raise PermissionDenied
            return own
        if UUID_TEXT.fullmatch(reference):
            return get_customer(uuid.UUID(reference))
        try:
            card = normalise.clean_identifier(reference, max_length=100)
        except ValidationError as error:
            raise CustomerGone from error
        found = Customer.objects.known_as("card_number", card).first() if card else None
        if found is None:
            raise CustomerGone
        reading.tell("customer", found.pk)
        return found

    @property
    def locale(self):
        """The language that names are asked for in; what is none is the one they are entered in."""
        asked = self.parameters().get("_locale")
        if not isinstance(asked, str) or not LOCALE.fullmatch(asked):
            return ENTERED
        return asked.replace("_", "-")

    def read_form(self, form_class, **context):
        """The form in the body, its values checked; refusals are told by its fields from here on.

        Raises FormRefused.
        """
        kind = self.request.content_type.partition(";")[0].strip().lower()
        context |= {"from_form": kind == FormParser.media_type}
        self.form = form_class(
            context={"tenant": self.tenant, "principal": self.principal, **context}
        )
        self.form.read(self.body())
        return self.form
