"""Open Loyalty's routes, mounted at `/api/`: below a tenant's code, and those of signing in without
one too."""

from dialects.base import actions, everything_else, route
from dialects.openloyalty.base import OpenLoyaltyEndpoint
from dialects.openloyalty.dialect import DIALECT
from dialects.openloyalty.views.customers import OpenLoyaltyCustomerViewSet
from dialects.openloyalty.views.signing_in import (
    OpenLoyaltySessionViewSet,
    OpenLoyaltySignInViewSet,
)
from tenancy.permissions import ADMIN, CUSTOMER, SELLER

__all__ = ["DIALECT", "urlpatterns"]

TENANT = "<str:tenant_code>/"
# Who has no business below a prefix; the plain paths are open to whom the permissions let in.
CLOSED = {
    "admin/": frozenset({SELLER, CUSTOMER}),
    "seller/": frozenset({CUSTOMER}),
    "": frozenset(),
}


def customers(prefix):
    return actions(OpenLoyaltyCustomerViewSet, closed_to=CLOSED[prefix])


def signing_in(tenant):
    """The calls that are served with and without the tenant."""
    sign_in = actions(OpenLoyaltySignInViewSet)
    return [
        route(
            f"{tenant}admin/login_check/",
            actions(OpenLoyaltySignInViewSet, role=ADMIN)(post="staff_sign_in"),
        ),
        route(
            f"{tenant}seller/login_check/",
            actions(OpenLoyaltySignInViewSet, role=SELLER)(post="staff_sign_in"),
        ),
        route(f"{tenant}customer/login_check/", sign_in(post="customer_sign_in")),
        route(f"{tenant}token/refresh/", sign_in(post="refresh")),
        route(f"{tenant}token/revoke/", actions(OpenLoyaltySessionViewSet)(get="revoke")),
    ]


urlpatterns = [
    *signing_in(""),
    *signing_in(TENANT),
    *(
        route(f"{TENANT}{prefix}customer/register/", customers(prefix)(post="register"))
        for prefix in CLOSED
    ),
    *(
        route(f"{TENANT}{prefix}customer/", customers(prefix)(get="list"))
        for prefix in ("", "admin/")
    ),
    route(f"{TENANT}customer/<str:customer>/", customers("")(get="retrieve")),
    everything_else(OpenLoyaltyEndpoint, r"^(?!v[1-3](?:/|$)).+$"),
]
