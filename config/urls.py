"""The root URL table."""

from django.contrib import admin
from django.templatetags.static import static
from django.urls import include, path
from django.views.generic import RedirectView

from config import docs
from tenancy import urls as tenancy

# Each API refuses in its own words, also where no view was found.
handler400 = "dialects.problems.bad_request"
handler403 = "dialects.problems.permission_denied"
handler404 = "dialects.problems.page_not_found"
handler500 = "dialects.problems.server_error"


class IconView(RedirectView):
    """Browsers ask for this address on pages that name no icon."""

    def get_redirect_url(self, *args, **kwargs):
        return static("tenancy/icon.svg")


urlpatterns = [
    # Who types the address that the start prints wants to work; nobody else calls this path.
    path("", RedirectView.as_view(pattern_name="admin:index"), name="front-door"),
    path("favicon.ico", IconView.as_view()),
    path("admin/", admin.site.urls),
    path("api/v1/", include("config.api")),
    *docs.urlpatterns,
    path("", include("dialects.urls")),
    *tenancy.pages,
]
