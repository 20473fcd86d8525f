"""How the back office signs people in: through the counted service, permissions from the table."""

from django.core.exceptions import PermissionDenied

from tenancy.addresses import client_address
from tenancy.models import User
from tenancy.services.counting import TooManyTries
from tenancy.services.signing_in import authenticate_user


class CountedBackend:
    """Authenticates a `User` by e-mail and password, ten tries per account and quarter hour."""

    def authenticate(self, request, username=None, password=None, **credentials):
        email = username if username is not None else credentials.get("email")
        if email is None or password is None:
            return None
        try:
            return authenticate_user(email, password, address=client_address(request))
        except TooManyTries as error:
            if request is not None:
                request.sign_in_retry_after = error.retry_after
            raise PermissionDenied("Too many tries.") from error

    def get_user(self, user_id):
        return User.objects.filter(pk=user_id, is_active=True).first()
