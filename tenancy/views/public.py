"""What people do before they have a credential; the tenant comes from the path.

Known and unknown people are answered alike: same status, same body, same headers. Every try is
counted in the database before it is made (429 with Retry-After). Signing in to a business that
does not exist looks like a wrong password; elsewhere such a business is not there (404).
"""

from django.core.exceptions import PermissionDenied, ValidationError
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response

from api.problems import FieldsRefused, Problem, wording
from api.views import PublicViewSet
from customers.services import (
    activate_by_code,
    activate_by_link,
    reset_password,
    sign_in_customer,
)
from customers.services.strangers import (
    activate_by_named_code,
    count_customers_with,
    refuse_sign_in,
    register_stranger,
    request_reset,
    resend_activation,
)
from tenancy.addresses import client_address
from tenancy.permissions import CUSTOMER, CUSTOMER_FIELDS, changes_field
from tenancy.serializers import (
    ContactSerializer,
    CountSerializer,
    CustomerSignInSerializer,
    OwnActivationSerializer,
    RefreshSerializer,
    RegisteredSerializer,
    RegistrationSerializer,
    ResetRequestSerializer,
    ResetSerializer,
    SentSerializer,
    SignInSerializer,
    TokenPairSerializer,
)
from tenancy.services import SignInRefused, count_or_refuse, refresh_tokens, sign_in_staff
from tenancy.services.signing_in import tenant_by_code

REFRESHES_PER_ADDRESS_AND_MINUTE = 60
SENT = {"detail": "If there is such a customer, a message is on its way."}


@wording(SignInRefused)
def _refused(error):
    return Problem(
        401,
        "sign_in_refused",
        "The sign-in is not accepted.",
        headers={"WWW-Authenticate": 'Bearer realm="api"'},
        counted=True,
    )


class StrangerViewSet(PublicViewSet):
    """What the endpoints without a credential share."""

    operation_prefix = "public"
    answers_with_secrets = True

    @property
    def address(self):
        return client_address(self.request)

    def checked(self, serializer_class):
        """The body's values, when their form is right. Raises ValidationError by field."""
        serializer = serializer_class(data=self.body())
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data


class SignInViewSet(StrangerViewSet):
    """Credentials for people: a short-lived access token and a refresh token."""

    def open_scope(self, request, scope):
        """A business that does not exist is a wrong sign-in, and costs the same."""
        if tenant_by_code(self.kwargs["tenant_code"]) is not None:
            super().open_scope(request, scope)

    @extend_schema(request=SignInSerializer, responses=TokenPairSerializer)
    def sign_in(self, request, tenant_code):
        """Sign in as a staff member. Ten tries per account in a quarter of an hour."""
        values = self.checked(SignInSerializer)
        pair = sign_in_staff(self.tenant, values["email"], values["password"], address=self.address)
        return Response(pair)

    @extend_schema(request=CustomerSignInSerializer, responses=TokenPairSerializer)
    def customer_sign_in(self, request, tenant_code):
        """Sign in as a customer, by e-mail, phone, card number or username."""
        values = self.checked(CustomerSignInSerializer)
        if self.tenant is None:
            refuse_sign_in(
                values["login"],
                values["password"],
                address=self.address,
                realm=f"customer:{tenant_code.lower()}",
            )
        return Response(sign_in_customer(values["login"], values["password"], address=self.address))

    @extend_schema(request=RefreshSerializer, responses=TokenPairSerializer)
    def refresh(self, request, tenant_code):
        """Exchange a refresh token for a new pair; the old pair ends. A refresh token that comes
        a second time ends every token of its sign-in, because somebody has a copy."""
        values = self.checked(RefreshSerializer)
        count_or_refuse(
            "refresh-address", self.address, limit=REFRESHES_PER_ADDRESS_AND_MINUTE, seconds=60
        )
        if self.tenant is None:
            raise SignInRefused
        return Response(refresh_tokens(values["refresh_token"], tenant=self.tenant))


class NewcomerViewSet(StrangerViewSet):
    """Registration, activation and forgotten passwords of customers."""

    operations = {"confirm_password": "public.reset_password"}

    @extend_schema(request=RegistrationSerializer, responses={202: RegisteredSerializer})
    def register(self, request, tenant_code):
        """Register oneself, where the business allows it. The answer is the same for a sign-in
        that is taken already: then nothing happens."""
        body = self.body()
        refuse_foreign_fields(body)
        values = self.checked(RegistrationSerializer)
        for statement in values.get("consents", ()):
            statement["source"] = "self-registration"
        try:
            activation = register_stranger(address=self.address, **values)
        except ValidationError as error:
            raise closed(error) from error
        return Response({"activation": activation}, status=202)

    @extend_schema(request=OwnActivationSerializer, responses={204: None})
    def activate(self, request, tenant_code):
        """Activate the account by the token of the mail link or the code of the SMS, once."""
        values = self.checked(OwnActivationSerializer)
        if "token" in values:
            activate_by_link(values["token"])
        elif "login" in values:
            activate_by_named_code(values["login"], values["code"], address=self.address)
        else:
            activate_by_code(values["code"], address=self.address)
        return self.no_content()

    @extend_schema(request=ContactSerializer, responses={202: SentSerializer})
    def send_code(self, request, tenant_code):
        """Send the activation link or code again, to a customer who is not active yet."""
        resend_activation(self.checked(ContactSerializer)["contact"], address=self.address)
        return Response(SENT, status=202)

    @extend_schema(request=ResetRequestSerializer, responses={202: SentSerializer})
    def reset_password(self, request, tenant_code):
        """Send a link for a new password."""
        request_reset(self.checked(ResetRequestSerializer)["login"], address=self.address)
        return Response(SENT, status=202)

    @extend_schema(request=ResetSerializer, responses={204: None})
    def confirm_password(self, request, tenant_code):
        """Set the new password by the link's token; every session of the customer ends."""
        values = self.checked(ResetSerializer)
        reset_password(values["token"], values["password"])
        return self.no_content()


class CheckViewSet(StrangerViewSet):
    """Is this e-mail or phone known? Only where the business allows the question."""

    operations = {"check_quietly": "public.check"}
    parameters = {"check": ("contact",)}
    reading_actions = frozenset({"check_quietly"})

    @extend_schema(
        parameters=[OpenApiParameter("contact", str, required=True)], responses=CountSerializer
    )
    def check(self, request, tenant_code):
        """How many customers have this e-mail or phone; ten questions a minute per address."""
        return self.answer(dict(request.query_params.items()))

    @extend_schema(request=ContactSerializer, responses=CountSerializer)
    def check_quietly(self, request, tenant_code):
        """The same, without the contact standing in an address that logs keep."""
        return self.answer(self.body())

    def answer(self, values):
        serializer = ContactSerializer(data={"contact": values.get("contact")} | values)
        serializer.is_valid(raise_exception=True)
        contact = serializer.validated_data["contact"]
        try:
            return Response({"count": count_customers_with(contact, address=self.address)})
        except ValidationError as error:
            raise closed(error) from error


def closed(error):
    """What the tenant does not open to strangers is forbidden (403), not wrong."""
    if getattr(error, "code", None) == "closed":
        return PermissionDenied(error.messages[0])
    return error


def refuse_foreign_fields(body):
    """Refuse fields of the customer record that customers may not set (403), by the permission
    table; whatever else is unknown the serializer refuses."""
    refused = {
        name for name in body if name in CUSTOMER_FIELDS and not changes_field(CUSTOMER, name)
    } - {"login_email", "login_phone"}
    if refused:
        raise FieldsRefused(refused)
