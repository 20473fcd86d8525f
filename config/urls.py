"""The root URL table."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from tenancy import urls as tenancy

# Below /api/ every refusal is a problem document, also where no view was found.
handler400 = "api.problems.bad_request"
handler403 = "api.problems.permission_denied"
handler404 = "api.problems.page_not_found"
handler500 = "api.problems.server_error"

urlpatterns = [
    # Who types the address that the start prints wants to work; nobody else calls this path.
    path("", RedirectView.as_view(pattern_name="admin:index"), name="front-door"),
    path("admin/", admin.site.urls),
    path("api/v1/", include("config.api")),
    *tenancy.pages,
]
