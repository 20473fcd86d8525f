"""What Flow Retail's OpenAPI document says beside what the code says by itself."""

from rest_framework import serializers

from dialects.base import Described
from dialects.flowretail.queries import SORTS
from dialects.flowretail.serializers import (
    FlowRetailAddress,
    FlowRetailConsent,
    FlowRetailContact,
    FlowRetailCustomer,
    FlowRetailRegistration,
    FlowRetailSearch,
    FlowRetailStore,
    Rows,
)

TEXT, WHOLE = {"type": "string"}, {"type": "integer", "minimum": 1}
BELOW = "/v2/tenants/<tenantUid>"
ALL = f"{BELOW}/customers"
ONE = f"{ALL}/<customerUid>"
PAGED = {
    "pageNumber": ({**WHOLE, "default": 1}, "The first page is 1."),
    "pageSize": ({**WHOLE, "default": 50}, "Rows per page, at most 1000."),
    "sortBy": ({**TEXT, "enum": list(SORTS)}, "A field; else the time of creation."),
    "sortDirection": ({**TEXT, "enum": ["ASC", "DESC"], "default": "ASC"}, "Which way."),
}


class Moment(serializers.DateTimeField):
    def __init__(self):
        super().__init__(read_only=True, allow_null=True)


class Shown(serializers.CharField):
    def __init__(self):
        super().__init__(read_only=True, allow_null=True)


class FlowRetailShownAddress(FlowRetailAddress):
    customerAddressUid = serializers.UUIDField(read_only=True)
    displayName = Shown()
    createdAt = Moment()


class FlowRetailShownContact(FlowRetailContact):
    customerContactUid = serializers.UUIDField(read_only=True)
    displayName = Shown()
    createdAt = Moment()
    lastModifiedAt = Moment()


class FlowRetailShownConsent(FlowRetailConsent):
    consentUid = serializers.UUIDField(read_only=True)


class FlowRetailExtension(serializers.Serializer):
    extensionCode = Shown()
    organizationUid = Shown()


class FlowRetailCredit(serializers.Serializer):
    """Amounts in the currency's minor unit."""

    limit = serializers.IntegerField(read_only=True, allow_null=True)
    balance = serializers.IntegerField(read_only=True, allow_null=True)


class Manager(serializers.DictField):
    """Who looks after the customer."""

    schema = {
        "type": "object",
        "properties": dict.fromkeys(("tenantUserUid", "displayName", "userCode"), TEXT),
    }


class FlowRetailShown(FlowRetailRegistration):
    """A customer as one is shown: every key is there, empty ones as null."""

    displayName = Shown()
    addresses = Rows(FlowRetailShownAddress)
    contacts = Rows(FlowRetailShownContact)
    consents = Rows(FlowRetailShownConsent)
    extensions = serializers.ListField(child=FlowRetailExtension(), read_only=True)
    credit = FlowRetailCredit(read_only=True)
    accountManager = Manager(read_only=True, allow_null=True)
    createdAt = Moment()
    lastModifiedAt = Moment()


def _object(**properties):
    return {"type": "object", "properties": properties, "required": list(properties)}


def _listed(row):
    paging = dict.fromkeys(("pageNumber", "pageSize", "totalCount"), {"type": "integer"})
    return _object(items={"type": "array", "items": row}, paging=_object(**paging))


REFUSAL = _object(
    code=TEXT,
    message=TEXT,
    errors={
        "type": "array",
        "items": _object(field={**TEXT, "nullable": True}, message=TEXT),
    },
)
RESULT = _object(
    status={"type": "integer"},
    customerUid={**TEXT, "nullable": True},
    externalId={**TEXT, "nullable": True},
    error={**REFUSAL, "nullable": True},
)
DEEDS = ("create", "update", "delete", "upsert")
EXTERNAL_ID = {"customerExternalId": (TEXT, "Exactly this external id.")}


def _rows(path, uid, body, row):
    one = f"{ONE}/{path}/<{uid}>"
    return {
        f"GET {ONE}/{path}": Described(answer=_listed(row)),
        f"POST {ONE}/{path}": Described(body=body, answer=row, status=201),
        f"GET {one}": Described(answer=row),
        f"PUT {one}": Described(body=body, answer=row),
        f"DELETE {one}": Described(status=204),
    }


DESCRIBED = {
    f"GET {ALL}": Described(answer=_listed(FlowRetailShown), parameters=EXTERNAL_ID | PAGED),
    f"POST {ALL}": Described(body=FlowRetailRegistration, answer=FlowRetailShown, status=201),
    f"POST {ALL}/search": Described(
        body=FlowRetailSearch, answer=_listed(FlowRetailShown), parameters=PAGED
    ),
    f"POST {ALL}/search/external": Described(
        body={"type": "object", "properties": {"query": TEXT}},
        answer=_listed({"type": "object", "properties": {"external": {"type": "boolean"}}}),
        parameters=PAGED,
    ),
    f"GET {ONE}/export": Described(answer={"type": "object"}),
    f"GET {ONE}": Described(answer=FlowRetailShown),
    f"PUT {ONE}": Described(body=FlowRetailCustomer, answer=FlowRetailShown),
    f"DELETE {ONE}": Described(status=204),
    f"POST {ONE}/extensions/<customerExtensionCode>": Described(
        body=FlowRetailStore, answer=FlowRetailShown
    ),
    f"DELETE {ONE}/extensions/<customerExtensionCode>": Described(
        body=FlowRetailStore, status=204
    ),
    f"POST {ALL}/batch": Described(
        body={
            "type": "object",
            "properties": dict.fromkeys(
                DEEDS, {"type": "array", "items": {"type": "object"}}
            ) | {"delete": {"type": "array", "items": {}}},
        },
        answer={
            "type": "object",
            "properties": dict.fromkeys(DEEDS, {"type": "array", "items": RESULT}),
        },
    ),
    f"GET {BELOW}/stores/<storeUid>/customers/<customerUid>": Described(answer=FlowRetailShown),
    **_rows("contacts", "customerContactUid", FlowRetailContact, FlowRetailShownContact),
    **_rows("addresses", "customerAddressUid", FlowRetailAddress, FlowRetailShownAddress),
}  # fmt: skip
