"""What lists of levels, entries, transactions, rewards and redemptions can be narrowed by."""

import uuid

import django_filters
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field

import normalise
from api.filters import CleanFilter, FilterSet, InstantFilter
from customers.models import Customer
from customers.stores import find_store
from loyalty.models import EarningRule, Entry, Level, Redemption, Reward, Transaction
from loyalty.services import find_level
from tenancy import clock


@extend_schema_field(OpenApiTypes.BOOL)
class FlagFilter(CleanFilter):
    """true or false, and nothing else."""

    def __init__(self, *args, **options):
        super().__init__(*args, cleaner=normalise.clean_bool, **options)


@extend_schema_field(OpenApiTypes.UUID)
class KeyFilter(CleanFilter):
    """An id. One of another tenant finds as little as one that does not exist."""

    def __init__(self, *args, **options):
        super().__init__(*args, cleaner=_key, **options)


def _key(text):
    try:
        return uuid.UUID(text)
    except ValueError:
        raise ValidationError(_("Must be a UUID."), code="invalid") from None


def _store(text):
    store = find_store(text)
    if store is None:
        raise ValidationError(_("No such store."), code="does_not_exist")
    return store


def _identifier(text):
    return normalise.clean_identifier(text, max_length=120)


def _kinds(text):
    """Kinds of entries, separated by commas."""
    kinds = [word.strip() for word in text.split(",") if word.strip()]
    if unknown := set(kinds) - set(Entry.Kind.values):
        raise ValidationError(
            _("%(name)s is no kind of entry. There are: %(names)s."),
            code="invalid_choice",
            params={"name": sorted(unknown)[0][:40], "names": ", ".join(Entry.Kind.values)},
        )
    return kinds


class LevelFilter(FilterSet):
    """Levels."""

    active = FlagFilter(field_name="active")
    updated_after = InstantFilter(field_name="updated_at", lookup_expr="gt")

    class Meta:
        model = Level
        fields = ()


class LevelMemberFilter(FilterSet):
    """Customers on a level, by how they came to it. The view names `level`."""

    assigned = FlagFilter(method="by_hand", label="Whether staff put them there.")

    class Meta:
        model = Customer
        fields = ()

    def by_hand(self, queryset, name, value):
        return self.request.parser_context["view"].members(queryset, assigned=value)


class EntryFilter(FilterSet):
    """Entries of the ledger."""

    kind = CleanFilter(
        cleaner=_kinds, lookup_expr="in", label=f"One or more of {', '.join(Entry.Kind.values)}."
    )
    store = CleanFilter(cleaner=_store, method="at_store", label="Code or id of a store.")
    at_after = InstantFilter(field_name="at", lookup_expr="gte")
    at_before = InstantFilter(field_name="at", lookup_expr="lt")

    class Meta:
        model = Entry
        fields = ()

    def at_store(self, queryset, name, value):
        return queryset.filter(store_id=value.pk)


class AllEntriesFilter(EntryFilter):
    """Entries of all customers."""

    customer = KeyFilter(field_name="account__customer")
    source = CleanFilter(cleaner=_identifier, field_name="source_id")
    created_after = InstantFilter(field_name="created_at", lookup_expr="gte")
    created_before = InstantFilter(field_name="created_at", lookup_expr="lt")


class TransactionFilter(FilterSet):
    """Sales and returns."""

    customer = KeyFilter(field_name="account__customer")
    number = CleanFilter(cleaner=_identifier)
    revises = CleanFilter(cleaner=_identifier, label="Returns of the sale with this number.")
    kind = django_filters.ChoiceFilter(choices=Transaction.Kind.choices)
    store = CleanFilter(cleaner=_store, label="Code or id of a store.")
    counted = FlagFilter(
        method="by_counted", label="False: returns whose sale is not known, or is somebody else's."
    )
    purchased_after = InstantFilter(field_name="purchased_at", lookup_expr="gte")
    purchased_before = InstantFilter(field_name="purchased_at", lookup_expr="lt")

    class Meta:
        model = Transaction
        fields = ()

    def by_counted(self, queryset, name, value):
        return queryset.filter(applied_seq__isnull=not value)


class EarningRuleFilter(FilterSet):
    """Rules that earn points."""

    kind = django_filters.ChoiceFilter(choices=EarningRule.Kind.choices)
    active = FlagFilter(field_name="active")
    in_force = FlagFilter(method="now", label="True: those that hold at this moment.")

    class Meta:
        model = EarningRule
        fields = ()

    def now(self, queryset, name, value):
        holding = queryset.in_force(clock.now())
        return holding if value else queryset.exclude(pk__in=holding.order_by().values("pk"))


class RewardFilter(FilterSet):
    """Rewards of the catalogue."""

    active = FlagFilter(field_name="active")
    on_offer = FlagFilter(method="now", label="True: what can be redeemed at this moment.")
    level = CleanFilter(cleaner=find_level, method="for_level", label="Open to this level.")

    class Meta:
        model = Reward
        fields = ()

    def now(self, queryset, name, value):
        offered = queryset.on_offer(clock.now())
        return offered if value else queryset.exclude(pk__in=offered.order_by().values("pk"))

    def for_level(self, queryset, name, value):
        return queryset.open_to(value)


class RedemptionFilter(FilterSet):
    """Coupons and deliveries."""

    reward = KeyFilter(field_name="reward")
    status = django_filters.ChoiceFilter(
        method="by_status",
        choices=[(name, name) for name in ("open", "used", "cancelled", "expired")],
    )
    delivery = django_filters.ChoiceFilter(choices=Redemption.Delivery.choices)
    redeemed_after = InstantFilter(field_name="redeemed_at", lookup_expr="gte")
    redeemed_before = InstantFilter(field_name="redeemed_at", lookup_expr="lt")

    class Meta:
        model = Redemption
        fields = ()

    def by_status(self, queryset, name, value):
        return queryset.with_status(value, clock.now())


class AllRedemptionsFilter(RedemptionFilter):
    """Redemptions of all customers."""

    customer = KeyFilter(field_name="account__customer")
