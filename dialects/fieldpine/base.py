"""Fieldpine's accent: the key in a header, names in any letter case, the error packet."""

import re

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import AuthenticationFailed

from customers.services import SentTooOften
from dialects.base import (
    AsTheVendor,
    DialectEndpoint,
    JSONParser,
    JSONRenderer,
    TokenAuthentication,
    dumps,
)
from dialects.problems import Problem, wording

CONTENT_TYPE = "application/json"
ERROR, WARNING = "Error", "Warning"
# Clients branch on the number. Whatever else is wrong has the number of its status.
CODES = {
    "required": 4001,
    "unique": 4002,
    "unknown": 4003,
    "invalid_json": 4004,
    "not_utf8": 4004,
    "duplicate_key": 4004,
}
OF_A_FIELD = 4000
# A body of nothing but mistakes must not be answered by a longer one.
MOST_ERRORS = 100


@wording(SentTooOften)
def _sent_too_often(error):
    headers = {"Retry-After": "1"}
    return Problem(503, "unavailable", "The same body is busy. Try again.", headers=headers)


class FieldpineAuthentication(TokenAuthentication):
    """`X-Api-Key` with a token of ours; `Authorization: Bearer` does as well."""

    def authenticate(self, request):
        """As the house does it."""
        key = request.headers.get("X-Api-Key")
        if key is None:
            return super().authenticate(request)
        principal = self._principal(key.strip().encode("utf-8", "replace"))
        if principal is None:
            raise AuthenticationFailed("This key is not accepted.", "invalid_token")
        return principal, principal.token

    def authenticate_header(self, request):
        return 'X-Api-Key realm="OpenApi2"'


class AnyTypeIsJSON(AsTheVendor):
    """The vendor knows one form of body, so clients do not always name it."""

    def select_parser(self, request, parsers):
        return parsers[0]


def packet(code, message, severity=ERROR):
    """One error as the vendor tells it."""
    return {"Code": code, "Message": message, "Severity": severity}


def packets(found):
    """The value of `error` for one packet or several."""
    return found[0] if len(found) == 1 else {"QERR": found}


def is_developer(request):
    """Whether the caller asks, by `X-Fieldpine-CallerHandling`, to be told everything."""
    words = request.headers.get("X-Fieldpine-CallerHandling", "")
    return "developer" in re.split(r"[,\s]+", words.lower())


class FieldpineEndpoint(DialectEndpoint):
    """One resource of Fieldpine's API."""

    way = "fieldpine"
    authentication_classes = [FieldpineAuthentication]
    parser_classes = [JSONParser]
    renderer_classes = [JSONRenderer]
    content_negotiation_class = AnyTypeIsJSON

    # The query parameters that are understood; all others are ignored.
    known_parameters = frozenset()

    @classmethod
    def render_problem(cls, problem, request, *, form=None):
        status = 400 if problem.status == 409 else problem.status
        found = [
            packet(
                CODES.get(error["code"], OF_A_FIELD if status == 400 else status),
                f"{name}: {error['message']}" if name else str(error["message"]),
            )
            for name, error in cls._named(problem.errors, form)
        ][:MOST_ERRORS] or [packet(CODES.get(problem.code, status), str(problem.detail))]
        if not is_developer(request):
            found = found[:1]
        return HttpResponse(
            dumps({"error": packets(found)}), status=status, content_type=CONTENT_TYPE
        )

    @classmethod
    def _named(cls, errors, form):
        for error in errors:
            path = error["field"]
            if path not in cls.known_parameters:
                path = form.name_of(path) if form is not None else None
            yield path, error

    def parameters(self):
        """What is asked in the query string, by names in lower case; raises ValidationError for a
        name that comes twice."""
        found = {}
        for name, values in self.request.query_params.lists():
            name = name.lower()
            if name not in self.known_parameters:
                continue
            if name in found or len(values) > 1:
                raise ValidationError({name: ValidationError(_("Given more than once."))})
            found[name] = values[0]
        return found
