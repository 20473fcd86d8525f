"""Where each dialect stands: one line for each mount. The order counts where two could match."""

from django.urls import include, path

app_name = "dialects"

urlpatterns = [
    path("api/pos/v2/", include("dialects.conecto.urls")),
    path("pos/v2/", include("dialects.conecto.urls")),
    path("api/", include("dialects.openloyalty.urls")),
    path("API/V3/", include("dialects.zeald.urls")),
    path("tenants/", include("dialects.flowretail.urls")),
    path("v2/tenants/", include("dialects.flowretail.urls")),
    path("", include("dialects.fieldpine.urls")),
]
