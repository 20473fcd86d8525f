"""The OpenAPI description, as far as it can be read from the code: operation ids and who may call
from the permission table, refusals from the method and the parameters.
"""

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import build_basic_type, build_parameter_type
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from api.problems import CONTENT_TYPE, TITLES
from tenancy.permissions import CUSTOMER, OPERATIONS, ROLE_SCOPES, SELLER


class FieldErrorSerializer(serializers.Serializer):
    """What is wrong with one field."""

    field = serializers.CharField(
        allow_null=True, help_text="Its path, such as `emails.0.address`; null: the whole body."
    )
    code = serializers.CharField(help_text="A word for programs.")
    message = serializers.CharField(help_text="A sentence for people.")


class ProblemSerializer(serializers.Serializer):
    """A refusal (RFC 9457)."""

    type = serializers.CharField(help_text="`urn:regulars:problem:<code>`.")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    errors = FieldErrorSerializer(many=True, required=False)
    request_id = serializers.CharField(help_text="Also in the header X-Request-Id.")


def who_may(operation):
    """A sentence for the description: who may call this operation."""
    rule = OPERATIONS[operation]
    if rule.anonymous:
        return "Needs no credential."
    who = ["administrators"]
    if rule.seller and (rule.scope is None or rule.scope in ROLE_SCOPES[SELLER]):
        who.append("sellers")
    who.append(f"services with the scope `{rule.scope}`" if rule.scope else "services")
    if rule.own:
        who.append(f"{CUSTOMER}s for their own record")
    return f"For {', '.join(who[:-1])} and {who[-1]}."


class Schema(AutoSchema):
    """AutoSchema for `api.views.ViewSet`; other views get the ordinary one."""

    @property
    def _operation(self):
        return getattr(self.view, "operation", None) if self._is_ours() else None

    def _is_ours(self):
        return getattr(self.view, "operation_prefix", None) and self.view.action

    def get_operation_id(self):
        if not self._is_ours():
            return super().get_operation_id()
        return f"{self.view.operation_prefix}_{self.view.action}"

    def get_tags(self):
        return [self.view.operation_prefix] if self._is_ours() else super().get_tags()

    def get_description(self):
        description = super().get_description() or ""
        if self._operation not in OPERATIONS:
            return description
        return f"{description}\n\n{who_may(self._operation)}".strip()

    def _is_list_view(self, serializer=None):
        if not self._is_ours():
            return super()._is_list_view(serializer)
        return self.view.action in self.view.list_actions

    def _resolve_path_parameters(self, variables):
        """Path parameters named `…_id` are UUIDs, all others text."""
        return [
            build_parameter_type(
                name=name,
                location=OpenApiParameter.PATH,
                schema=build_basic_type(
                    OpenApiTypes.UUID if name.endswith("_id") else OpenApiTypes.STR
                ),
            )
            for name in variables
        ]

    def get_override_parameters(self):
        parameters = list(super().get_override_parameters())
        if not self._is_ours():
            return parameters

        def header(name, description):
            return OpenApiParameter(
                name, str, OpenApiParameter.HEADER, required=False, description=description
            )

        keeps_keys = not self._is_public() and self.view.action not in self.view.reading_actions
        if self.method == "POST" and keeps_keys:
            parameters.append(
                header("Idempotency-Key", "Sent again with the same key, it happens once.")
            )
        if self.method in ("PATCH", "PUT", "DELETE"):
            parameters.append(header("If-Match", "The ETag of the version that is changed."))
        return parameters

    def _get_response_bodies(self, direction="response"):
        bodies = super()._get_response_bodies(direction)
        if self._is_ours():
            for status in self._refusals():
                bodies.setdefault(str(status), self._problem(status))
        return bodies

    def _is_public(self):
        return self._operation in OPERATIONS and OPERATIONS[self._operation].anonymous

    def _refusals(self):
        statuses = {400, 406, 429, 503}
        if not self._is_public():
            statuses |= {401, 403}
        if "{" in self.path:
            statuses.add(404)
        if self.method != "GET":
            statuses |= {409, 413, 415}
        if self.method == "POST":
            statuses.add(422)
        if self.method in ("PATCH", "PUT", "DELETE"):
            statuses |= {412, 428}
        return sorted(statuses)

    def _problem(self, status):
        component = self.resolve_serializer(ProblemSerializer(), "response")
        return {"description": TITLES[status], "content": {CONTENT_TYPE: {"schema": component.ref}}}
