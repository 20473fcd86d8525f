"""Fieldpine's routes, in any letter case: below `/OpenApi2`, which a retailer's id may follow, and
bare."""

from django.urls import re_path

from dialects.base import actions, everything_else
from dialects.fieldpine.base import FieldpineEndpoint
from dialects.fieldpine.dialect import DIALECT
from dialects.fieldpine.views import FieldpineCustomerViewSet

__all__ = ["DIALECT", "urlpatterns"]


def any_case(word):
    """The pattern of a word in any letter case. Written out, because Django works through every
    pattern when it reverses one, and knows no flags inside of them."""
    return "".join(f"[{letter.lower()}{letter.upper()}]" for letter in word)


MOUNT = rf"{any_case('openapi')}2(?:_[^/]*)?"
CUSTOMERS = any_case("customers")
ALONE = rf"(?:{CUSTOMERS}|{any_case('sales')})"  # what the vendor's page writes without the mount

urlpatterns = [
    re_path(
        rf"^(?:{MOUNT}/)?{CUSTOMERS}/?$",
        actions(FieldpineCustomerViewSet)(get="list", post="create"),
    ),
    everything_else(FieldpineEndpoint, rf"^(?:{MOUNT}|{ALONE})(?:/.*)?$"),
]
