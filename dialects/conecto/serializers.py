"""Conecto's words for our fields, one a line; `source` is our word. They are only read.

The lists of a page are built from the same table by `dialects.conecto.records`.
"""

from rest_framework import serializers

from customers.models import Address, Phone

PHONE_TYPES = {kind: kind.upper() for kind in Phone.Kind.values}
# Nothing is shipped there.
ADDRESS_TYPES = {kind: kind.upper() for kind in Address.Kind.values} | {"shipping": "OTHER"}


class ConectoEmail(serializers.Serializer):
    email = serializers.CharField(source="address")
    isPrimary = serializers.BooleanField(source="primary")
    isVerified = serializers.BooleanField(source="verified")
    createdAt = serializers.DateTimeField(source="created_at")


class ConectoPhone(serializers.Serializer):
    phone = serializers.CharField(source="e164")
    type = serializers.ChoiceField(PHONE_TYPES.values(), source="kind")
    isPrimary = serializers.BooleanField(source="primary")
    isVerified = serializers.BooleanField(source="verified")
    extension = serializers.CharField(allow_null=True)
    createdAt = serializers.DateTimeField(source="created_at")


class ConectoAddress(serializers.Serializer):
    street = serializers.CharField(allow_null=True)
    street2 = serializers.CharField(allow_null=True)
    city = serializers.CharField(allow_null=True)
    state = serializers.CharField(allow_null=True)
    zipCode = serializers.CharField(source="postal_code", allow_null=True)
    country = serializers.CharField(allow_null=True)
    type = serializers.ChoiceField(sorted(set(ADDRESS_TYPES.values())), source="kind")
    isPrimary = serializers.BooleanField(source="primary")
    latitude = serializers.FloatField(allow_null=True)
    longitude = serializers.FloatField(allow_null=True)
    createdAt = serializers.DateTimeField(source="created_at")


class ConectoCustomer(serializers.Serializer):
    posRef = serializers.CharField()
    firstName = serializers.CharField(source="first_name")
    lastName = serializers.CharField(source="last_name", allow_null=True)
    companyName = serializers.CharField(source="company_name", allow_null=True)
    locationId = serializers.IntegerField()
    createdAt = serializers.DateTimeField(source="created_at")
    updatedAt = serializers.DateTimeField(source="updated_at")
    customerEmails = ConectoEmail(many=True, source="emails")
    customerPhones = ConectoPhone(many=True, source="phones")
    customerAddresses = ConectoAddress(many=True, source="addresses")


class ConectoMeta(serializers.Serializer):
    page = serializers.IntegerField()
    pageSize = serializers.IntegerField()
    totalCount = serializers.IntegerField()


class ConectoPage(serializers.Serializer):
    """One page of a location's customers."""

    results = ConectoCustomer(many=True)
    meta = ConectoMeta()
