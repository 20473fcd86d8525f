"""What a list of customers can be narrowed by; each method is one queryset call."""

import django_filters
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, Subquery
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field

import normalise
from api.filters import CleanFilter, FilterSet, InstantFilter
from customers.models import Address, Consent, Customer, Email, Label
from customers.phrases import read_phrases, search_with_phrases
from customers.querysets import CHANNELS
from customers.stores import find_store
from groups.models import Group
from groups.querysets import in_group, reachable_in
from tenancy.scoping import current_tenant

REACHES = (*CHANNELS, "any")


@extend_schema_field(OpenApiTypes.BOOL)
class FlagFilter(CleanFilter):
    """true or false, and nothing else."""

    def __init__(self, *args, **options):
        super().__init__(*args, cleaner=normalise.clean_bool, **options)


def _text(text):
    return normalise.clean_text(text, max_length=254)


def _question(text):
    read_phrases(_text(text), tz=current_tenant().timezone)
    return _text(text)


def _number(text):
    digits = text.upper().removeprefix("CUST-")
    return normalise.clean_int(digits, minimum=0)


def _month(text):
    return normalise.clean_int(text, minimum=1, maximum=12)


def _email(text):
    return normalise.email_key(normalise.clean_email(text))


def _phone(text):
    return normalise.clean_phone(text, country=current_tenant().country).digits


def _login_phone(text):
    return normalise.login_phone_key(_text(text)) or ""


def _store(text):
    return _found(find_store(_text(text)), _("No such store."))


def _group(text):
    return _found(Group.objects.named(_text(text)), _("No such group."))


def _found(thing, message):
    if thing is None:
        raise ValidationError(message, code="does_not_exist")
    return thing


def _label(text):
    key, colon, value = _text(text).partition(":")
    return key, value if colon else None


def _consent(text):
    purpose, colon, word = _text(text).partition(":")
    return purpose, normalise.clean_bool(word) if colon else True


def _channel(text):
    if text not in REACHES:
        known = ", ".join(REACHES)
        raise ValidationError(_("Must be one of: %(known)s.") % {"known": known}, "invalid_choice")
    return text


def consenting(customers, purpose, *, granted):
    """Customers whose latest statement on `purpose` is `granted`; who never said anything is in
    neither list."""
    latest = Consent.objects.filter(customer=OuterRef("pk"), purpose=purpose).order_by("-version")
    return customers.alias(latest_statement=Subquery(latest.values("granted")[:1])).filter(
        latest_statement=granted
    )


