"""Open Loyalty's routes, mounted at `/api/`: below a tenant's code, and those of signing in without
one too."""

from dialects.base import actions, everything_else, route
from dialects.openloyalty.base import OpenLoyaltyEndpoint
from dialects.openloyalty.dialect import DIALECT
from dialects.openloyalty.views.customers import OpenLoyaltyCustomerViewSet
from dialects.openloyalty.views.deeds import (
    OpenLoyaltyCheckViewSet,
    OpenLoyaltyDeedViewSet,
    OpenLoyaltyPasswordViewSet,
    OpenLoyaltyQuestionViewSet,
)
from dialects.openloyalty.views.loyalty import (
    OpenLoyaltyLevelViewSet,
    OpenLoyaltyStandingViewSet,
)
from dialects.openloyalty.views.newcomers import OpenLoyaltyNewcomerViewSet
from dialects.openloyalty.views.parts import OpenLoyaltyAvatarViewSet, OpenLoyaltyDeviceViewSet
from dialects.openloyalty.views.points import (
    OpenLoyaltyPointsViewSet,
    OpenLoyaltyTransactionViewSet,
)
from dialects.openloyalty.views.signing_in import (
    OpenLoyaltySessionViewSet,
    OpenLoyaltySignInViewSet,
)
from tenancy.permissions import ADMIN, CUSTOMER, SELLER, SERVICE

__all__ = ["DIALECT", "urlpatterns"]

TENANT = "<str:tenant_code>/"
ONE = "customer/<str:customer>/"
LEVEL = "level/<str:level>/"
# Who has no business below a prefix; the plain paths are open to whom the permissions let in.
CLOSED = {
    "admin/": frozenset({SELLER, CUSTOMER}),
    "seller/": frozenset({CUSTOMER}),
    "": frozenset(),
}
# Whose password each path changes.
OTHERS = {
    "admin": frozenset({SELLER, CUSTOMER, SERVICE}),
    "seller": frozenset({ADMIN, CUSTOMER, SERVICE}),
    "customer": frozenset({ADMIN, SELLER, SERVICE}),
}


def signing_in(tenant):
    """The calls that are served with and without the tenant."""
    sign_in = actions(OpenLoyaltySignInViewSet)
    newcomer = actions(OpenLoyaltyNewcomerViewSet)
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
        *(
            route(
                f"{tenant}{role}/password/change/",
                actions(OpenLoyaltyPasswordViewSet, closed_to=others)(post="change_password"),
            )
            for role, others in OTHERS.items()
        ),
        *(
            route(f"{tenant}{prefix}password/reset/request/", newcomer(post="request_reset"))
            for prefix in ("", "customer/")
        ),
        route(f"{tenant}password/reset/", newcomer(post="reset_password")),
    ]


def below(view_class, path, *prefixes, **methods):
    """The routes of one endpoint below the prefixes of the roles, "" being the plain path."""
    return [
        route(f"{TENANT}{prefix}{path}", actions(view_class, closed_to=CLOSED[prefix])(**methods))
        for prefix in prefixes
    ]


urlpatterns = [
    *signing_in(""),
    *signing_in(TENANT),
    *below(
        OpenLoyaltyCustomerViewSet, "customer/register/", "", "admin/", "seller/", post="register"
    ),
    *below(OpenLoyaltyNewcomerViewSet, "customer/self_register/", "", post="register"),
    *below(OpenLoyaltyNewcomerViewSet, "customer/activate/<str:token>/", "", post="activate"),
    *below(
        OpenLoyaltyNewcomerViewSet, "customer/activate-sms/<str:token>/", "", post="activate_sms"
    ),
    *below(
        OpenLoyaltyNewcomerViewSet, "customer/customer-phone/send-sms-code/", "", post="send_code"
    ),
    *below(OpenLoyaltyCustomerViewSet, "customer/import/", "admin/", post="import_file"),
    *below(OpenLoyaltyCustomerViewSet, "customer/", "", "admin/", get="list"),
    *below(OpenLoyaltyCustomerViewSet, "pos/search/customer/", "", post="till_search"),
    *below(OpenLoyaltyCheckViewSet, "customer/check/", "", get="check"),
    *below(OpenLoyaltyQuestionViewSet, "customer/registrations/", "", get="registrations"),
    *below(OpenLoyaltyLevelViewSet, "customer/level/", "", get="own_list"),
    *below(OpenLoyaltyLevelViewSet, "level/", "", get="list"),
    *below(OpenLoyaltyLevelViewSet, "level/create/", "", post="create"),
    *below(OpenLoyaltyLevelViewSet, LEVEL, "", get="retrieve", put="update"),
    *below(OpenLoyaltyLevelViewSet, f"{LEVEL}activate/", "", post="activate"),
    *below(OpenLoyaltyLevelViewSet, f"{LEVEL}customers/", "", get="members"),
    *below(
        OpenLoyaltyDeedViewSet, "customer/confirm-change/<str:token>/", "", post="confirm_login"
    ),
    *below(
        OpenLoyaltyCustomerViewSet, ONE, "", get="retrieve", put="update", delete="destroy"
    ),
    *below(OpenLoyaltyDeedViewSet, f"{ONE}activate/", "admin/", "seller/", post="activate"),
    *below(OpenLoyaltyDeedViewSet, f"{ONE}deactivate/", "admin/", "seller/", post="deactivate"),
    *below(OpenLoyaltyDeedViewSet, f"{ONE}send-sms-code/", "admin/", "seller/", post="send_code"),
    *below(OpenLoyaltyDeedViewSet, f"{ONE}anonymize/", "admin/", post="anonymize"),
    *below(OpenLoyaltyDeedViewSet, f"{ONE}pos/", "", "seller/", post="assign_store"),
    *below(OpenLoyaltyStandingViewSet, f"{ONE}level/", "", post="assign_level"),
    *below(OpenLoyaltyStandingViewSet, f"{ONE}remove-manually-level/", "", post="remove_level"),
    *below(
        OpenLoyaltyStandingViewSet, f"{ONE}status/", "", "admin/", "seller/", get="status"
    ),
    *below(OpenLoyaltyStandingViewSet, f"customer/{ONE}status/", "", get="status"),
    *below(
        OpenLoyaltyAvatarViewSet, f"{ONE}avatar/", "",
        get="retrieve", post="create", delete="destroy",
    ),
    *below(OpenLoyaltyDeviceViewSet, f"{ONE}pushy-token/", "", get="list", post="create"),
    *below(OpenLoyaltyDeviceViewSet, f"{ONE}pushy-token/<path:token>/", "", delete="destroy"),
    *below(OpenLoyaltyPointsViewSet, "points/transfer/add/", "", post="add"),
    *below(OpenLoyaltyPointsViewSet, "points/transfer/spend/", "", post="spend"),
    *below(OpenLoyaltyPointsViewSet, "points/transfer/<str:transfer>/cancel/", "", post="cancel"),
    *below(OpenLoyaltyPointsViewSet, "p2p-points-transfer/", "admin/", post="transfer"),
    *below(OpenLoyaltyPointsViewSet, "customer/points/p2p-transfer/", "", post="send"),
    *below(OpenLoyaltyTransactionViewSet, "transaction/", "", post="create"),
    everything_else(OpenLoyaltyEndpoint, r"^(?!v[1-3](?:/|$)).+$"),
]  # fmt: skip
