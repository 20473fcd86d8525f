"""The routes of groups below /api/v1/."""

from api.routes import actions, route
from groups.views import GroupViewSet, MemberViewSet, SubscriptionViewSet

groups = actions(GroupViewSet)
members = actions(MemberViewSet)
subscriptions = actions(SubscriptionViewSet)

urlpatterns = [
    route("groups/", groups(get="list", post="create"), "groups"),
    route(
        "groups/<str:group>/",
        groups(get="retrieve", patch="partial_update", delete="destroy"),
        "group",
    ),
    route("groups/<str:group>/members/", members(get="members"), "group-members"),
    route(
        "customers/<str:customer_id>/groups/",
        subscriptions(get="list"),
        "customer-groups",
    ),
    route(
        "customers/<str:customer_id>/groups/<str:group>/",
        subscriptions(put="update", delete="destroy"),
        "customer-group",
    ),
]
