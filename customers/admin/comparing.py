"""Two records side by side, field by field, in words: what a merge would do with each part."""

from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.models import Customer
from customers.services import preview_merge
from tenancy.admin.telling import in_words
from tenancy.scoping import current_tenant

OTHER, SURVIVOR = "other", "survivor"
LABELS = {
    "birth_date": gettext_lazy("birth date"),
    "password": gettext_lazy("password"),
    "emails": gettext_lazy("e-mails"),
    "phones": gettext_lazy("phones"),
    "addresses": gettext_lazy("addresses"),
    "contact_persons": gettext_lazy("contact persons"),
    "labels": gettext_lazy("labels"),
    "avatar": gettext_lazy("picture"),
    "charge_account": gettext_lazy("charge account"),
}
PURPOSES = {
    "legal": gettext_lazy("Terms"),
    "marketing": gettext_lazy("Marketing"),
    "data_processing": gettext_lazy("Data processing"),
}
NAME_PARTS = {"first_name", "last_name", "company_name"}
# A merge that lacks nothing but this can be had by ticking.
TO_CHOOSE = {"two_balances", "two_pos_refs"}
PREFIX = "choice-"


def ticked(post):
    """{field: side} of what was ticked."""
    return {
        name.removeprefix(PREFIX): side
        for name, side in post.items()
        if name.startswith(PREFIX) and side in (SURVIVOR, OTHER)
    }


def compare_page(survivor, other, chosen):
    """What the page shows of two Customers, with what was ticked so far ({field: side}).

    Returns the context of the template, and the choices that differ from what a merge would do by
    itself: only those are for `merge_customers`.
    """
    usual = preview_merge(survivor, other)
    rows = [*_fields(usual, survivor, other), *_single_rows(usual), *_profiles(usual)]
    to_choose = {blocker["field"] for blocker in usual["blockers"] if blocker["code"] in TO_CHOOSE}
    choices = {}
    for row in rows:
        side = chosen.get(row["name"])
        if row["name"] in to_choose:
            row["side"] = side
            choices |= {row["name"]: side} if side else {}
        elif row["choosable"] and side and side != row["side"]:
            row["side"] = choices[row["name"]] = side
    preview = preview_merge(survivor, other, choices)
    blockers = [each for each in preview["blockers"] if each["code"] not in TO_CHOOSE]
    return {
        "rows": rows,
        "lists": _lists(preview),
        "consents": [
            {
                "purpose": PURPOSES.get(each["purpose"], each["purpose"]),
                "here": _said(each[SURVIVOR]),
                "there": _said(each[OTHER]),
                "outcome": _said(each["outcome"]),
            }
            for each in preview["consents"]
        ],
        "groups": [
            {
                "title": each["title"] or each["code"],
                "here": _member(each[SURVIVOR]),
                "there": _member(each[OTHER]),
                "outcome": _member(each["outcome"]),
            }
            for each in preview["sections"].get("groups", ())
        ],
        "loyalty": preview["sections"].get("loyalty"),
        "blockers": blockers,
        "left_to_choose": [
            each["message"] for each in preview["blockers"] if each["code"] in TO_CHOOSE
        ],
        "warnings": preview["warnings"],
        "undo_days": preview["undo_days"],
    }, choices


def _fields(preview, survivor, other):
    differing = {each["field"] for each in preview["fields"] if each["differs"]}
    built = not (survivor.name_given or other.name_given)
    rows = []
    for each in preview["fields"]:
        name = each["field"]
        if not each["differs"] or (name == "name" and built and differing & NAME_PARTS):
            continue  # a built name follows its parts
        rows.append(
            {
                "name": name,
                "label": label_of(name),
                "here": value_in_words(name, each[SURVIVOR]),
                "there": value_in_words(name, each[OTHER]),
                "side": each["taken_from"],
                "choosable": each["choosable"],
                "still_found": each["still_found"],
            }
        )
    return rows


def _single_rows(preview):
    for name in ("avatar", "charge_account"):
        each = preview[name]
        if each and each[SURVIVOR] and each[OTHER]:
            here, there = (
                _("yes") if name == "avatar" else each[side]["number"] for side in (SURVIVOR, OTHER)
            )
            yield _row(name, label_of(name), here, there, each["taken_from"])


def _profiles(preview):
    for each in preview["store_profiles"]:
        if each[SURVIVOR] and each[OTHER] and each[SURVIVOR] != each[OTHER]:
            here, there = (
                " · ".join(filter(None, (each[side]["pos_ref"], each[side]["note"])))
                for side in (SURVIVOR, OTHER)
            )
            label = _("at the store %(store)s") % {"store": each["store"]}
            yield _row(f"store_profiles.{each['store']}", label, here, there, SURVIVOR)


def _row(name, label, here, there, side):
    return {
        **{"name": name, "label": label, "here": here, "there": there, "side": side},
        **{"choosable": True, "still_found": False},
    }


def _lists(preview):
    for name, each in preview["lists"].items():
        if each[SURVIVOR] or each[OTHER]:
            yield {
                "label": label_of(name),
                **{
                    key: [row["text"] for row in each[side]]
                    for key, side in (("here", SURVIVOR), ("there", OTHER), ("outcome", "outcome"))
                },
            }


def label_of(name):
    """What a person calls a field of a customer."""
    if name in LABELS:
        return LABELS[name]
    return Customer._meta.get_field(name).verbose_name


def value_in_words(name, value):
    """A value of a record, as a person reads it."""
    if value in (None, "", []):
        return ""
    if name in Customer.MONEY:
        return f"{value} {current_tenant().currency}"
    if name == "created_at":
        moment = parse_datetime(value) if isinstance(value, str) else value
        return date_format(localtime(moment), "DATETIME_FORMAT")
    if name in ("birth_date", "password"):
        return in_words(value)
    choices = dict(Customer._meta.get_field(name).flatchoices)
    return str(choices.get(value, in_words(value)))


def _said(granted):
    return "–" if granted is None else _("agrees") if granted else _("refuses")


def _member(subscribed):
    return "–" if subscribed is None else _("subscribed") if subscribed else _("not subscribed")
