"""Zeald's accent: its credentials, its XML, its errors."""

from django.http import HttpResponse
from django.urls import get_script_prefix
from rest_framework.exceptions import AuthenticationFailed, UnsupportedMediaType

from dialects.base import DialectEndpoint, TokenAuthentication, raw_body
from dialects.zeald.markup import CONTENT_TYPE, read, refusal, result_set
from dialects.zeald.queries import OWN_KEY

# What clients call XML; curl and PHP call every body a form unless told otherwise.
XML_TYPES = {
    *("text/xml", "application/xml", "text/plain", "application/octet-stream"),
    *("application/x-www-form-urlencoded", ""),
}
MOUNT = "API/V3/"


class ZealdAuthentication(TokenAuthentication):
    """A token of ours in `?_key=`, or as `Authorization: Bearer`."""

    def authenticate(self, request):
        """As the house does it. Raises AuthenticationFailed for a key that is not accepted."""
        key = request.query_params.get(OWN_KEY)
        if not key:
            return super().authenticate(request)
        principal = self._principal(key.encode("utf-8", "replace"))
        if principal is None:
            raise AuthenticationFailed("This key is not accepted.", "invalid_token")
        return principal, principal.token


class ZealdEndpoint(DialectEndpoint):
    """One resource of Zeald's API."""

    way = "zeald"
    authentication_classes = [ZealdAuthentication]

    @classmethod
    def render_problem(cls, problem, request, *, form=None):
        told = [
            f"{error['field']}: {error['message']}" if error["field"] else error["message"]
            for error in problem.errors
        ]
        message = " ".join(dict.fromkeys(told)) or problem.detail
        return answer(refusal(problem.status, message), problem.status)

    def records(self):
        """The records in the body; raises UnsupportedMediaType, ParseError."""
        kind = self.request._request.content_type or ""
        if kind.lower() not in XML_TYPES and not kind.lower().endswith("+xml"):
            raise UnsupportedMediaType(kind)
        return read(raw_body(self.request))

    def result_set(self, shown, specification, *, start=0, total=None, status=200):
        """The answer that shows records."""
        base = self.request._request.build_absolute_uri(f"{get_script_prefix()}{MOUNT}")
        total = len(shown) if total is None else total
        document = result_set(
            shown, base=base, specification=specification, start=start, total=total
        )
        return answer(document, status)


def answer(document, status):
    return HttpResponse(document, status=status, content_type=CONTENT_TYPE)
