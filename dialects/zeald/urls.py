"""Zeald's routes, mounted at `/API/V3/`: the resource that a specification begins with decides
which methods there are; the rest of it is read by the grammar."""

from django.urls import re_path

from dialects.base import actions, everything_else
from dialects.zeald.base import ZealdEndpoint
from dialects.zeald.dialect import DIALECT
from dialects.zeald.resources import CUSTOMER, GROUP, LINK, ORDER
from dialects.zeald.views import ZealdViewSet

__all__ = ["DIALECT", "urlpatterns"]

WHOLE = {"get": "list", "post": "save"}
ONE = {"get": "retrieve", "put": "update", "delete": "destroy"}


def routes(resource, whole, one):
    """The list and the single record of a resource. Nothing in a path is a blank here: `+` stays
    what it is, and a key may hold any character."""
    begins = rf"^(?P<specification>\(*{resource.name}(?!\w)[^/]*)"
    view = actions(ZealdViewSet, resource=resource)
    return [
        re_path(rf"{begins}/?$", view(**whole)),
        re_path(rf"{begins}/(?P<key>.+?)/?$", view(**one)),
    ]


urlpatterns = [
    *routes(CUSTOMER, WHOLE, ONE),
    *routes(LINK, WHOLE, ONE),
    *routes(GROUP, WHOLE, ONE),
    *routes(ORDER, {"get": "list"}, {"get": "retrieve"}),
    everything_else(ZealdEndpoint),
]
