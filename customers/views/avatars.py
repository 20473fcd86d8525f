"""The customer's picture."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import FileResponse, Http404
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.renderers import BaseRenderer
from rest_framework.response import Response

from api.etags import etag
from api.problems import BodyTooLarge
from api.renderers import JSONRenderer
from customers.models import Avatar
from customers.services import remove_avatar, set_avatar
from customers.services.avatars import MAX_BYTES
from customers.views.base import CustomerPartViewSet

ENVELOPE = 64 * 1024  # what the multipart form adds to the file


class PictureParser(MultiPartParser):
    """A form with one file; refused by its length before a byte of it is read."""

    def parse(self, stream, media_type=None, parser_context=None):
        length = parser_context["request"].META.get("CONTENT_LENGTH") or "0"
        limit = max(MAX_BYTES, settings.DATA_UPLOAD_MAX_MEMORY_SIZE) + ENVELOPE
        if not length.isdigit() or int(length) > limit:
            raise BodyTooLarge(limit)
        return super().parse(stream, media_type, parser_context)


class PictureRenderer(BaseRenderer):
    """Lets `Accept: image/webp` and the like pass; the view answers the bytes itself."""

    media_type = "image/*"
    format = "image"
    charset = None


PICTURE_FORM = {
    "multipart/form-data": {
        "type": "object",
        "required": ["file"],
        "properties": {"file": {"type": "string", "format": "binary"}},
    }
}


class AvatarViewSet(CustomerPartViewSet):
    """The picture: re-encoded by us, served only to who may see the customer."""

    operation_prefix = "avatar"
    own_profile = frozenset({"create", "destroy"})
    parser_classes = [PictureParser]
    renderer_classes = [JSONRenderer, PictureRenderer]

    @extend_schema(
        responses={(200, "image/webp"): OpenApiResponse(OpenApiTypes.BINARY)},
        summary="Read the picture",
    )
    def retrieve(self, request, customer_id):
        """The bytes of the picture (WebP, at most 512 pixels)."""
        avatar = Avatar.objects.filter(customer=self.customer()).first()
        if avatar is None:
            raise Http404
        try:
            file = avatar.file.open("rb")
        except FileNotFoundError as error:
            raise Http404 from error
        response = FileResponse(file, content_type=avatar.mime, filename="picture.webp")
        # Whatever a browser takes it for, it runs nothing and loads nothing.
        response["Content-Security-Policy"] = "default-src 'none'; sandbox"
        response["X-Content-Type-Options"] = "nosniff"
        return response

    @extend_schema(request=PICTURE_FORM, responses={204: None}, summary="Set the picture")
    def create(self, request, customer_id):
        """Store a picture (JPEG, PNG, WebP or GIF, 5 MB, 25 million pixels), replacing the one
        before. Only its pixels are kept."""
        customer = self.customer()
        names = set(request.data)
        upload = request.FILES.get("file")
        if upload is None or names != {"file"}:
            raise ValidationError(
                {"file": ValidationError(_("Send one file, in the field `file`."), "required")}
            )
        with self.at_expected_version(customer):
            set_avatar(customer, upload, original_name=upload.name)
        customer.refresh_from_db(fields=["version"])
        return Response(status=204, headers={"ETag": etag(customer.version)})

    @extend_schema(responses={204: None}, summary="Remove the picture")
    def destroy(self, request, customer_id):
        """Remove the picture."""
        customer = self.customer()
        with self.at_expected_version(customer):
            there = remove_avatar(customer)
        if not there:
            raise Http404
        return Response(status=204, headers={"ETag": etag(customer.version)})
