"""Open Loyalty's accent: its credentials, its JSON, its errors."""

from datetime import UTC, datetime, time
from decimal import Decimal
from http import HTTPStatus

import orjson
from django.http import HttpResponse
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.renderers import BaseRenderer

from dialects.base import DialectEndpoint, JSONParser, TokenAuthentication
from dialects.openloyalty.parsers import FormParser, UploadParser, nested, pairs
from tenancy.permissions import ADMIN, SERVICE

JSON_OPTIONS = orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS
CONTENT_TYPE = "application/json"


# --- Answers -----------------------------------------------------------------------------------
def dumps(data):
    """Pretty-printed JSON without the keys that have no value; whole numbers have no fraction."""
    return orjson.dumps(_without_nulls(data), default=_number, option=JSON_OPTIONS)


def _without_nulls(value):
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, (list, tuple)):
        return [_without_nulls(item) for item in value]
    return value


def _number(value):
    if isinstance(value, Decimal):
        if value == value.to_integral_value():
            return int(value)
        return orjson.Fragment(format(value.normalize(), "f").encode())
    return str(value)


def moment(instant, zone):
    """`2018-02-02T11:39:17+0100`, in the tenant's time zone."""
    if instant is None:
        return None
    local = instant.astimezone(zone)
    return f"{local:%Y-%m-%dT%H:%M:%S}{_offset(local)}"


def birthday(text, zone):
    """A birth date as the moment that is this day both as written and in UTC; one whose year is
    unknown cannot be said."""
    if not text or text.startswith("--"):
        return None
    midnight = datetime.combine(datetime.fromisoformat(text), time(), UTC)
    here = datetime.combine(midnight, time(), zone)
    return moment(max(midnight, here), zone)


def _offset(local):
    minutes = round(local.utcoffset().total_seconds() / 60)
    hours, minutes = divmod(abs(minutes), 60)
    return f"{'-' if local.utcoffset().total_seconds() < 0 else '+'}{hours:02d}{minutes:02d}"


class OpenLoyaltyRenderer(BaseRenderer):
    """JSON as PHP writes it."""

    media_type = CONTENT_TYPE
    format = "json"
    charset = None
    render_style = "binary"

    def render(self, data, accepted_media_type=None, renderer_context=None):
        return b"" if data is None else dumps(data)


# --- Credentials -------------------------------------------------------------------------------
class WrongKey(PermissionDenied):
    """A permanent key that is none; here that is 403."""

    default_code = "wrong_key"


class OpenLoyaltyAuthentication(TokenAuthentication):
    """`Authorization: Bearer` with a token of ours, or a permanent key in the header X-AUTH-TOKEN
    or in `?auth_token=`: a token of a service or an administrator."""

    def authenticate(self, request):
        """As the house does it. Raises WrongKey for a key that is not accepted."""
        key = request.headers.get("X-Auth-Token") or request.query_params.get("auth_token")
        if key:
            principal = self._principal(key.encode("utf-8", "replace"))
            if principal is None or principal.kind not in (ADMIN, SERVICE):
                raise WrongKey
            return principal, principal.token
        try:
            return super().authenticate(request)
        except AuthenticationFailed as error:
            if error.get_codes() == "bad_scheme":
                return None  # another scheme than Bearer says nothing here
            raise


# --- Refusals ----------------------------------------------------------------------------------
def form_tree(form, errors):
    """The form with all its fields, those in `errors` ([(field or None, message)]) with what is
    wrong; `form.errors` and `errors` say what is wrong with the whole."""
    whole = [message for name, message in errors if name is None]
    children = {}
    for name, field in form.fields.items():
        told = [message for their_name, message in errors if their_name == name]
        inner = [
            (their_name.removeprefix(f"{name}."), message)
            for their_name, message in errors
            if their_name and their_name.startswith(f"{name}.")
        ]
        if name in form.silent and not told:
            continue
        children[name] = {"errors": told} if told else {}
        if hasattr(field, "fields"):
            children[name]["children"] = {
                child: {"errors": found} if (found := _about(child, inner)) else {}
                for child in field.fields
            }
    tree = {"errors": whole, "children": children} if whole else {"children": children}
    return {"form": tree, "errors": whole}


def plain(status):
    """The refusal that only says its status."""
    return {"error": {"code": status, "message": HTTPStatus(status).phrase}}


def _about(name, errors):
    return [message for their_name, message in errors if their_name == name]


class OpenLoyaltyEndpoint(DialectEndpoint):
    """One resource of Open Loyalty's API."""

    way = "openloyalty"
    authentication_classes = [OpenLoyaltyAuthentication]
    parser_classes = [FormParser, JSONParser, UploadParser]
    renderer_classes = [OpenLoyaltyRenderer]

    @classmethod
    def render_problem(cls, problem, request, *, form=None):
        status, answer = problem.status, None
        if problem.code == "wrong_code":
            status, answer = 404, plain(404)
        elif form is not None and status in (400, 409):
            status, answer = 400, form_tree(form, form.in_their_words(problem))
        elif problem.code in ("not_authenticated", "authentication_failed"):
            answer = {"message": "Authentication Required"}
        elif problem.code == "invalid_token":
            answer = {"code": 401, "message": "Invalid JWT Token"}
        elif problem.code == "sign_in_refused":
            answer = {"message": "Bad credentials"}
        elif problem.code == "account_inactive":
            status, answer = 400, {"message": "Your account is not active"}
        elif problem.code == "wrong_key":
            answer = {"message": "Authentication key is not valid."}
        elif status in (400, 409):
            status, answer = 400, {"error": problem.detail}
        else:
            answer = plain(status)
        return HttpResponse(dumps(answer), status=status, content_type=CONTENT_TYPE)

    def parameters(self):
        """What is asked, from the query string and from a form in the body (the vendor's own
        examples send one with GET); the query string wins."""
        query = self.request._request.META.get("QUERY_STRING", "")
        return {**self.body(), **nested(pairs(query.encode("latin-1")))}
