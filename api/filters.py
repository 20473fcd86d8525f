"""Query parameters: known by name, each value checked, a wrong one answered with 400.

Nothing of a request ever becomes a lookup's name; a filter is a line in a FilterSet.
"""

from difflib import get_close_matches

from django_filters.rest_framework import DjangoFilterBackend
from django_filters.rest_framework import FilterSet as DjangoFilterSet
from rest_framework.exceptions import ValidationError

LONGEST_VALUE = 1000
LONGEST_CURSOR = 4000
EVERYWHERE = ("format", "reason")


class FilterSet(DjangoFilterSet):
    """The base of the house API's filters: lists only what it declares."""


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
