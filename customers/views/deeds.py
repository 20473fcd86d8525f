"""What is done to a customer as a whole: activation, sign-in, erasure, export, history."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    inline_serializer,
)
from rest_framework import serializers
from rest_framework.response import Response

from api.ordering import StableOrderingFilter
from api.problems import Problem, wording
from customers.serializers import CustomerSerializer
from customers.services import (
    WrongPassword,
    activate_by_code,
    activate_customer,
    anonymisation_preview,
    confirm_login_change,
    deactivate_customer,
    export_customer,
    prove_customer_password,
    request_login_change,
    send_activation,
    send_temporary_password,
    set_customer_password,
    update_customer,
    with_former_ids,
)
from customers.services.erasure_receipts import anonymise_and_search
from customers.services.own_changes import count_login_wish
from customers.views.base import CustomerPartViewSet
from events.models import HistoryEntry
from events.models.records import CHANGES, SHOWN
from tenancy.addresses import client_address
from tenancy.permissions import CUSTOMER, sees_told

LOGINS = ("login_email", "login_phone")


@wording(WrongPassword)
def _wrong_password(error):
    message = str(_("This is not the current password."))
    errors = [{"field": "current_password", "code": "wrong_password", "message": message}]
    return Problem(400, "wrong_password", message, errors, counted=True)


def body_of(name, **fields):
    """The schema of a small request body, all of it optional unless it says otherwise."""
    return inline_serializer(name, fields)


def text(help_text="", *, required=False):
    return serializers.CharField(required=required, help_text=help_text)


class DeedViewSet(CustomerPartViewSet):
    """One POST per deed, `reason` in the header X-Reason; the deeds are repeatable."""

    operation_prefix = "customers"
    filter_backends = []
    pagination_class = None
    list_actions = frozenset()
    counted = False

    @extend_schema(
        request=body_of("Activation", code=text("The six digits of an SMS, to prove the phone.")),
        responses=CustomerSerializer,
        summary="Activate a customer",
    )
    def activate(self, request, customer_id):
        """Let a customer sign in, earn and be written to: by decision, or by the code of an SMS."""
        customer = self.customer()
        code = self.fields("code").get("code")
        with self.at_expected_version(customer):
            if code is None:
                activate_customer(customer)
            else:
                address = client_address(request._request)
                activate_by_code(str(code), address=address, customer=customer)
        return self.record_response(customer.pk)

    @extend_schema(request=None, responses=CustomerSerializer, summary="Deactivate a customer")
    def deactivate(self, request, customer_id):
        """Stop a customer from signing in and earning. Reversible; every session ends."""
        customer = self.customer()
        self.fields()
        with self.at_expected_version(customer):
            deactivate_customer(customer)
        return self.record_response(customer.pk)

    @extend_schema(
        request=body_of("CodeRequest", method=text("email or sms; the tenant's way unless named.")),
        responses={202: body_of("CodeSent", method=text(required=True))},
        summary="Send an activation code",
    )
    def send_code(self, request, customer_id):
        """Send a new customer the link (e-mail) or the code (SMS) that activates; at most five a
        day to one place."""
        customer = self.customer()
        method = self.fields("method").get("method")
        if method is not None and not isinstance(method, str):
            raise ValidationError({"method": ValidationError(_("Use email or sms."), "invalid")})
        return Response({"method": send_activation(customer, method=method)}, status=202)

    @extend_schema(
        request=body_of("PasswordRequest", method=text("email or sms; what there is by default.")),
        responses={202: body_of("PasswordSent", method=text(required=True))},
        summary="Send a temporary password",
    )
    def send_password(self, request, customer_id):
        """Send an active customer a password that is made up, instead of the present one; at each
        sign-in the answer then says that an own one is needed. At most five a day to one place."""
        customer = self.customer()
        method = self.fields("method").get("method")
        return Response({"method": send_temporary_password(customer, method=method)}, status=202)

    @extend_schema(
        request=body_of("LoginChange", login_email=text(), login_phone=text()),
        responses={
            200: CustomerSerializer,
            202: body_of("LoginChangeWaits", code_sent_to=text(required=True)),
        },
        summary="Change a sign-in",
    )
    def change_login(self, request, customer_id):
        """Change the e-mail or phone that signs in. By staff at once (200); by the customer it
        waits for the code that is sent to the new one (202)."""
        customer = self.customer()
        body = self.fields(*LOGINS)
        named = {name: value for name, value in body.items() if value not in (None, "")}
        if self.principal.kind == CUSTOMER:
            self._count_login_change(customer.pk)
            request_login_change(customer, **named)
            return Response({"code_sent_to": next(iter(named))}, status=202)
        if not body:
            raise ValidationError(_("Name login_email or login_phone."), code="required")
        with self.at_expected_version(customer):
            update_customer(customer, **body)
        return self.record_response(customer.pk)

    @extend_schema(
        request=body_of("LoginConfirmation", code=text(required=True)),
        responses=CustomerSerializer,
        summary="Confirm a new sign-in",
    )
    def confirm_login(self, request, customer_id):
        """The code that was sent to the new e-mail or phone makes it the sign-in."""
        customer = self.customer()
        code = self.fields("code", required=("code",))["code"]
        confirm_login_change(customer, str(code))
        return self.record_response(customer.pk)

    @extend_schema(
        request=body_of(
            "NewPassword",
            password=text(required=True),
            current_password=text("Customers must send it, where they have one."),
        ),
        responses={204: None},
        summary="Set the password",
    )
    def set_password(self, request, customer_id):
        """Give a customer a new password; every session of the customer ends."""
        customer = self.customer()
        body = self.fields("password", "current_password", required=("password",))
        if self.principal.kind == CUSTOMER:
            prove_customer_password(customer, body.get("current_password"))
        with self.at_expected_version(customer):
            set_customer_password(customer, body["password"])
        return self.no_content()

    def prepare(self):
        """Count before the transaction that an Idempotency-Key begins: a refusal undoes that."""
        if self.action == "change_login" and self.principal.kind == CUSTOMER:
            self._count_login_change(self.customer_id())

    def _count_login_change(self, customer_id):
        if not self.counted:
            count_login_wish(customer_id)
            self.counted = True

    @extend_schema(request=None, responses={204: None}, summary="Anonymise a customer")
    def anonymise(self, request, customer_id):
        """Erase everything personal, for good; a nameless shell with its totals stays. A worker
        then searches everything for what should be gone: `receipt` of the data request. A second
        call changes nothing."""
        customer = self.customer()
        self.fields()
        with self.at_expected_version(customer):
            anonymise_and_search(customer)
        return self.no_content()

    @extend_schema(responses=OpenApiTypes.OBJECT, summary="Preview an anonymisation")
    def anonymise_preview(self, request, customer_id):
        """What an anonymisation would erase, what stays and why, and what is out of reach."""
        return Response(anonymisation_preview(self.customer()))

    @extend_schema(
        responses=OpenApiResponse(OpenApiTypes.OBJECT), summary="Export a customer's data"
    )
    def export(self, request, customer_id):
        """Everything held about the customer (GDPR articles 15 and 20); the history tells that it
        was given out."""
        return Response(export_customer(self.customer()))


class HistoryEntrySerializer(serializers.Serializer):
    """One deed: who, what, when, why."""

    id = serializers.IntegerField()
    customer = serializers.UUIDField(help_text="The record: this one, or one merged into it.")
    at = serializers.DateTimeField()
    deed = serializers.CharField(help_text="Such as customer.updated.")
    actor = inline_serializer(
        "HistoryActor",
        {
            "kind": serializers.CharField(),
            "id": serializers.UUIDField(allow_null=True),
            "label": serializers.CharField(),
        },
    )
    reason = serializers.CharField()
    request_id = serializers.CharField()
    version = serializers.IntegerField(allow_null=True)
    changes = serializers.DictField(child=serializers.ListField(), help_text="Field -> [old, new].")
    redacted = serializers.BooleanField(help_text="Values were emptied by an erasure.")


class HistoryViewSet(CustomerPartViewSet):
    """What was done to a customer."""

    operation_prefix = "customers"
    filter_backends = [StableOrderingFilter]
    list_actions = frozenset({"history"})
    ordering = ("-id",)
    ordering_fields = ("id",)
    parameters = {"history": ("show",)}

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "show",
                enum=SHOWN,
                description="What was done (the default), who looked where the business has it "
                "written down (`log_reads`), or both.",
            )
        ],
        responses=HistoryEntrySerializer(many=True),
        summary="Read the history",
    )
    def history(self, request, customer_id):
        """Every deed on the customer, the newest first, also those on records that were merged into
        it; only fields that the caller may see."""
        show = request.query_params.get("show", CHANGES)
        if show not in SHOWN:
            unknown = _("Must be one of: %(choices)s.") % {"choices": ", ".join(SHOWN)}
            raise ValidationError({"show": ValidationError(unknown, code="invalid_choice")})
        ids = with_former_ids(self.customer().pk)
        entries = HistoryEntry.objects.about_any("customer", ids).shown(show).order_by()
        rows = self.paginate_queryset(self.filter_queryset(entries))
        return self.get_paginated_response([self._entry(row) for row in rows])

    def _entry(self, row):
        role = self.principal.kind
        return {
            "id": row.pk,
            "customer": row.subject_id,
            "at": row.at,
            "deed": row.deed,
            "actor": {"kind": row.actor_kind, "id": row.actor_id, "label": row.actor_label},
            "reason": row.reason,
            "request_id": row.request_id,
            "version": row.version,
            "changes": {
                name: values for name, values in row.changes.items() if sees_told(role, name)
            },
            "redacted": row.redacted,
        }
