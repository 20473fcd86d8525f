"""From single values to the nested record: children by slot, and whole lists from JSON."""

import difflib
import json
from typing import Any

from django.utils.translation import gettext as _

from . import targets
from .converting import CONVERTERS, ConversionError, Options

# An address of which only these are known is none: shops repeat the customer's name there.
_NOT_AN_ADDRESS = frozenset({"kind", "primary", "first_name", "last_name"})


def put(record: dict[str, Any], slots: dict, path: tuple, value: Any) -> None:
    """Lay one converted value where its target points."""
    if len(path) == 3:
        slots.setdefault(path[:2], {})[path[2]] = value
    elif len(path) == 2:
        slots[path] = {"key": path[1], "value": value}
    elif isinstance(value, list) and path[0] in record:
        record[path[0]].extend(value)
    else:
        record[path[0]] = value


def join_slots(record: dict[str, Any], slots: dict, *, primary: bool) -> None:
    """Make the child rows of the slots and put them into the record's lists.

    With `primary` the first row of a list becomes its primary one unless the file says which.
    """
    for list_name, slot in sorted(slots, key=_in_order):
        item = {**targets.SLOT_KINDS.get((list_name, slot), {}), **slots[list_name, slot]}
        if list_name == "consents":
            item.setdefault("purpose", slot)
            if "granted" not in item:
                continue
        elif list_name == "addresses":
            if item.keys() <= _NOT_AN_ADDRESS:
                continue
            item.setdefault("kind", _kind_of_address(record, slot))
        elif targets.ESSENTIAL.get(list_name, "key") not in item and list_name != "contact_persons":
            continue
        items = record.setdefault(list_name, [])
        twin = _twin(list_name, item, items)
        if twin is None:
            items.append(item)
        else:
            twin.update({key: value for key, value in item.items() if key not in twin})
    if primary:
        for list_name in ("emails", "phones", "addresses"):
            items = record.get(list_name)
            if items and not any("primary" in item for item in items):
                items[0]["primary"] = True


def _twin(list_name: str, item: dict[str, Any], items: list[Any]) -> dict[str, Any] | None:
    """The same thing under another column: shops like to write an e-mail or phone down twice, and
    our own exports write a long list down whole beside its first rows."""
    if list_name == "emails":
        wanted = item["address"].strip().casefold()
        return next((one for one in items if one["address"].strip().casefold() == wanted), None)
    if list_name == "phones":
        digits = _digits(item)
        return next((one for one in items if digits and _digits(one) == digits), None)
    if list_name == "consents":
        return next((one for one in items if one["purpose"] == item["purpose"]), None)
    return next((one for one in items if item.items() <= one.items()), None)


def _digits(phone: dict[str, Any]) -> tuple:
    digits = "".join(character for character in phone["given"] if character.isdigit())
    return (digits, phone.get("extension")) if digits else ()


def _in_order(slot: tuple) -> tuple[str, bool, Any]:
    list_name, order = slot
    return list_name, isinstance(order, str), order


def _kind_of_address(record: dict[str, Any], slot: int) -> str:
    if slot != 1:
        return "other"
    return "work" if record.get("company_name") else "home"


def to_list(list_name: str, value: Any, options: Options) -> list[dict[str, Any]]:
    """A whole child list from JSON, each item checked for its keys and the form of its values.

    An e-mail or a phone may be a bare text. Raises ConversionError naming item and key.
    """
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise ConversionError(_("has to be a list, written as JSON")) from None
    if not isinstance(value, list):
        raise ConversionError(_("has to be a list"))
    known = targets.LIST_FIELDS[list_name]
    essential = targets.ESSENTIAL.get(list_name)
    items = []
    for position, item in enumerate(value, 1):
        if isinstance(item, str) and list_name in ("emails", "phones"):
            item = {essential: item}
        if not isinstance(item, dict):
            raise ConversionError(f"item {position} is not an object")
        found = {}
        for key, cell in item.items():
            if key in targets.LIST_READ_ONLY:
                continue
            if key not in known:
                close = difflib.get_close_matches(key, known, n=1)
                hint = f"; the nearest is “{close[0]}”" if close else ""
                raise ConversionError(f"item {position} has the unknown key “{key}”{hint}")
            if cell is None or cell == "":
                continue
            try:
                found[key] = CONVERTERS[known[key]](cell, options)
            except ConversionError as fault:
                raise ConversionError(f"item {position}, “{key}”: “{cell}” {fault}") from None
        if essential and essential not in found:
            raise ConversionError(f"item {position} has no “{essential}”")
        items.append(found)
    return items
