"""Every refusal, worded once; on the house API as an RFC 9457 problem document.

A view raises what its service raises. `problem_of` knows which status, sentence and fields that
means; an app teaches it its own exceptions with `wording`. The dialects put the same Problem into
their vendors' envelopes (`dialects.problems`).

Statuses: a body that breaks a rule is 400; an identifier that is taken, or a record in a state
that forbids the deed, is 409, because the same body may be right at another time and the caller
should look rather than correct a typing error; 412 is a version that has moved on.
"""

import logging
import traceback
from dataclasses import dataclass, field

from django.core.exceptions import (
    NON_FIELD_ERRORS,
    BadRequest,
    PermissionDenied,
    SuspiciousOperation,
    ValidationError,
)
from django.core.signals import got_request_exception
from django.db import IntegrityError, InterfaceError, OperationalError
from django.http import Http404, HttpResponse
from django.views import defaults
from rest_framework import exceptions

from api.renderers import dumps
from events.services import KeyInUse, KeyReused
from tenancy.services.counting import TooManyTries

logger = logging.getLogger("regulars.api")

CONTENT_TYPE = "application/problem+json"
TITLES = {
    400: "Bad request",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    406: "Not acceptable",
    409: "Conflict",
    410: "Gone",
    412: "Changed meanwhile",
    413: "Too large",
    415: "Unsupported media type",
    422: "Cannot be processed",
    428: "Version required",
    429: "Too many requests",
    500: "Internal error",
    503: "Temporarily unavailable",
}
# Codes of a ValidationError that speak of what is stored, not of what was sent.
CONFLICTS = {"unique", "conflict"}
RETRY_SECONDS = 1
# A body of nothing but mistakes must not be answered by a longer one.
MOST_ERRORS = 100


class BodyTooLarge(Exception):
    """More bytes than an ordinary request may have."""


class PreconditionRequired(Exception):
    """The tenant wants every change to name the version that it is based on."""


class FieldsRefused(Exception):
    """The caller's role may not set these fields, by path."""

    def __init__(self, paths):
        super().__init__()
        self.paths = sorted(paths)


@dataclass(frozen=True, slots=True)
class Problem:
    """One refusal, before it becomes an answer: the same for every wire, worded by each.

    `errors` are {"field", "code", "message"}, the field in our words, None for the whole body.
    """

    status: int
    code: str
    detail: str
    errors: list = field(default_factory=list)
    headers: dict = field(default_factory=dict)
    # A try that was counted before it failed; its count must survive the refusal.
    counted: bool = False

    def document(self, request):
        """The members of the problem document."""
        members = {
            "type": f"urn:regulars:problem:{self.code}",
            "title": TITLES.get(self.status, "Refused"),
            "status": self.status,
            "detail": self.detail,
        }
        if self.errors:
            members["errors"] = self.errors[:MOST_ERRORS]
        members["request_id"] = getattr(request, "request_id", "")
        return members

    def response(self, request):
        """The answer to `request`."""
        response = HttpResponse(
            dumps(self.document(request)), status=self.status, content_type=CONTENT_TYPE
        )
        for name, value in self.headers.items():
            response[name] = value
        response["Cache-Control"] = "no-store"
        response.problem = self
        return response


# --- What an exception means -------------------------------------------------------------------
_wordings = {}


def wording(*exception_classes):
    """Register a function (exception) -> Problem for exceptions of an app."""

    def register(function):
        for exception_class in exception_classes:
            _wordings[exception_class] = function
        return function

    return register


def problem_of(error):
    """The Problem that an exception means; an unknown one is a 500 that says nothing of it."""
    for exception_class in type(error).__mro__:
        if exception_class in _wordings:
            return _wordings[exception_class](error)
    return Problem(500, "internal", "Something went wrong here. The request id helps to find it.")


def field_errors(error):
    """The list of {"field", "code", "message"} in a ValidationError; None: the whole body."""
    by_field = error.error_dict if hasattr(error, "error_dict") else {None: error.error_list}
    found = []
    for name, errors in by_field.items():
        for single in errors:
            # A ValidationError that stands alone in a dict may itself be a list of them.
            for inner in getattr(single, "error_list", [single]):
                found.append(
                    {
                        "field": None if name == NON_FIELD_ERRORS else name,
                        "code": inner.code or "invalid",
                        "message": str(inner.messages[0]),
                    }
                )
    return found


@wording(ValidationError)
def _validation(error):
    errors = field_errors(error)
    conflict = bool(errors) and all(entry["code"] in CONFLICTS for entry in errors)
    told = [entry for entry in errors if entry["field"] is None]
    detail = told[0]["message"] if told else _summary(errors)
    code = errors[0]["code"] if conflict else "invalid"
    return Problem(409 if conflict else 400, code, detail, errors)


