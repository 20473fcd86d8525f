"""The house API in everybody's hands."""

from tests.api_client import admin, anonymous, as_role, seller  # noqa: F401
