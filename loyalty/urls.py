"""The routes of levels, points, transactions, rewards and redemptions below /api/v1/."""

from api.routes import actions, route
from loyalty.views.accounts import (
    AccountViewSet,
    LevelOfCustomerViewSet,
    SimulationViewSet,
)
from loyalty.views.levels import LevelMemberViewSet, LevelViewSet
from loyalty.views.points import CustomerPointsViewSet, LedgerViewSet
from loyalty.views.redemptions import CustomerRedemptionViewSet, RedemptionViewSet
from loyalty.views.rewards import RewardViewSet
from loyalty.views.rules import EarningRuleViewSet
from loyalty.views.transactions import TransactionViewSet

OF_CUSTOMER = "customers/<str:customer_id>/"

levels = actions(LevelViewSet)
rules = actions(EarningRuleViewSet)
points = actions(CustomerPointsViewSet)
ledger = actions(LedgerViewSet)
transactions = actions(TransactionViewSet)
rewards = actions(RewardViewSet)
redemptions = actions(RedemptionViewSet)


def one(view):
    """The methods of a single row that is read, changed and deleted."""
    return view(get="retrieve", patch="partial_update", delete="destroy")


urlpatterns = [
    route("levels/", levels(get="list", post="create"), "levels"),
    route("levels/<str:level_id>/", one(levels), "level"),
    route(
        "levels/<str:level_id>/customers/",
        actions(LevelMemberViewSet)(get="customers"),
        "level-customers",
    ),
    route(f"{OF_CUSTOMER}loyalty/", actions(AccountViewSet)(get="retrieve"), "loyalty"),
    route(
        f"{OF_CUSTOMER}loyalty/simulate/",
        actions(SimulationViewSet)(post="simulate"),
        "loyalty-simulate",
    ),
    route("loyalty/simulate/", actions(SimulationViewSet)(post="simulate_all"), "simulate-all"),
    route(
        f"{OF_CUSTOMER}level/",
        actions(LevelOfCustomerViewSet)(put="update", delete="destroy"),
        "customer-level",
    ),
    route(f"{OF_CUSTOMER}points/", points(get="list"), "customer-points"),
    route(f"{OF_CUSTOMER}points/add/", points(post="add"), "points-add"),
    route(f"{OF_CUSTOMER}points/spend/", points(post="spend"), "points-spend"),
    route(f"{OF_CUSTOMER}points/adjust/", points(post="adjust"), "points-adjust"),
    route(f"{OF_CUSTOMER}points/transfer/", points(post="transfer"), "points-transfer"),
    route("points/", ledger(get="list_all"), "points"),
    route("points/<str:entry_id>/cancel/", ledger(post="cancel"), "points-cancel"),
    route("transactions/", transactions(get="list", post="create"), "transactions"),
    route("transactions/batch/", transactions(post="batch"), "transactions-batch"),
    route("transactions/<str:transaction_id>/", transactions(get="retrieve"), "transaction"),
    route("earning-rules/", rules(get="list", post="create"), "earning-rules"),
    route("earning-rules/<str:rule_id>/", one(rules), "earning-rule"),
    route("rewards/", rewards(get="list", post="create"), "rewards"),
    route("rewards/<str:reward_id>/", one(rewards), "reward"),
    route(
        f"{OF_CUSTOMER}redemptions/",
        actions(CustomerRedemptionViewSet)(get="list", post="create"),
        "customer-redemptions",
    ),
    route("redemptions/", redemptions(get="list"), "redemptions"),
    route("redemptions/find/", redemptions(post="find"), "redemptions-find"),
    route("redemptions/use/", redemptions(post="use_by_code"), "redemptions-use"),
    route("redemptions/<str:redemption_id>/", redemptions(get="retrieve"), "redemption"),
    route("redemptions/<str:redemption_id>/use/", redemptions(post="use"), "redemption-use"),
    route("redemptions/<str:redemption_id>/unuse/", redemptions(post="unuse"), "redemption-unuse"),
    route(
        "redemptions/<str:redemption_id>/cancel/", redemptions(post="cancel"), "redemption-cancel"
    ),
    route(
        "redemptions/<str:redemption_id>/delivery/",
        redemptions(post="delivery"),
        "redemption-delivery",
    ),
]
