"""The customers' routes below /api/v1/."""

from api.routes import actions, route
from customers.views.customers import CustomerViewSet

customers = actions(CustomerViewSet)

urlpatterns = [
    route("customers/", customers(get="list", post="create"), "customers"),
    route(
        "customers/<str:customer_id>/",
        customers(get="retrieve", patch="partial_update"),
        "customer",
    ),
]
