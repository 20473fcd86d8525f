"""Every route of the house API, read from the URL resolver: no list by hand can be incomplete."""

import uuid

from django.urls import URLPattern, URLResolver, get_resolver

from api.views import PublicViewSet, ViewSet


def endpoints():
    """[(method, path template below /, view class, action)] of every view of ours under /api/."""
    return [
        (method, route, pattern.callback.cls, action)
        for route, pattern in _patterns(get_resolver(), "")
        if issubclass(getattr(pattern.callback, "cls", object), ViewSet)
        for method, action in pattern.callback.actions.items()
        if method != "head"
    ]


def _patterns(resolver, prefix):
    for pattern in resolver.url_patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _patterns(pattern, route)
        elif isinstance(pattern, URLPattern) and route.startswith("api/"):
            yield route, pattern


def operation_of(view_class, action):
    """The row of the permission table behind an action of a view."""
    view = view_class()
    view.action = action
    return view.operation


def is_public(view_class):
    """Whether the view takes no credential."""
    return issubclass(view_class, PublicViewSet)


def filled(route, **values):
    """A route with its parameters filled; what `values` lacks becomes a random id or text."""
    path = route
    while "<" in path:
        start, end = path.index("<"), path.index(">")
        name = path[start + 1 : end].partition(":")[2]
        value = values.get(name, str(uuid.uuid4()) if name.endswith("_id") else "nowhere")
        path = f"{path[:start]}{value}{path[end + 1 :]}"
    return f"/{path}"


def called(endpoint):
    """A short name of an endpoint for the output of the tests."""
    method, route, _view_class, _action = endpoint
    return f"{method} {route}"
