"""URL patterns that serve with and without the final slash, without a redirect.

A redirected POST loses its body. The canonical form, which `reverse` and the schema show, has the
slash.
"""

from functools import partial

from django.urls import URLPattern
from django.urls.resolvers import RoutePattern


class SlashOptional(RoutePattern):
    """A route that ends in a slash and accepts a path without it."""

    def match(self, path):
        return super().match(path if path.endswith("/") else f"{path}/")


def route(pattern, view, name=None):
    """One endpoint; like `django.urls.path`, for patterns that end in a slash."""
    if not pattern.endswith("/"):
        raise ValueError(f"{pattern!r} must end with a slash")
    return URLPattern(SlashOptional(pattern, name=name, is_endpoint=True), view, {}, name)


def actions(view_class, **initkwargs):
    """A short form for tables of routes: `actions(View)(get="list", post="create")`."""
    return partial(_as_view, view_class, initkwargs)


def _as_view(view_class, initkwargs, **methods):
    return view_class.as_view(methods, **initkwargs)
