"""Customers of somebody else's register, in Flow Retail's words: read like a stranger's form.

The register is asked and answers in this wire's own words: `{"query", "pageNumber", "pageSize", …}`
for `{"items": […], "paging": {"totalCount"}}`, or the bare list. Every value passes what a client's
value passes; what does not is left out. Nothing is stored, and nobody becomes a customer of ours.
"""

from django.core.exceptions import ValidationError
from rest_framework.exceptions import APIException, ParseError

from customers.profile import clean_profile
from customers.registry import ask_registry
from dialects.base import loads
from dialects.flowretail.serializers import KINDS, FlowRetailCustomer
from events.outbound import OutboundError

# What is told of a stranger; everything else is either ours alone or no business of a search.
TOLD = (
    *("customerType", "firstname", "lastname", "companyName", "email", "mobile", "address"),
    *("city", "postalCode", "countryCode", "externalId", "vatNumber"),
)
TYPES = {kind: word for word, kind in KINDS.items()}
LARGEST_COUNT = 2**53


class RegistryFailed(APIException):
    """The other register gave no usable answer: neither the caller's mistake nor ours."""

    status_code = 424
    default_detail = "The other register gave no usable answer."
    default_code = "external_search_failed"


def strangers(tenant, question, *, most):
    """([at most `most` customers of the tenant's register], how many there are) for `question`.

    Raises RegistryFailed.
    """
    try:
        content = ask_registry(tenant, question)
        answer = {"items": []} if content is None else loads(content)
    except (OutboundError, ParseError) as error:
        raise RegistryFailed from error
    if isinstance(answer, list):
        answer = {"items": answer}
    items = answer.get("items") if isinstance(answer, dict) else None
    if not isinstance(items, list):
        raise RegistryFailed
    told = [read for item in items[:most] if (read := _read(item, tenant))]
    return told, _count(answer.get("paging"), len(told))


def _count(paging, default):
    count = paging.get("totalCount") if isinstance(paging, dict) else None
    if isinstance(count, bool) or not isinstance(count, int):
        return default
    return min(max(count, default), LARGEST_COUNT)


def _read(item, tenant):
    """One stranger, or None of whom nothing can be told."""
    if not isinstance(item, dict):
        return None
    form = FlowRetailCustomer()
    values = {}
    for name in TOLD:
        if item.get(name) not in (None, ""):
            values |= _clean(form, name, item[name], tenant)
    if not values:
        return None
    return {
        "external": True,
        "customerUid": None,
        **{name: values.get(name) for name in TOLD},
    }


def _clean(form, name, value, tenant):
    """{name: the value as it would be stored}, or {} where it would be refused."""
    try:
        columns, slots = form.profile(form.read({name: value}))
        lists = {list_name: [item] for list_name, item in slots.items() if item}
        clean = clean_profile(columns | lists, tenant=tenant)
    except ValidationError:
        return {}
    ours = form.fields[name].source
    list_name, _dot, column = ours.partition(".")
    row = clean.children[list_name][0] if column else clean.columns
    stored = row[column or ours]
    return {name: TYPES.get(stored, stored)} if stored else {}
