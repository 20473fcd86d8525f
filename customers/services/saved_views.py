"""Saving and forgetting views of the list of customers."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

import normalise
from customers.models import SavedView

# What a list's address holds beside filters and order: the search, which names people, and places.
LEFT_OUT = {"q", "p", "page", "all", "e", "_changelist_filters"}


def save_view(member, *, name, query, shared=False):
    """Keep the filters and the order of a query string under a name; one of the same name of this
    member is replaced. Returns the SavedView.

    Raises ValidationError by field: no name, a longer one than 60 characters, filters that are none
    or too long, more than 50 views.
    """
    name = _checked("name", normalise.clean_text, name, max_length=60)
    if not name:
        raise ValidationError({"name": ValidationError(_("Give it a name."), code="required")})
    kept = _without_search(query)
    if not kept:
        nothing = ValidationError(_("Set a filter or an order first."), code="required")
        raise ValidationError({"query": nothing})
    if len(kept) > 1_000:
        too_long = ValidationError(_("These are too many filters."), code="max_length")
        raise ValidationError({"query": too_long})
    with transaction.atomic():
        own = SavedView.objects.filter(member=member)
        if own.count() >= SavedView.MOST_PER_MEMBER and not own.filter(name=name).exists():
            many = ValidationError(_("Forget another view first: there are 50."), code="too_many")
            raise ValidationError({"name": many})
        view, _created = SavedView.objects.update_or_create(
            tenant=member.tenant,
            member=member,
            name=name,
            defaults={"query": kept, "shared": bool(shared)},
        )
    return view


def forget_view(member, view_id):
    """Remove a view of this member; False where they have none with this id."""
    return bool(SavedView.objects.filter(member=member, pk=view_id).delete()[0])


def _without_search(query):
    given = QueryDict(query, mutable=True) if isinstance(query, str) else query.copy()
    for name in LEFT_OUT & set(given):
        del given[name]
    return given.urlencode()


def _checked(name, clean, *args, **options):
    try:
        return clean(*args, **options)
    except ValidationError as error:
        raise ValidationError({name: error.error_list}) from error
