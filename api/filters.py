"""Query parameters: known by name, each value checked, a wrong one answered with 400.

Nothing of a request ever becomes a lookup's name; a filter is a line in a FilterSet.
"""

from difflib import get_close_matches

import django_filters
from django import forms
from django_filters.rest_framework import DjangoFilterBackend
from django_filters.rest_framework import FilterSet as DjangoFilterSet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework.exceptions import ValidationError

import normalise
from tenancy.scoping import current_tenant

LONGEST_VALUE = 1000
LONGEST_CURSOR = 4000
EVERYWHERE = ("format", "reason")


class FilterSet(DjangoFilterSet):
    """The base of the house API's filters: lists only what it declares."""


class CleanField(forms.CharField):
    """Text that a function of `normalise` judges."""

    def __init__(self, *args, cleaner, **options):
        super().__init__(*args, max_length=254, **options)
        self.cleaner = cleaner

    def clean(self, value):
        text = super().clean(value)
        return self.cleaner(text) if text else None


class CleanFilter(django_filters.CharFilter):
    """A filter whose value `cleaner` turns into what is stored, or refuses."""

    field_class = CleanField


@extend_schema_field(OpenApiTypes.DATETIME)
class InstantFilter(CleanFilter):
    """An instant; a date or a time without zone is the tenant's local one."""

    def __init__(self, *args, **options):
        super().__init__(*args, cleaner=_instant, **options)


def _instant(text):
    return normalise.parse_instant(text, tz=current_tenant().timezone)


class QueryFilterBackend(DjangoFilterBackend):
    """Django-filter, with bad values as 400 (its default). Unknown names are refused earlier, by
    `check_parameters`, for every view alike."""


def check_parameters(parameters, known):
    """Refuse parameters that nobody knows (naming the nearest that somebody does), values that
    come twice, and NUL. Raises ValidationError (400) by parameter."""
    known = {*known, *EVERYWHERE}
    errors = {}
    for name, values in parameters.lists():
        longest = LONGEST_CURSOR if name == "cursor" else LONGEST_VALUE
        if name not in known:
            errors[_shown(name)] = [f"Unknown parameter.{_hint(name, known)}"]
        elif len(values) > 1:
            errors[name] = ["Given more than once."]
        elif "\0" in values[0]:
            errors[name] = ["NUL is not allowed."]
        elif len(values[0]) > longest:
            errors[name] = [f"At most {longest} characters."]
    if errors:
        raise ValidationError(errors)


def _hint(name, known):
    close = get_close_matches(name, sorted(known), n=1)
    return f" Did you mean {close[0]}?" if close else ""


def _shown(name):
    return name[:60].replace("\0", "")
