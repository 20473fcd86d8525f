"""Where each dialect stands: one line for each mount. The order counts where two could match."""

from importlib import import_module

from django.urls import include, path

app_name = "dialects"


def mounted(prefix, urls):
    """A dialect's routes below `prefix`. The bare prefix, without the slash, is refused in the
    vendor's words too, by the dialect's last line."""
    nowhere = import_module(urls).urlpatterns[-1].callback
    return [path(f"{prefix}/", include(urls)), path(prefix, nowhere)]


urlpatterns = [
    *mounted("api/pos/v2", "dialects.conecto.urls"),
    *mounted("pos/v2", "dialects.conecto.urls"),
    path("api/", include("dialects.openloyalty.urls")),
    *mounted("API/V3", "dialects.zeald.urls"),
    *mounted("tenants", "dialects.flowretail.urls"),
    *mounted("v2/tenants", "dialects.flowretail.urls"),
    path("", include("dialects.fieldpine.urls")),
]
