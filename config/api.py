"""The house API: every app's routes below /api/v1/, the schema and its two viewers."""

from django.conf import settings
from django.contrib.auth.decorators import login_required
from drf_spectacular.views import (
    SpectacularAPIView,
    SpectacularRedocView,
    SpectacularSwaggerSplitView,
)

from api.routes import route
from customers import urls as customers
from events import urls as events
from groups import urls as groups
from loyalty import urls as loyalty
from tenancy import urls as tenancy

app_name = "api"

# The viewers run our own scripts and ask no other host for anything, whatever is built into them.
VIEWER_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; worker-src blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
OPEN = {"authentication_classes": [], "permission_classes": []}


def shown(view):
    """A page of the schema: for everybody where OPEN_SCHEMA says so, else after signing in."""
    guarded = login_required(view)

    def page(request, *args, **kwargs):
        response = (view if settings.OPEN_SCHEMA else guarded)(request, *args, **kwargs)
        response["Content-Security-Policy"] = VIEWER_POLICY
        return response

    page.csrf_exempt = True
    return page


urlpatterns = [
    *customers.urlpatterns,
    *groups.urlpatterns,
    *loyalty.urlpatterns,
    *events.urlpatterns,
    *tenancy.urlpatterns,
    route("schema/", shown(SpectacularAPIView.as_view(**OPEN)), "schema"),
    route(
        "docs/",
        shown(SpectacularSwaggerSplitView.as_view(url_name="api:schema", **OPEN)),
        "docs",
    ),
    route("redoc/", shown(SpectacularRedocView.as_view(url_name="api:schema", **OPEN)), "redoc"),
]
