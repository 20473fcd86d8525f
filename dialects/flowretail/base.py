"""Flow Retail's accent: JSON whatever it is called, times in milliseconds, its errors."""

from datetime import UTC
from decimal import Decimal

import orjson
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from rest_framework.renderers import BaseRenderer

from dialects.base import AsTheVendor, DialectEndpoint, JSONParser, TokenAuthentication
from dialects.flowretail.serializers import word_for
from tenancy.permissions import CUSTOMER

CONTENT_TYPE = "application/json"
# A body of nothing but mistakes must not be answered by a longer one.
MOST_ERRORS, MOST_TOLD = 100, 5


# --- Answers -----------------------------------------------------------------------------------
def dumps(data):
    """The bytes of an answer; every key stands there, empty ones as null."""
    return orjson.dumps(data, default=_plain, option=orjson.OPT_PASSTHROUGH_DATETIME)


def _plain(value):
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if hasattr(value, "isoformat"):
        return moment(value)
    return str(value)


def moment(instant):
    """`2026-11-30T20:15:00.123Z`, or None."""
    if instant is None:
        return None
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class FlowRetailRenderer(BaseRenderer):
    media_type = CONTENT_TYPE
    format = "json"
    charset = None
    render_style = "binary"

    def render(self, data, accepted_media_type=None, renderer_context=None):
        return b"" if data is None else dumps(data)


class AlwaysJson(AsTheVendor):
    """A body is JSON, whatever its content type: some clients name none when they DELETE."""

    def select_parser(self, request, parsers):
        return parsers[0]


# --- Refusals ----------------------------------------------------------------------------------
def told(problem, rows=None):
    """What is wrong as the vendor's clients read it: `code`, `message`, and `errors` by field.
    `rows` is as for `word_for`."""
    errors = [
        {"field": word_for(error["field"], rows), "message": error["message"]}
        for error in problem.errors[:MOST_ERRORS]
    ]
    return {"code": problem.code, "message": _sentence(problem, errors), "errors": errors}


def _sentence(problem, errors):
    """What the errors say; the problem's own sentence may name fields by names that are not the
    vendor's."""
    if not errors:
        return problem.detail
    return " ".join(
        f"{error['field']}: {error['message']}" if error["field"] else str(error["message"])
        for error in errors[:MOST_TOLD]
    )


class FlowRetailEndpoint(DialectEndpoint):
    """One resource of Flow Retail's API. Staff and services only: its rights are TENANT.ACCESS
    (reading and writing customers) and TENANT.BACKOFFICE (deleting them too)."""

    way = "flowretail"
    authentication_classes = [TokenAuthentication]
    parser_classes = [JSONParser]
    renderer_classes = [FlowRetailRenderer]
    content_negotiation_class = AlwaysJson

    @classmethod
    def render_problem(cls, problem, request, *, form=None):
        return HttpResponse(
            dumps(told(problem, rows=form)), status=problem.status, content_type=CONTENT_TYPE
        )

    def names_tenant(self, text, tenant):
        return super().names_tenant(text, tenant) or text.lower() == str(tenant.pk)

    def initial(self, request, *args, **kwargs):
        super().initial(request, *args, **kwargs)
        if self.principal.kind == CUSTOMER:
            raise PermissionDenied