class CustomerFilter(FilterSet):
    """Filters of the customer list; they combine with AND."""

    q = CleanFilter(
        cleaner=_question,
        method="search",
        label="Words as people type them; see the search grammar in docs/api.md.",
    )
    status = django_filters.ChoiceFilter(choices=Customer.Status.choices)
    kind = django_filters.ChoiceFilter(choices=Customer.Kind.choices)
    gender = django_filters.ChoiceFilter(choices=Customer.Gender.choices)
    external_id = CleanFilter(cleaner=_text, method="by_identifier")
    username = CleanFilter(cleaner=_text, method="by_identifier")
    card_number = CleanFilter(cleaner=_text, method="by_identifier")
    number = CleanFilter(cleaner=_number, method="by_identifier", label="123 or CUST-123.")
    email = CleanFilter(cleaner=_email, method="by_email", label="As contact point or sign-in.")
    phone = CleanFilter(cleaner=_phone, method="by_phone", label="As contact point or sign-in.")
    login_email = CleanFilter(cleaner=_email)
    login_phone = CleanFilter(cleaner=_login_phone, field_name="login_phone_key")
    name = CleanFilter(cleaner=_text, method="by_name", label="Words of the name, folded.")
    first_name = CleanFilter(cleaner=_text, method="by_part")
    last_name = CleanFilter(cleaner=_text, method="by_part")
    company_name = CleanFilter(cleaner=_text, method="by_part")
    city = CleanFilter(cleaner=_text, method="by_city")
    postal_code = CleanFilter(cleaner=_text, method="by_address")
    country = CleanFilter(cleaner=normalise.clean_country, method="by_address")
    home_store = CleanFilter(cleaner=_store, label="Code or id.")
    store = CleanFilter(
        cleaner=_store, method="by_store", label="Home store, or has a store profile there."
    )
    group = CleanFilter(cleaner=_group, method="by_group", label="Code or id.")
    label = CleanFilter(cleaner=_label, method="by_label", label="key:value, or key alone.")
    language = CleanFilter(cleaner=normalise.clean_language)
    birth_month = CleanFilter(cleaner=_month)
    created_after = InstantFilter(field_name="created_at", lookup_expr="gte")
    created_before = InstantFilter(field_name="created_at", lookup_expr="lt")
    updated_after = InstantFilter(method="by_update", label="Oldest change first, for a sync.")
    updated_before = InstantFilter(field_name="updated_at", lookup_expr="lt")
    anonymised = FlagFilter(method="by_anonymised")
    hidden = FlagFilter()
    has_email = FlagFilter(method="by_having_email")
    consent = CleanFilter(
        cleaner=_consent, method="by_consent", label="purpose, purpose:true or purpose:false."
    )
    consent_marketing = FlagFilter(method="by_known_consent")
    consent_legal = FlagFilter(method="by_known_consent")
    consent_data_processing = FlagFilter(method="by_known_consent")
    reachable = CleanFilter(
        cleaner=_channel,
        method="by_reachable",
        label="email, sms, post or any; with `group`, for that group.",
    )

    class Meta:
        model = Customer
        fields = []

    def search(self, customers, name, q):
        return search_with_phrases(customers, q)

    def by_email(self, customers, name, key):
        return customers.with_email(key)

    def by_phone(self, customers, name, digits):
        return customers.with_phone(digits)

    def by_name(self, customers, name, text):
        for word in normalise.fold(text).split():
            customers = customers.filter(search_text__contains=f" {word}")
        return customers

    def by_identifier(self, customers, name, value):
        return customers.known_as(name, value)

    def by_part(self, customers, name, text):
        # The first word of the search column's folded text leads to an index where there is one.
        words = normalise.fold(text).split()
        if words:
            customers = customers.filter(search_text__contains=f" {words[0]}")
        return customers.filter(**{f"{name}__iexact": text})

    def by_city(self, customers, name, city):
        return _with_address(customers, city__iexact=city)

    def by_address(self, customers, name, value):
        return _with_address(customers, **{name: value})

    def by_store(self, customers, name, store):
        return customers.at_store(store)

    def by_group(self, customers, name, group):
        return in_group(customers, group)

    def by_label(self, customers, name, wanted):
        key, value = wanted
        labels = Label.objects.filter(customer=OuterRef("pk"), key=key)
        return customers.filter(Exists(labels if value is None else labels.filter(value=value)))

    def by_update(self, customers, name, instant):
        return customers.updated_after(instant)

    def by_anonymised(self, customers, name, wanted):
        return customers.filter(anonymised_at__isnull=not wanted)

    def by_having_email(self, customers, name, wanted):
        has = Exists(Email.objects.filter(customer=OuterRef("pk")))
        return customers.filter(has) if wanted else customers.filter(~has)

    def by_consent(self, customers, name, wanted):
        purpose, granted = wanted
        return consenting(customers, purpose, granted=granted)

    def by_known_consent(self, customers, name, granted):
        return consenting(customers, name.removeprefix("consent_"), granted=granted)

    def by_reachable(self, customers, name, channel):
        channel = None if channel == "any" else channel
        group = self.form.cleaned_data.get("group")
        if group is not None:
            return reachable_in(customers, group, channel)
        return customers.reachable(channel)


def _with_address(customers, **lookups):
    return customers.filter(Exists(Address.objects.filter(customer=OuterRef("pk"), **lookups)))
