"""Flow Retail's routes, mounted at `/tenants/` and `/v2/tenants/`."""

from dialects.base import actions, everything_else, route
from dialects.flowretail.base import FlowRetailEndpoint
from dialects.flowretail.dialect import DIALECT
from dialects.flowretail.views.batch import FlowRetailBatchViewSet
from dialects.flowretail.views.customers import FlowRetailCustomerViewSet
from dialects.flowretail.views.parts import (
    FlowRetailAddressViewSet,
    FlowRetailContactViewSet,
    FlowRetailExtensionViewSet,
)

__all__ = ["DIALECT", "urlpatterns"]

ALL = "<str:tenant_code>/customers/"
ONE = f"{ALL}<str:customer>/"
customers = actions(FlowRetailCustomerViewSet)
extensions = actions(FlowRetailExtensionViewSet)


def rows(view_class, path):
    """The routes of one list of a customer."""
    view = actions(view_class)
    return [
        route(f"{ONE}{path}/", view(get="list", post="create")),
        route(f"{ONE}{path}/<str:uid>/", view(get="retrieve", put="update", delete="destroy")),
    ]


urlpatterns = [
    route(ALL, customers(get="list", post="create")),
    route(f"{ALL}search/", customers(post="search")),
    route(f"{ALL}search/external/", customers(post="external_search")),
    route(f"{ALL}batch/", actions(FlowRetailBatchViewSet)(post="batch")),
    route(ONE, customers(get="retrieve", put="update", delete="destroy")),
    route(f"{ONE}export/", customers(get="export")),
    route(f"{ONE}extensions/<str:code>/", extensions(post="create", delete="destroy")),
    *rows(FlowRetailContactViewSet, "contacts"),
    *rows(FlowRetailAddressViewSet, "addresses"),
    route("<str:tenant_code>/stores/<str:store>/customers/<str:customer>/",
          customers(get="at_store")),
    everything_else(FlowRetailEndpoint),
]  # fmt: skip