def _summary(errors):
    names = ", ".join(dict.fromkeys(str(entry["field"]) for entry in errors[:5]))
    return f"Look at: {names}." if names else "The request is not valid."


@wording(exceptions.ValidationError)
def _drf_validation(error):
    errors = list(_flat(error.detail, ""))
    return Problem(400, "invalid", _summary(errors), errors)


def _flat(detail, path):
    if isinstance(detail, dict):
        for name, inner in detail.items():
            yield from _flat(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            nested = isinstance(inner, (dict, list))
            yield from _flat(inner, f"{path}.{index}" if nested else path)
    else:
        code = getattr(detail, "code", "invalid")
        yield {"field": path or None, "code": code, "message": str(detail)}


@wording(exceptions.APIException)
def _api_exception(error):
    headers = {}
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = error.auth_header
    if getattr(error, "wait", None):
        headers["Retry-After"] = str(max(1, int(error.wait)))
    code = error.get_codes()
    return Problem(
        error.status_code,
        code if isinstance(code, str) else "refused",
        str(error.detail),
        headers=headers,
    )


@wording(Http404)
def _missing(error):
    return Problem(404, "not_found", "There is nothing here for you.")


@wording(PermissionDenied)
def _denied(error):
    return Problem(403, "permission_denied", str(error) or "You may not do this.")


@wording(FieldsRefused)
def _fields_refused(error):
    message = "Your role may not set this field."
    errors = [{"field": path, "code": "forbidden", "message": message} for path in error.paths]
    return Problem(403, "forbidden_fields", f"You may not set: {', '.join(error.paths)}.", errors)


@wording(BodyTooLarge)
def _too_large(error):
    return Problem(413, "too_large", f"A request may have {error.args[0]:,} bytes at most.")


@wording(SuspiciousOperation, BadRequest)
def _suspicious(error):
    return Problem(400, "bad_request", "This request cannot be understood.")


@wording(PreconditionRequired)
def _required(error):
    return Problem(
        428, "version_required", "Send If-Match with the ETag of the record you have read."
    )


@wording(TooManyTries)
def _too_many(error):
    headers = {"Retry-After": str(error.retry_after)}
    return Problem(
        429, "too_many_tries", "Too many tries. Wait a while.", headers=headers, counted=True
    )


@wording(KeyInUse)
def _running(error):
    headers = {"Retry-After": str(error.retry_after)}
    return Problem(
        409, "key_in_use", "A request with this Idempotency-Key is running.", headers=headers
    )


@wording(KeyReused)
def _reused(error):
    return Problem(
        422, "key_reused", "This Idempotency-Key belongs to a request with another content."
    )


@wording(IntegrityError)
def _integrity(error):
    return Problem(409, "conflict", "This contradicts what is stored.")


@wording(OperationalError, InterfaceError)
def _unavailable(error):
    headers = {"Retry-After": str(RETRY_SECONDS)}
    return Problem(503, "unavailable", "The database is busy. Try again.", headers=headers)


# --- How exceptions reach this page ------------------------------------------------------------
def exception_handler(error, context):
    """Django REST framework's hook: every exception of a view becomes a problem document."""
    request = context["request"]._request
    problem = problem_of(error)
    if problem.status >= 500:
        report(error, request, problem)
    return problem.response(request)


def report(error, request, problem):
    """Log where it broke, without messages and values: they may speak of people."""
    frames = "".join(traceback.format_tb(error.__traceback__)[-12:])
    logger.error(
        "%s %s by %s, request %s\n%s",
        problem.status,
        request.method,
        type(error).__name__,
        getattr(request, "request_id", "-"),
        frames,
    )
    if problem.status == 500:
        # Error trackers and the test client listen to this; nobody would hear of it otherwise.
        got_request_exception.send(sender=None, request=request)


def _for_api(request):
    return request.path_info.startswith("/api/")


def page_not_found(request, exception):
    """handler404: below /api/ a problem document, elsewhere Django's page."""
    if _for_api(request):
        return _missing(exception).response(request)
    return defaults.page_not_found(request, exception)


def bad_request(request, exception):
    """handler400: a wrong host, too many parameters, and the like."""
    if _for_api(request):
        return problem_of(exception).response(request)
    return defaults.bad_request(request, exception)


def permission_denied(request, exception):
    """handler403."""
    if _for_api(request):
        return _denied(exception).response(request)
    return defaults.permission_denied(request, exception)


def server_error(request):
    """handler500: for what breaks outside of any view."""
    if _for_api(request):
        return problem_of(Exception()).response(request)
    return defaults.server_error(request)
