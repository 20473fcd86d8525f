"""The base of every endpoint: who calls, for which tenant, how often, and how it may fail.

`Endpoint` is what all wires share: the tenant's scope and the actor are open from the check of the
rights to the last byte of the answer, and no exception gets past it. `ViewSet` adds the manners of
the house API: a POST with an Idempotency-Key happens once, unknown parameters are refused, and
every exception becomes a problem document. A view declares `operation_prefix` (its rows in the
permission table), serializers for the schema, and its actions.
"""

from contextlib import ExitStack

from django.http import Http404
from rest_framework import viewsets
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from api import idempotency, streaming
from api.filters import QueryFilterBackend, check_parameters
from api.negotiation import Negotiation
from api.ordering import StableOrderingFilter
from api.pagination import PARAMETERS as PAGE_PARAMETERS
from events import reading
from events.actors import Actor, acting, actor_of_principal
from tenancy.permissions import OPERATIONS
from tenancy.scoping import in_tenant
from tenancy.services.signing_in import tenant_by_code

LONGEST_REASON = 500


class Endpoint(viewsets.GenericViewSet):
    """What is asked of one resource, on whatever wire. `operation` is `<operation_prefix>.<action>`
    in the permission table, unless `operations` names another for the action."""

    http_method_names = ["get", "head", "post", "put", "patch", "delete"]

    operation_prefix = None
    operations = {}
    # The way in, as it stands in the history of whom somebody looked at.
    way = "api"

    tenant = None
    _told_of = None

    @property
    def operation(self):
        """The row of the permission table for what is asked now."""
        return self.operations.get(self.action, f"{self.operation_prefix}.{self.action}")

    @property
    def principal(self):
        """Who calls; None in public views."""
        return self.request.user

    # --- one request, start to end
    def dispatch(self, request, *args, **kwargs):
        """Answer a request; the answer is rendered before the tenant's scope closes."""
        self.args, self.kwargs = args, kwargs
        request = self.initialize_request(request, *args, **kwargs)
        self.request = request
        self.headers = self.default_response_headers
        with ExitStack() as scope:
            try:
                self.open_scope(request, scope)
                self.initial(request, *args, **kwargs)
                response = self._answer(request)
            except Exception as error:
                response = self._refused(error)
            if self._told_of and response.status_code == 200 and self.is_reading:
                reading.after_response(self._told_of, way=self.way, what=self.operation)
        self.response = response
        return response

    def open_scope(self, request, scope):
        """Name the tenant and the actor for everything that follows."""
        principal = request.user
        if principal is None:
            return
        self._enter(request, scope, principal.tenant, actor_of_principal(principal))

    def _enter(self, request, scope, tenant, actor):
        self.tenant = tenant
        scope.enter_context(in_tenant(tenant))
        request_id = getattr(request._request, "request_id", "")
        scope.enter_context(acting(actor, request_id=request_id, reason=self.reason()))
        self._told_of = scope.enter_context(reading.collecting(tenant))

    @property
    def is_reading(self):
        """Whether what is asked now tells and changes nothing; a HEAD tells nothing either."""
        method = self.request.method
        return method == "GET" or (method == "POST" and OPERATIONS[self.operation].reads)

    def reason(self):
        """Why the deed is done, as the caller says it; the history keeps it."""
        return ""

    def _answer(self, request):
        return self._work(request)

    def _work(self, request):
        handler = getattr(self, request.method.lower(), self.http_method_not_allowed)
        return self._rendered(handler(request, *self.args, **self.kwargs))

    def _refused(self, error):
        return self._rendered(self.handle_exception(error))

    def _rendered(self, response):
        response = self.finalize_response(self.request, response, *self.args, **self.kwargs)
        response.headers.setdefault("Cache-Control", "no-store")
        if isinstance(response, Response):
            response.render()
        return response

    # --- help for the actions
    def body(self):
        """The body as a dict; raises ValidationError (400) when it is anything else."""
        data = self.request.data
        if not isinstance(data, dict):
            raise ValidationError(["The body must be an object."])
        return dict(data)

    def no_content(self):
        """204, without even a content type."""
        return Response(status=204)

    def stream(self, pieces, *, content_type, filename=None):
        """An answer of any length; see `api.streaming`."""
        return streaming.stream(pieces, content_type=content_type, filename=filename)


class ViewSet(Endpoint):
    """One resource of the house API."""

    content_negotiation_class = Negotiation
    filter_backends = [QueryFilterBackend, StableOrderingFilter]
    ordering = ("id",)
    ordering_fields = ()

    # Actions that answer a list: they take filters, an order and a page.
    list_actions = frozenset({"list"})
    # Action -> further query parameters that it understands.
    parameters = {}
    # POSTs that only read: sending them twice is harmless, and their answers are not kept.
    reading_actions = frozenset()
    # The answer holds something that is shown once; it is never stored for a replay.
    answers_with_secrets = False

    subject_id = None

    def reason(self):
        return reason_of(self.request)

    def initial(self, request, *args, **kwargs):
        super().initial(request, *args, **kwargs)
        check_parameters(request.query_params, self.known_parameters())

    def known_parameters(self):
        """The names of the query parameters that the present action understands."""
        known = set(self.parameters.get(self.action, ()))
        if self.action in self.list_actions:
            known |= {*PAGE_PARAMETERS, StableOrderingFilter.parameter}
            filterset = getattr(self, "filterset_class", None)
            known |= set(filterset.base_filters) if filterset else set()
        return known

    def _answer(self, request):
        key = idempotency.key_of(request)
        owner = self.key_owner()
        if key is None or owner is None or self.action in self.reading_actions:
            return self._work(request)
        self.prepare()
        return idempotency.once(self, request, owner, key, lambda: self._attempt(request))

    def key_owner(self):
        """Whose Idempotency-Keys these are."""
        return self.principal.pk if self.principal else None

    def prepare(self):
        """What a POST with an Idempotency-Key does before its transaction begins."""

    def _attempt(self, request):
        try:
            return self._work(request)
        except Exception as error:
            return self._refused(error)

    # --- help for the actions
    def created(self, data, location=None):
        """201 with a Location."""
        headers = {"Location": self.request.build_absolute_uri(location)} if location else {}
        return Response(data, status=201, headers=headers)


class PublicViewSet(ViewSet):
    """Endpoints that need no credential: the tenant comes from the path (`tenant_code`).

    A tenant that does not exist and one that is switched off answer alike, with 404. A token that
    comes along is not looked at.
    """

    authentication_classes = []

    def open_scope(self, request, scope):
        tenant = tenant_by_code(self.kwargs.get("tenant_code"))
        if tenant is None:
            raise Http404
        self._enter(request, scope, tenant, Actor("customer"))


def reason_of(request):
    """Why a deed is done, as the caller says it: the header X-Reason, else `?reason=`.

    Raises ValidationError (400) when it is too long or not plain text.
    """
    text = request.headers.get("X-Reason") or request.query_params.get("reason") or ""
    if len(text) > LONGEST_REASON:
        raise ValidationError({"reason": [f"At most {LONGEST_REASON} characters."]})
    if any(ord(character) < 32 or 0xD800 <= ord(character) <= 0xDFFF for character in text):
        raise ValidationError({"reason": ["Plain text in one line."]})
    return text.strip()
