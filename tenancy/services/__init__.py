"""Every write to tenants, stores, staff members, tokens and counters."""

from tenancy.services.counting import count_or_refuse, forget_count
from tenancy.services.signing_in import (
    AccountInactive,
    SignInRefused,
    change_password,
    refresh_tokens,
    sign_in_staff,
    sign_in_staff_anywhere,
)
from tenancy.services.staff import create_staff, create_user, update_staff
from tenancy.services.tenants import (
    create_store,
    create_tenant,
    take_customer_numbers,
    take_subscription_codes,
    update_store,
    update_tenant,
)
from tenancy.services.tokens import (
    create_token,
    issue_pair,
    principal_of,
    revoke_customer_tokens,
    revoke_family,
    revoke_sessions,
    revoke_token,
)

__all__ = [
    "AccountInactive",
    "SignInRefused",
    "change_password",
    "count_or_refuse",
    "create_staff",
    "create_store",
    "create_tenant",
    "create_token",
    "create_user",
    "forget_count",
    "issue_pair",
    "principal_of",
    "refresh_tokens",
    "revoke_customer_tokens",
    "revoke_family",
    "revoke_sessions",
    "revoke_token",
    "sign_in_staff",
    "sign_in_staff_anywhere",
    "take_customer_numbers",
    "take_subscription_codes",
    "update_staff",
    "update_store",
    "update_tenant",
]
