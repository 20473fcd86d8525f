"""What is done to a customer as a whole, and what is asked of all of them."""

from django.core.exceptions import PermissionDenied, ValidationError
from django.utils.translation import gettext_lazy as _
from rest_framework.response import Response

import normalise
from customers.models import Customer
from customers.registrations import registrations_before_today
from customers.search import with_contact
from customers.services import (
    activate_customer,
    anonymise_customer,
    confirm_login_change,
    deactivate_customer,
    get_customer,
    prove_customer_password,
    send_activation,
    set_customer_password,
    update_customer,
)
from customers.services.strangers import count_customers_with
from customers.stores import find_store
from dialects.openloyalty.queries import text_of
from dialects.openloyalty.serializers import OpenLoyaltyPassword
from dialects.openloyalty.views.base import CustomerEndpoint
from tenancy.addresses import client_address
from tenancy.permissions import CUSTOMER
from tenancy.services import change_password

DAYS, MOST_DAYS = 30, 3_660
KEYS = {"day": "%Y-%m-%d", "month": "%Y-%m", "year": "%Y"}


class OpenLoyaltyDeedViewSet(CustomerEndpoint):
    """One POST for each deed."""

    operations = {"assign_store": "customers.partial_update", "anonymize": "customers.anonymise"}

    def activate(self, request, customer, tenant_code):
        """Let the customer sign in and earn; the answer has no content, but it is 200."""
        activate_customer(self.customer())
        return Response(status=200)

    def deactivate(self, request, customer, tenant_code):
        """Stop the customer from signing in and earning, reversibly."""
        deactivate_customer(self.customer())
        return Response(status=200)

    def send_code(self, request, customer, tenant_code):
        """An SMS with a code for a new customer; for others nothing is sent, and all is well."""
        try:
            send_activation(self.customer(), method="sms")
        except ValidationError as refusal:
            new = getattr(refusal, "code", None) != "not_new"
            return Response("", status=400 if new else 200)
        return Response("")

    def anonymize(self, request, customer, tenant_code):
        """Erase everything personal, for good."""
        anonymise_customer(self.customer())
        return self.no_content()

    def assign_store(self, request, customer, tenant_code):
        """`posId`: the store that the customer belongs to."""
        found = self.customer()
        if self.principal.kind == CUSTOMER:
            raise PermissionDenied
        store_id = self.parameters().get("posId")
        if store_id in (None, ""):
            return Response({"posId": "field is required"}, status=400)
        store = find_store(store_id) if isinstance(store_id, str) else None
        if store is None:
            return Response({"posId": "This value is not valid."}, status=400)
        update_customer(found, home_store=store)
        return Response([])

    def confirm_login(self, request, token, tenant_code):
        """By the customer: the code that was sent to the new sign-in."""
        if self.principal.kind != CUSTOMER:
            raise PermissionDenied
        confirm_login_change(get_customer(self.principal.customer_id), token)
        return self.no_content()


class OpenLoyaltyPasswordViewSet(CustomerEndpoint):
    """`password/change`, one path for each role."""

    operation_prefix = "session"

    def change_password(self, request, tenant_code=None):
        """A new password after the present one; every sign-in of the account ends."""
        values = self.read_form(OpenLoyaltyPassword).values
        if self.principal.kind == CUSTOMER:
            customer = get_customer(self.principal.customer_id)
            prove_customer_password(customer, values["current"])
            set_customer_password(customer, values["new"])
        elif self.principal.staff is not None:
            address = client_address(request._request)
            change_password(self.principal.staff.user, **values, address=address)
        else:
            raise PermissionDenied
        return Response({"success": True})


class OpenLoyaltyQuestionViewSet(CustomerEndpoint):
    """What is asked of all customers."""

    def registrations(self, request, tenant_code):
        """Registrations of the days before today, counted per day, month or year."""
        asked = self.parameters()
        interval = text_of(asked, "interval") or "day"
        if interval not in KEYS:
            message = _("One of: %(known)s.") % {"known": ", ".join(KEYS)}
            raise ValidationError({"interval": message})
        try:
            text = text_of(asked, "lastDays") or str(DAYS)
            n_days = normalise.clean_int(text, minimum=1, maximum=MOST_DAYS)
        except ValidationError as error:
            raise ValidationError({"lastDays": error.error_list}) from error
        counted = registrations_before_today(
            Customer.objects.all(),
            interval=interval,
            n_days=n_days,
            timezone=self.tenant.timezone,
        )
        return Response({day.strftime(KEYS[interval]): n for day, n in counted})


class OpenLoyaltyCheckViewSet(CustomerEndpoint):
    """How many customers have exactly this e-mail or phone: for staff and services, and for
    strangers where the tenant allows the question."""

    @property
    def operation(self):
        return "public.check" if self.principal is None else "customers.check"

    def check(self, request, tenant_code):
        """`emailOrPhone`."""
        contact = text_of(self.parameters(), "emailOrPhone")
        if not contact:
            raise ValidationError({"emailOrPhone": _("This field is required.")})
        if self.principal is not None:
            customers = Customer.objects.identifiable()
            found = with_contact(customers, contact, country=self.tenant.country)
            return Response({"total": 0 if found is None else found.count()})
        try:
            address = client_address(request._request)
            return Response({"total": count_customers_with(contact, address=address)})
        except ValidationError as refusal:
            if refusal.code == "closed":
                self.permission_denied(request)
            raise
