"""The order of a list: named by the caller from an allow-list, always total."""

from difflib import get_close_matches

from rest_framework.exceptions import ValidationError
from rest_framework.filters import BaseFilterBackend


class StableOrderingFilter(BaseFilterBackend):
    """`ordering=last_name,-created_at`, from the view's `ordering_fields`.

    A view declares `ordering_fields` (names of columns that are never NULL: a position cannot be
    told of NULLs) and `ordering`, its order when nobody asks. The id settles ties, in the
    direction of the last column, so that no two rows share a place.
    """

    parameter = "ordering"

    def filter_queryset(self, request, queryset, view):
        terms = self.terms(request.query_params.get(self.parameter), view)
        if terms is None:
            # Where the queryset has an order of its own (a sync), that one holds.
            terms = queryset.query.order_by or view.ordering
        return queryset.order_by(*total(terms))

    def terms(self, text, view):
        """The allowed terms in a parameter, None without one. Raises ValidationError (400)."""
        if not text:
            return None
        terms = [term.strip() for term in text.split(",") if term.strip()]
        for term in terms:
            name = term.removeprefix("-")
            if name not in view.ordering_fields:
                close = get_close_matches(name, view.ordering_fields, n=1)
                hint = f" Did you mean {close[0]}?" if close else ""
                known = ", ".join(view.ordering_fields)
                raise ValidationError(
                    {"ordering": [f"Cannot order by {name[:60]}.{hint} Possible: {known}."]}
                )
        names = [term.removeprefix("-") for term in terms]
        if len(set(names)) < len(names):
            raise ValidationError({"ordering": ["Each column once."]})
        return terms

    def get_schema_operation_parameters(self, view):
        names = ", ".join(f"`{name}`" for name in view.ordering_fields)
        return [
            {
                "name": self.parameter,
                "required": False,
                "in": "query",
                "description": f"Columns, separated by commas, `-` for descending: {names}.",
                "schema": {"type": "string"},
            }
        ]


def total(terms):
    """The terms of an order, made total by the id."""
    terms = tuple(terms)
    if any(term.removeprefix("-") in ("id", "pk") for term in terms):
        return terms
    descending = bool(terms) and terms[-1].startswith("-")
    return (*terms, "-id" if descending else "id")
