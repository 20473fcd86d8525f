"""`/docs/`: what can be read about every API that is spoken here, ours and the dialects'.

Each JSON dialect has its OpenAPI document and two viewers of it, every other one a page.
"""

from django.http import JsonResponse
from django.shortcuts import render
from drf_spectacular.views import SpectacularRedocView, SpectacularSwaggerSplitView

from api.routes import route
from config.api import OPEN, shown
from config.dialects_openapi import openapi
from config.dialects_page import dialects, serves


def index(request):
    """Our API and the dialects, each with what there is to read about it."""
    return render(request, "docs/index.html", {"dialects": dialects()})


def page_of(dialect):
    """The page of a dialect that no viewer can show."""

    def page(request):
        endpoints = [(endpoint, serves(endpoint)) for endpoint in dialect.endpoints]
        told = {
            "dialect": dialect,
            "endpoints": endpoints,
            "spoken": sorted(dialect.spoken.items()),
            "unspoken": sorted(dialect.unspoken.items()),
        }
        return render(request, "docs/dialect.html", told)

    return page


def document_of(dialect):
    """The OpenAPI document, as JSON."""

    def document(request):
        return JsonResponse(openapi(dialect))

    return document


def _routes(dialect):
    base = f"docs/{dialect.name}/"
    if not dialect.speaks_json:
        return [route(base, shown(page_of(dialect)), f"docs-{dialect.name}")]
    viewer = {"url": f"/{base}openapi.json", "title": dialect.label, **OPEN}
    return [
        route(base, shown(SpectacularSwaggerSplitView.as_view(**viewer)), f"docs-{dialect.name}"),
        route(f"{base}redoc/", shown(SpectacularRedocView.as_view(**viewer))),
        route(f"{base}openapi.json/", shown(document_of(dialect))),
    ]


urlpatterns = [
    route("docs/", shown(index), "docs"),
    *[pattern for dialect in dialects() for pattern in _routes(dialect)],
]
