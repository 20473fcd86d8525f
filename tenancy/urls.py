"""The routes of the set-up, of sessions and of strangers below /api/v1/, and the two pages that
links in mails open."""

from django.urls import path

from api.routes import actions, route
from tenancy.views.pages import ActivationPage, NewPasswordPage
from tenancy.views.public import CheckViewSet, NewcomerViewSet, SignInViewSet
from tenancy.views.session import SessionViewSet
from tenancy.views.setup import SettingsViewSet, StaffViewSet, StoreViewSet, TokenViewSet

stores = actions(StoreViewSet)
staff = actions(StaffViewSet)
tenant_settings = actions(SettingsViewSet)
tokens = actions(TokenViewSet)
session = actions(SessionViewSet)
sign_in = actions(SignInViewSet)
newcomer = actions(NewcomerViewSet)
check = actions(CheckViewSet)

PUBLIC = "tenants/<str:tenant_code>/"

urlpatterns = [
    route("stores/", stores(get="list", post="create"), "stores"),
    route("stores/<str:pk>/", stores(get="retrieve", patch="partial_update"), "store"),
    route("staff/", staff(get="list", post="create"), "staff"),
    route("staff/<str:pk>/", staff(get="retrieve", patch="partial_update"), "staff-member"),
    route("settings/", tenant_settings(get="retrieve", patch="partial_update"), "settings"),
    route("tokens/", tokens(get="list", post="create"), "tokens"),
    route("tokens/<str:pk>/", tokens(delete="destroy"), "token"),
    route("session/", session(get="retrieve"), "session"),
    route("session/revoke/", session(post="revoke"), "session-revoke"),
    route(f"{PUBLIC}sign-in/", sign_in(post="sign_in"), "sign-in"),
    route(f"{PUBLIC}customer-sign-in/", sign_in(post="customer_sign_in"), "customer-sign-in"),
    route(f"{PUBLIC}refresh/", sign_in(post="refresh"), "refresh"),
    route(f"{PUBLIC}register/", newcomer(post="register"), "register"),
    route(f"{PUBLIC}activate/", newcomer(post="activate"), "activate"),
    route(f"{PUBLIC}send-code/", newcomer(post="send_code"), "send-code"),
    route(f"{PUBLIC}password-reset/", newcomer(post="reset_password"), "password-reset"),
    route(
        f"{PUBLIC}password-reset/confirm/",
        newcomer(post="confirm_password"),
        "password-reset-confirm",
    ),
    route(f"{PUBLIC}check/", check(get="check", post="check_quietly"), "check"),
]

# Mounted at the root: addresses in mails are short and no part of the API.
pages = [
    path(
        "activate/<str:tenant_code>/<str:token>", ActivationPage.as_view(), name="activation-page"
    ),
    path(
        "new-password/<str:tenant_code>/<str:token>",
        NewPasswordPage.as_view(),
        name="new-password-page",
    ),
]
