"""`Authorization: Bearer <token>`: the only credential of the house API."""

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed

from tenancy.services import principal_of

LONGEST_TOKEN = 200


class TokenAuthentication(BaseAuthentication):
    """Turns a bearer token into its Principal; no header at all means nobody (None)."""

    def authenticate(self, request):
        """(principal, token row), or None without the header. Raises AuthenticationFailed."""
        words = get_authorization_header(request).split()
        if not words:
            return None
        if len(words) != 2 or words[0].lower() != b"bearer":
            raise AuthenticationFailed("Send `Authorization: Bearer <token>`.", "bad_scheme")
        principal = self._principal(words[1])
        if principal is None:
            raise AuthenticationFailed("This token is not accepted.", "invalid_token")
        return principal, principal.token

    def authenticate_header(self, request):
        """What a 401 answers in WWW-Authenticate."""
        return 'Bearer realm="api"'

    def _principal(self, token):
        # Anything outside printable ASCII was never issued, and would only trouble the database.
        if len(token) > LONGEST_TOKEN or not token.isascii():
            return None
        text = token.decode("ascii")
        return principal_of(text) if text.isprintable() else None


class TokenScheme(OpenApiAuthenticationExtension):
    """How the schema tells it."""

    target_class = "api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema):
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "An access token, from a sign-in or made by an administrator.",
        }
