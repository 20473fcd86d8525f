"""Signing in: our tokens under the names that clients of Open Loyalty know."""

from rest_framework.response import Response

from customers.services import sign_in_customer
from customers.services.strangers import refuse_sign_in
from dialects.openloyalty.base import OpenLoyaltyEndpoint
from dialects.problems import Problem, wording
from tenancy.addresses import client_address
from tenancy.services import (
    AccountInactive,
    SignInRefused,
    count_or_refuse,
    refresh_tokens,
    revoke_sessions,
    sign_in_staff,
    sign_in_staff_anywhere,
)
from tenancy.services.signing_in import only_tenant, tenant_by_code

REFRESHES_PER_ADDRESS_AND_MINUTE = 60
CHANGE_NEEDED = "password change needed"


class StaffInactive(Exception):
    """This wire tells a staff member who left, after the right password."""


@wording(StaffInactive)
def _inactive(error):
    return Problem(400, "account_inactive", "Your account is not active", counted=True)


class OpenLoyaltySignInViewSet(OpenLoyaltyEndpoint):
    """`…/login_check` and `token/refresh`, with and without the tenant in the path.

    A tenant that does not exist is a wrong sign-in, and costs the same.
    """

    operation_prefix = "public"
    operations = {"staff_sign_in": "public.sign_in"}
    authentication_classes = []
    # Of the staff who sign in here; each role has its path.
    role = None

    def tenant_of_strangers(self, code):
        return only_tenant() if code is None else tenant_by_code(code)

    @property
    def address(self):
        return client_address(self.request._request)

    def staff_sign_in(self, request, tenant_code=None):
        """A staff member of the path's role; without a tenant in the path in that of the only, or
        the default, membership."""
        login, password = self._credentials()
        options = {"address": self.address, "role": self.role}
        try:
            if tenant_code is None:
                pair = sign_in_staff_anywhere(login, password, **options)
            else:
                pair = sign_in_staff(self.tenant, login, password, **options)
        except AccountInactive as refusal:
            raise StaffInactive from refusal
        return Response(_told(pair))

    def customer_sign_in(self, request, tenant_code=None):
        """A customer, by e-mail, phone or card number; without a tenant in the path only where
        there is no other."""
        login, password = self._credentials()
        if self.tenant is None:
            realm = f"customer:{(tenant_code or '').lower()}"
            refuse_sign_in(login, password, address=self.address, realm=realm)
        return Response(_told(sign_in_customer(login, password, address=self.address)))

    def refresh(self, request, tenant_code=None):
        """A new pair for a refresh token."""
        count_or_refuse(
            "refresh-address", self.address, limit=REFRESHES_PER_ADDRESS_AND_MINUTE, seconds=60
        )
        if tenant_code is not None and self.tenant is None:
            raise SignInRefused
        tenant = self.tenant if tenant_code is not None else None
        pair = refresh_tokens(_text(self.parameters(), "refresh_token"), tenant=tenant)
        return Response(_told(pair))

    def _credentials(self):
        body = self.body()
        return _text(body, "_username"), _text(body, "_password")


class OpenLoyaltySessionViewSet(OpenLoyaltyEndpoint):
    """The end of all sign-ins of the caller."""

    operation_prefix = "session"

    def revoke(self, request, tenant_code=None):
        """`GET token/revoke`: every sign-in of this account ends, on all devices."""
        revoke_sessions(self.principal)
        return Response([])


def _text(values, name):
    value = values.get(name)
    return value if isinstance(value, str) else ""


def _told(pair):
    answer = {"token": pair["access_token"], "refresh_token": pair["refresh_token"]}
    if pair.get("password_change_needed"):
        answer["error"] = CHANGE_NEEDED
    return answer
