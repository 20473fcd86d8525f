"""The back office: the one site, the bases that every admin of ours builds on, and set-up."""

from tenancy.admin import members, stores, tenants, tokens, users

__all__ = ["members", "stores", "tenants", "tokens", "users"]
