"""What people do before they have a credential: registration, activation, a forgotten password.

A header of credentials that is sent all the same says nothing here. What is told to strangers, and
how often, `customers.services.telling` decides.
"""

from django.core.exceptions import PermissionDenied, ValidationError
from rest_framework.response import Response

from customers.services import activate_by_link, reset_password
from customers.services.enrolling import activate_enrolled
from customers.services.telling import (
    register_telling,
    request_reset_telling,
    send_code_telling,
)
from dialects.openloyalty.base import plain
from dialects.openloyalty.serializers import OpenLoyaltyReset, OpenLoyaltySelfRegistration
from dialects.openloyalty.views.base import CustomerEndpoint
from tenancy.addresses import client_address
from tenancy.services.signing_in import only_tenant

NOT_NAMED = 'field "%s" should not be empty'
ASKED = "resetting password already requested"


class OpenLoyaltyNewcomerViewSet(CustomerEndpoint):
    """Without a tenant in the path the passwords are those of the installation's only one."""

    operation_prefix = "public"
    operations = {
        "activate_sms": "public.activate",
        "request_reset": "public.reset_password",
    }
    authentication_classes = []

    def tenant_of_strangers(self, code):
        tenant = only_tenant() if code is None else None
        return tenant or super().tenant_of_strangers(code)

    @property
    def address(self):
        return client_address(self.request._request)

    def register(self, request, tenant_code):
        """`customer[…]`: oneself, with a password."""
        form = self.read_form(OpenLoyaltySelfRegistration)
        try:
            customer_id, email = register_telling(address=self.address, **form.registration())
        except ValidationError as refusal:
            if getattr(refusal, "code", None) == "closed":
                raise PermissionDenied from refusal
            raise
        return Response({"customerId": customer_id, "email": email})

    def activate(self, request, token, tenant_code):
        """By the token at the end of the mail's link; the answer has no content, but it is 200."""
        activate_by_link(token)
        return Response(status=200)

    def activate_sms(self, request, token, tenant_code):
        """By the six digits of an SMS."""
        activate_enrolled(token, address=self.address)
        return self.no_content()

    def send_code(self, request, tenant_code):
        """`phone`: the code again."""
        try:
            send_code_telling(self._text("phone"), address=self.address)
        except ValidationError:
            return Response("", status=400)
        return Response("")

    def request_reset(self, request, tenant_code=None):
        """`username`: a link for a new password by mail."""
        login = self._text("username")
        if not login:
            return Response({"error": NOT_NAMED % "username"}, status=400)
        try:
            request_reset_telling(login, address=self.address)
        except ValidationError as refusal:
            if refusal.code == "asked":
                return Response({"error": ASKED}, status=400)
            return Response(plain(404), status=404)
        return Response({"success": True})

    def reset_password(self, request, tenant_code=None):
        """`token` and `reset[plainPassword]`: the new password."""
        token = self._text("token")
        if not token:
            return Response({"error": NOT_NAMED % "token"}, status=400)
        password = self.read_form(OpenLoyaltyReset).values["password"]
        reset_password(token, password)
        return Response({"success": True})

    def _text(self, name):
        value = self.parameters().get(name)
        return str(value).strip() if isinstance(value, (str, int)) else ""
