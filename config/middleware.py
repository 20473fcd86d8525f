"""What every request gets before a view sees it: an id, and in the back office a tenant."""

import uuid
from contextlib import ExitStack
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import messages
from django.shortcuts import redirect
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from api.problems import BodyTooLarge, problem_of
from config.chunked import TOO_LONG
from dialects.problems import refusal
from events import reading
from events.actors import acting, actor_of_user
from tenancy.entering import tenant_to_enter
from tenancy.models import TenantOwned
from tenancy.scoping import in_tenant

BACK_OFFICE = "/admin/"
# Takes files of a million customers, sealed as they come in, and only after the right is checked.
IMPORTS = "/api/v1/imports"
ENVELOPE = 64 * 1024  # what a form adds to its file
SESSION_TENANT = "tenant"
# 'unsafe-eval' is what Alpine needs, and inline styles are how the theme sets its colours; there
# is no inline script, and nothing comes from another host.
BACK_OFFICE_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; object-src 'none'; base-uri 'self'; form-action 'self'; "
    "frame-ancestors 'none'"
)


class RequestIdMiddleware:
    """Gives each request an id, repeated in the answer, in the history and in error reports."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.request_id = uuid.uuid4().hex
        response = self.get_response(request)
        response["X-Request-Id"] = request.request_id
        return response


class BodyLimitMiddleware:
    """Refuses a body by its announced length, before anything reads it.

    Django bounds what a form may hold in memory, not what the files in it may fill on the disk,
    and it reads a form before anybody has signed in. A body in chunks announces none; what was too
    much of it for the server is marked.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        length = request.META.get("CONTENT_LENGTH") or "0"
        limit = settings.MAX_UPLOAD_BYTES
        if request.path_info.rstrip("/") == IMPORTS and TOO_LONG not in request.META:
            limit = max(limit, settings.IMPORT_MAX_BYTES + ENVELOPE)
        if length.isascii() and length.isdigit() and int(length[:20]) > limit:
            problem = problem_of(BodyTooLarge(limit))
            return refusal(request, problem) or problem.response(request)
        return self.get_response(request)


def language_of(request):
    """The code of the language that this person reads: their own choice, or else the browser's."""
    chosen = getattr(request.user, "language", "")
    if chosen in dict(settings.LANGUAGES):
        return chosen
    return translation.get_language_from_request(request)


class AdminTenantMiddleware:
    """Lets the whole of a back-office request, template included, happen inside one tenant.

    The tenant is the session's; the actor is the signed-in user; times are the tenant's; the
    language is the user's own, or else the browser's. An operator who has not chosen a tenant yet
    reaches only the screens that belong to none.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if not request.path_info.startswith(BACK_OFFICE):
            return self.get_response(request)
        language = language_of(request)
        with ExitStack() as surroundings:
            surroundings.enter_context(translation.override(language))
            request.tenant = self._enter(request, surroundings)
            told_of = request.tenant and surroundings.enter_context(
                reading.collecting(request.tenant)
            )
            response = self.get_response(request)
            # Pictures and downloads belong to a page that is written down itself.
            if told_of and self._is_page(request, response):
                name = request.resolver_match.url_name
                reading.after_response(told_of, way="office", what=name)
        response["Content-Language"] = language
        response["Content-Security-Policy"] = BACK_OFFICE_POLICY
        return response

    @staticmethod
    def _is_page(request, response):
        return request.method == "GET" and response.status_code == 200 and not response.streaming

    def _enter(self, request, surroundings):
        user = request.user
        if not user.is_authenticated:
            return None
        surroundings.enter_context(acting(actor_of_user(user), request_id=request.request_id))
        tenant = tenant_to_enter(user, request.session.get(SESSION_TENANT))
        if tenant is not None:
            surroundings.enter_context(in_tenant(tenant))
            surroundings.enter_context(timezone.override(ZoneInfo(tenant.timezone)))
        return tenant

    def process_view(self, request, view, args, kwargs):
        model_admin = getattr(view, "model_admin", None)
        if model_admin is None or not issubclass(model_admin.model, TenantOwned):
            return None
        if request.user.is_authenticated and request.user.is_superuser and request.tenant is None:
            messages.info(request, _("Choose a tenant first: this page belongs to one."))
            return redirect("admin:choose_tenant")
        return None
