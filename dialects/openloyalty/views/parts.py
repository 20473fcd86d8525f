"""What hangs on a customer: the picture and the push tokens."""

from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404
from rest_framework.response import Response

from customers.models import Avatar
from customers.services import add_device, remove_avatar, remove_device, set_avatar
from dialects.openloyalty.serializers import OpenLoyaltyAvatar, OpenLoyaltyDevice
from dialects.openloyalty.views.base import CustomerEndpoint
from tenancy.permissions import CUSTOMER


class PartEndpoint(CustomerEndpoint):
    """A part that customers change themselves, where the tenant lets them."""

    def initial(self, request, *args, **kwargs):
        super().initial(request, *args, **kwargs)
        by_customer = self.principal.kind == CUSTOMER and request.method not in ("GET", "HEAD")
        if by_customer and not self.tenant.setting("allow_profile_edits"):
            raise PermissionDenied


class OpenLoyaltyAvatarViewSet(PartEndpoint):
    """`…/avatar`."""

    operation_prefix = "avatar"

    def retrieve(self, request, customer, tenant_code):
        """The bytes of the picture."""
        avatar = Avatar.objects.filter(customer=self.customer()).first()
        if avatar is None:
            raise Http404
        try:
            file = avatar.file.open("rb")
        except FileNotFoundError as error:
            raise Http404 from error
        response = FileResponse(file, content_type=avatar.mime, filename="avatar.webp")
        # Whatever a browser takes it for, it runs nothing and loads nothing.
        response["Content-Security-Policy"] = "default-src 'none'; sandbox"
        response["X-Content-Type-Options"] = "nosniff"
        return response

    def create(self, request, customer, tenant_code):
        """`avatar[file]`, instead of the one before."""
        found = self.customer()
        upload = self.read_form(OpenLoyaltyAvatar).values["file"]
        set_avatar(found, upload, original_name=upload.name)
        return self.no_content()

    def destroy(self, request, customer, tenant_code):
        if not remove_avatar(self.customer()):
            raise Http404
        return self.no_content()


class OpenLoyaltyDeviceViewSet(PartEndpoint):
    """`…/pushy-token`."""

    operation_prefix = "devices"

    def list(self, request, customer, tenant_code):
        """The push tokens of all devices."""
        devices = self.customer().devices
        return Response({"tokens": list(devices.values_list("token", flat=True))})

    def create(self, request, customer, tenant_code):
        """`customer[pushyToken]`; one that is there already stays."""
        found = self.customer()
        add_device(found, self.read_form(OpenLoyaltyDevice).values["token"])
        return self.no_content()

    def destroy(self, request, customer, token, tenant_code):
        """Also where there is no such token."""
        remove_device(self.customer(), token)
        return self.no_content()
