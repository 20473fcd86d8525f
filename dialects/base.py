"""What all dialects share: the endpoint, its errors, and the names of the fields in two languages.

A dialect is a bundle of policies of Django REST framework (authentication, parsers, renderers) over
our services; what stands here is the part of it that no vendor sees.
"""

from dataclasses import dataclass, field

from django.http import Http404
from django.urls import re_path
from rest_framework.negotiation import BaseContentNegotiation

from api.authentication import TokenAuthentication
from api.parsers import MAX_DEPTH, JSONParser, loads, raw_body
from api.problems import FieldsRefused
from api.renderers import JSONRenderer, dumps
from api.routes import actions, route
from api.views import Endpoint
from dialects.problems import problem_of, report
from events.actors import Actor
from tenancy.permissions import OPERATIONS, changes_field
from tenancy.services.signing_in import tenant_by_code

__all__ = [
    "MAX_DEPTH",
    "AsTheVendor",
    "Described",
    "Dialect",
    "DialectEndpoint",
    "JSONParser",
    "JSONRenderer",
    "TokenAuthentication",
    "actions",
    "check_fields",
    "dumps",
    "everything_else",
    "loads",
    "raw_body",
    "route",
    "translated",
]


@dataclass(frozen=True)
class Described:
    """What a dialect's OpenAPI document says of one endpoint, beside what is read from the code:
    the docstring of its action, who may call, the parameters of its path.

    `body` and `answer` are serializers (or a JSON schema as a dict); of a form with `brackets` the
    fields stand below that name. `parameters` maps those of the query to (JSON schema, sentence).
    """

    body: object = None
    answer: object = None
    parameters: dict = field(default_factory=dict)
    status: int = 200


@dataclass(frozen=True)
class Dialect:
    """What a dialect says of itself; docs/dialects.md is made of it, and the contract suite holds
    it to it.

    `spoken` maps the names of a record (`customers.records`) to the vendor's; `unspoken` maps those
    that the format does not say to the reason. `registers` are the names that a registration takes,
    `untold` those of them that no answer tells again. `endpoints` are those that the vendor
    documents, "METHOD /path", each <parameter> named by the vendor.

    Of those that speak JSON an OpenAPI document is served: `security` holds its security schemes,
    `refusal` the JSON schema of an error, `described` a Described for each endpoint of which there
    is more to say than the code says by itself.
    """

    name: str
    label: str
    mount: str
    format: str
    errors: str
    credentials: str
    spoken: dict
    unspoken: dict = field(default_factory=dict)
    registers: tuple = ()
    untold: tuple = ()
    endpoints: tuple = ()
    security: dict = field(default_factory=dict)
    refusal: dict = field(default_factory=lambda: {"type": "object"})
    described: dict = field(default_factory=dict)

    @property
    def speaks_json(self):
        return "JSON" in self.format


class AsTheVendor(BaseContentNegotiation):
    """The vendor's API answers in its one form whatever `Accept` says, so we do."""

    def select_parser(self, request, parsers):
        for parser in parsers:
            if request.content_type.partition(";")[0].strip().lower() == parser.media_type:
                return parser
        return None

    def select_renderer(self, request, renderers, format_suffix=None):
        return renderers[0], renderers[0].media_type


class DialectEndpoint(Endpoint):
    """One resource of a dialect.

    Each dialect supplies: `way`, its name; `authentication_classes`, `parser_classes`,
    `renderer_classes`, and `render_problem`, its error envelope; where its paths name a tenant
    otherwise, `names_tenant`. Shared; do not override: the tenant in the path (`tenant_code`) must
    be the credential's, else it is "not there"; every refusal passes `render_problem`, also those
    raised before the action.
    """

    # The house API's schema does not describe other vendors' APIs.
    schema = None
    content_negotiation_class = AsTheVendor
    filter_backends = []
    pagination_class = None

    # The serializer of the body at hand: it knows the vendor's names of our fields.
    form = None

    @classmethod
    def render_problem(cls, problem, request, *, form=None):
        """The HttpResponse that says `problem` as the vendor does; `form` as above, or None."""
        raise NotImplementedError

    # --- shared
    def open_scope(self, request, scope):
        principal = request.user
        code = self.kwargs.get("tenant_code")
        if principal is not None:
            if code is not None and not self.names_tenant(code, principal.tenant):
                raise Http404
            super().open_scope(request, scope)
        elif self.action and self.is_open:
            tenant = self.tenant_of_strangers(code)
            if tenant is not None:
                self._enter(request, scope, tenant, Actor("customer"))

    def names_tenant(self, text, tenant):
        """Whether `text` in a path is this tenant: its code in any letter case, like everywhere
        else that names a tenant."""
        return text.lower() == tenant.code.lower()

    @property
    def is_open(self):
        """Whether what is asked needs no credential."""
        # A method that nobody serves may have a name, as OPTIONS does, but no row in the table.
        rule = OPERATIONS.get(self.operation)
        return rule is not None and rule.anonymous

    def tenant_of_strangers(self, code):
        """The tenant of a call without a credential, by the code in its path; Http404 without."""
        tenant = tenant_by_code(code)
        if tenant is None:
            raise Http404
        return tenant

    def get_exception_handler(self):
        return self._refuse

    def _refuse(self, error, context):
        problem = problem_of(error)
        if problem.status >= 500:
            report(error, self.request._request, problem)
        return self.refusal(problem, self.request._request, form=self.form)

    @classmethod
    def refusal(cls, problem, request, *, form=None):
        """The whole answer that refuses `request`."""
        response = cls.render_problem(problem, request, form=form)
        for name, value in problem.headers.items():
            response[name] = value
        response["Cache-Control"] = "no-store"
        response.problem = problem
        return response


def everything_else(view_class, pattern=r"^.*$"):
    """The last line of a dialect's routes: whatever else is asked below its mount is not there, in
    the vendor's words."""

    def nowhere(request, *args, **kwargs):
        return view_class.refusal(problem_of(Http404()), request)

    nowhere.cls = view_class
    nowhere.csrf_exempt = True
    return re_path(pattern, nowhere)


def check_fields(principal, names):
    """Refuse fields, by our names, that the caller's role may not set. Raises FieldsRefused."""
    refused = {name for name in names if not changes_field(principal.kind, name)}
    if refused:
        raise FieldsRefused(refused)


def translated(errors, names):
    """A Problem's errors by the vendor's names: [(their name or None, error), …].

    `names` maps our paths to theirs, without the places in lists: `emails.0.address` is looked up
    as `emails.address`, then as `emails`. An error about a field that the vendor has no word for
    is about the whole.
    """
    return [(_their_name(error["field"], names), error) for error in errors]


def _their_name(path, names):
    parts = [part for part in (path or "").split(".") if not part.isdigit()]
    while parts:
        name = ".".join(parts)
        if name in names:
            return names[name]
        parts.pop()
    return None
