"""Factories for every model, and the people of the tests' stories.

Explicit values wherever a test asserts them; nothing random. Customers are made by the services,
because no other way keeps their rules.
"""

from copy import deepcopy
from datetime import datetime
from uuid import UUID

import factory
from django.apps import apps
from django.contrib.auth.hashers import make_password

from customers.models import Customer
from customers.services import register_customer
from events.models import Event, HistoryEntry
from groups.models import Group
from tenancy.models import StaffMember, Store, Tenant, TenantOwned, User
from tenancy.permissions import SCOPES
from tenancy.scoping import all_tenants, in_tenant
from tenancy.services import create_tenant, create_token

PASSWORD = "correct horse battery staple"


class TenantFactory(factory.django.DjangoModelFactory):
    """A business in Norway with its default store."""

    class Meta:
        model = Tenant

    code = factory.Sequence(lambda n: f"tenant{n}")
    country = "NO"
    currency = "NOK"
    timezone = "Europe/Oslo"

    @classmethod
    def _create(cls, model_class, *args, **fields):
        if set(fields) - {"code", "name", "country", "currency", "timezone"}:
            return create_tenant(fields.pop("code"), **fields)[0]
        return _PATTERNS.tenant(**fields)


class _Patterns:
    """Tenants as `create_tenant` leaves them, most of them copied row by row from one that it made:
    nearly every test begins with one, and the deed takes five times as long as its rows.
    """

    def __init__(self):
        self._rows = {}

    def tenant(self, *, code, name="", **places):
        """A tenant with all that a new one has."""
        kind = tuple(sorted(places.items()))
        if kind not in self._rows:
            tenant, _created = create_tenant(code, name=name, **places)
            self._rows[kind] = list(self._rows_of(tenant))
            return tenant
        named = {"code": code, "name": name or code}
        ids = {}
        with all_tenants():
            made = [
                self._copy(model, pk, values, named, ids) for model, pk, values in self._rows[kind]
            ]
        return made[0]

    def _rows_of(self, tenant):
        """(model, primary key, values) of the tenant and of each row of its own; what the model
        gives every new row (keys, times) is not among the values."""
        yield Tenant, tenant.pk, _values_of(tenant)
        with in_tenant(tenant):
            for model in apps.get_models():
                if issubclass(model, TenantOwned):
                    for row in model.objects.all():
                        yield model, row.pk, _values_of(row)

    def _copy(self, model, pk, values, named, ids):
        values = {
            name: ids.get(value, value) if isinstance(value, UUID) else deepcopy(value)
            for name, value in values.items()
        }
        if model in (Tenant, Store):  # the default store is called like the business
            values["name"] = named["name"]
        if model is Tenant:
            values["code"] = named["code"]
        row = model(**values)
        row.save(force_insert=True)
        ids[pk] = row.pk
        return row


def _values_of(row):
    """The values of a row that a new one does not get by itself: neither key nor times."""
    values = {field.attname: field.value_from_object(row) for field in row._meta.concrete_fields}
    return {
        name: deepcopy(value)
        for name, value in values.items()
        if name != row._meta.pk.attname and not isinstance(value, datetime)
    }


_PATTERNS = _Patterns()


class OwnedFactory(factory.django.DjangoModelFactory):
    """A row of a tenant; `tenant` must be named."""

    class Meta:
        abstract = True

    @classmethod
    def _create(cls, model_class, *args, **fields):
        with all_tenants():
            return super()._create(model_class, *args, **fields)


class StoreFactory(OwnedFactory):
    class Meta:
        model = Store

    code = factory.Sequence(lambda n: f"store{n}")
    name = factory.LazyAttribute(lambda store: store.code.title())
    location_id = factory.Sequence(lambda n: 1000 + n)


class UserFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = User

    email = factory.Sequence(lambda n: f"staff{n}@example.org")
    password = factory.LazyFunction(lambda: make_password(PASSWORD))


class StaffMemberFactory(OwnedFactory):
    class Meta:
        model = StaffMember

    user = factory.SubFactory(UserFactory)
    role = StaffMember.Role.ADMIN


class GroupFactory(OwnedFactory):
    class Meta:
        model = Group

    code = factory.Sequence(lambda n: f"group{n}")
    title = factory.LazyAttribute(lambda group: group.code.title())


class CustomerFactory(factory.django.DjangoModelFactory):
    """A customer who has nothing but a name, registered by the service."""

    class Meta:
        model = Customer

    first_name = factory.Sequence(lambda n: f"Customer{n}")

    @classmethod
    def _create(cls, model_class, *args, **fields):
        with in_tenant(fields.pop("tenant")):
            return register_customer(**fields)


class HistoryEntryFactory(OwnedFactory):
    class Meta:
        model = HistoryEntry

    actor_kind = "system"
    deed = "customer.updated"
    subject_type = "customer"


class EventFactory(OwnedFactory):
    class Meta:
        model = Event

    kind = "customer.updated"
    subject_type = "customer"


def make_token(tenant, role="admin", *, scopes=None, stores=(), customer=None):
    """The plain text of an access token with this role: admin, seller, service or customer."""
    if role == "customer":
        return create_token(tenant, holder="customer", customer_id=customer.pk)[1]
    if role == "service":
        return create_token(tenant, holder="service", scopes=scopes or SCOPES, stores=stores)[1]
    member = StaffMemberFactory(tenant=tenant, role=role)
    return create_token(tenant, holder="staff", staff=member, scopes=scopes, stores=stores)[1]
