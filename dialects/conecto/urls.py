"""Conecto's routes, mounted at `/pos/v2/` and `/api/pos/v2/`."""

from dialects.base import actions, everything_else, route
from dialects.conecto.base import ConectoEndpoint
from dialects.conecto.dialect import DIALECT
from dialects.conecto.views import ConectoCustomerViewSet

__all__ = ["DIALECT", "urlpatterns"]

urlpatterns = [
    route("<str:location>/customers/", actions(ConectoCustomerViewSet)(get="list")),
    everything_else(ConectoEndpoint),
]
