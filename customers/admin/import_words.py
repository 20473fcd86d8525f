"""What imports say to people: targets, states, outcomes and changes, in words."""

from functools import lru_cache

from django.core.exceptions import FieldDoesNotExist
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.utils.translation import pgettext_lazy as pgettext

from customers.imports.looking import is_plain
from customers.imports.targets import FIELDS, SLOT_KINDS, TARGETS, find_target
from customers.models import Address, Consent, ContactPerson, Customer, Email, ImportRun, Phone
from tenancy.admin.telling import badge, in_words

State = ImportRun.State
LISTS = {
    "emails": (Email, gettext_lazy("E-mail")),
    "phones": (Phone, gettext_lazy("Phone")),
    "addresses": (Address, gettext_lazy("Address")),
    "contact_persons": (ContactPerson, gettext_lazy("Contact person")),
    "consents": (Consent, gettext_lazy("Consent")),
}
# What a list's own name stands for.
ITSELF = {"emails": "address", "phones": "given", "consents": "granted"}
BESIDE = {
    "emails": gettext_lazy("e-mails"),
    "phones": gettext_lazy("phones"),
    "addresses": gettext_lazy("addresses"),
    "contact_persons": gettext_lazy("contact persons"),
    "number": gettext_lazy("customer number"),
    "id": gettext_lazy("id"),
    "level": gettext_lazy("level"),
    "labels": gettext_lazy("labels (key:value)"),
    "tags": gettext_lazy("tags"),
    "groups": gettext_lazy("groups"),
    "charge_account_number": gettext_lazy("charge account"),
    "charge_account_retired": gettext_lazy("charge account retired"),
    "consents": gettext_lazy("consents"),
    "charge_account": gettext_lazy("charge account"),
    "latitude": gettext_lazy("latitude"),
    "longitude": gettext_lazy("longitude"),
    "at": gettext_lazy("since when"),
    "name_given": gettext_lazy("name"),
}
PURPOSES = {
    "marketing": gettext_lazy("marketing"),
    "legal": gettext_lazy("terms"),
    "data_processing": gettext_lazy("data processing"),
}
# Slots that hardly a file fills are not offered; who needs them says so in a mapping file.
MOST_SLOTS = {"emails": 3, "phones": 3, "addresses": 1, "contact_persons": 1}

OUTCOMES = {
    "created": (pgettext("rows", "new"), "success"),
    "updated": (pgettext("rows", "changed"), "info"),
    "unchanged": (pgettext("rows", "nothing new"), ""),
    "skipped": (pgettext("rows", "left alone"), "warning"),
    "refused": (pgettext("rows", "refused"), "danger"),
}
COLOURS = {
    State.WAITING: "info",
    State.RUNNING: "info",
    State.UNDOING: "info",
    State.DONE: "success",
    State.FAILED: "danger",
    State.CANCELLED: "warning",
}


# --- Targets -----------------------------------------------------------------------------------
def target_label(name):
    """The name of a target as people say it."""
    target = find_target(name)
    if target is None:
        return name
    path = target.path
    if path[0] not in LISTS or len(path) == 1:
        if path[0] == "labels" and len(path) == 2:
            return _("label “%(key)s”") % {"key": path[1]}
        return _column(Customer, name)
    model, title = LISTS[path[0]]
    parts = [_numbered(path[0], str(title), path[1])]
    if path[2] != ITSELF.get(path[0]):
        parts.append(_column(model, path[2]))
    return " · ".join(parts)


def _numbered(list_name, title, slot):
    told = SLOT_KINDS.get((list_name, slot), {})
    if "kind" in told:
        return f"{title} ({dict(LISTS[list_name][0].Kind.choices)[told['kind']]})"
    if list_name == "consents":
        purpose = told.get("purpose", slot)
        return f"{title}: {PURPOSES.get(purpose, purpose)}"
    return title if slot == 1 else f"{title} {slot}"


def _column(model, name):
    if name in BESIDE:
        return str(BESIDE[name])
    try:
        return str(model._meta.get_field(name).verbose_name)
    except FieldDoesNotExist:
        return name.replace("_", " ")


@lru_cache(maxsize=1)
def _offered():
    groups = {"": [name for name in FIELDS if name != "id"]}
    for name, target in TARGETS.items():
        list_name = target.path[0]
        if list_name not in LISTS or len(target.path) == 1:
            continue
        slot = target.path[1]
        if isinstance(slot, int) and MOST_SLOTS.get(list_name, 99) < slot < 20:
            continue
        groups.setdefault(list_name, []).append(name)
    groups["others"] = ["labels", "tags", "groups", "id"]
    return groups


def offered_targets():
    """(title, ((name, label), …)) of the targets that a column may be given, in groups."""
    titles = {
        "": _("The customer"),
        "emails": _("E-mails"),
        "phones": _("Phones"),
        "addresses": _("Addresses"),
        "contact_persons": _("Contact persons"),
        "consents": _("Consents"),
        "others": _("Groups, labels, id"),
    }
    return [
        (titles[group], [(name, capitalised(target_label(name))) for name in names])
        for group, names in _offered().items()
    ]


def capitalised(text):
    return text[:1].upper() + text[1:]


def rule_label(rule):
    """What a rule of a mapping does with its column, in words."""
    named = " + ".join(capitalised(target_label(name)) for name in rule.to)
    if is_plain(rule):
        return named
    if len(rule.columns) > 1:
        return _("%(field)s, joined from %(columns)s") % {
            "field": named,
            "columns": " + ".join(f"“{column}”" for column in rule.columns),
        }
    if len(rule.to) > 1:
        return _("%(fields)s, cut apart") % {"fields": named}
    telling = [pair for pair in rule.values.items() if len(pair[0]) > 1 and pair[0] != pair[1]]
    words = ", ".join(f"{old} → {new or '–'}" for old, new in telling[:2])
    return _("%(field)s, translated (%(words)s)") % {"field": named, "words": f"{words} …"}


# --- Imports -----------------------------------------------------------------------------------
def state_in_words(run):
    """How an import stands, in a few words."""
    if run.state == State.RUNNING and run.cancel_requested:
        return _("Is being cancelled")
    if run.state == State.RUNNING:
        return _("Is being checked") if run.dry_run else _("Is being imported")
    if run.state == State.DONE and run.dry_run:
        return _("Checked, nothing written")
    if run.state == State.DONE:
        return _("Imported")
    return run.get_state_display()


def state_badge(run):
    """The same, in colour too."""
    kind = COLOURS.get(run.state, "")
    if run.state == State.DONE and run.counts.get("refused"):
        kind = "warning"
    return badge(state_in_words(run), kind)


def outcome_badge(outcome):
    words, kind = OUTCOMES[outcome]
    return badge(words, kind)


def counts_in_words(run):
    """“12 new, 3 changed, 1 refused”: what there is any of."""
    found = [
        f"{run.counts[name]:,} {words}"
        for name, (words, _kind) in OUTCOMES.items()
        if run.counts.get(name)
    ]
    return ", ".join(found) or "–"


def lines_in_words(run):
    """That the counts add up to the lines of the file."""
    counts = [(run.counts.get(name, 0), words) for name, (words, _kind) in OUTCOMES.items()]
    n_lines = run.counts.get("lines", 0)
    lines = ngettext("%(n)s line", "%(n)s lines", n_lines) % {"n": f"{n_lines:,}"}
    return " + ".join(f"{n:,} {words}" for n, words in counts) + f" = {lines}"


# --- Changes -----------------------------------------------------------------------------------
HIDDEN = ("login_phone_key", "name_given", "id", "position")


def told_diff(diff):
    """(field, old, new) of what a row of the file changes, as text; "" where there is nothing."""
    told = []
    for name, new in diff["after"].items():
        old = diff["before"].get(name)
        if name in LISTS and isinstance(new, list) and name != "consents":
            told += list(_told_rows(name, old or [], new))
        elif name == "consents":
            told += [
                (_numbered("consents", str(LISTS["consents"][1]), row["purpose"]), "",
                 in_words(row.get("granted")))
                for row in new
            ]  # fmt: skip
        else:
            told.append((capitalised(target_label(name)), _text(name, old), _text(name, new)))
    return told


def _text(name, value):
    if name == "groups":
        return ", ".join(one["group"] if isinstance(one, dict) else str(one) for one in value or ())
    if name == "labels":
        return ", ".join(f"{one.get('key', '')}: {one.get('value', '')}" for one in value or ())
    return in_words(value)


def _told_rows(name, old_rows, new_rows):
    before = {row["id"]: row for row in old_rows}
    title = capitalised(str(LISTS[name][1]))
    for row in new_rows:
        old = before.get(row.get("id"))
        said = {key: value for key, value in row.items() if key not in HIDDEN}
        if old is None:
            yield title, "", _row_in_words(said)
        elif said:
            yield (
                f"{title} {_row_in_words(old, short=True)}".strip(),
                _row_in_words({key: old.get(key) for key in said}),
                _row_in_words(said),
            )
    if not new_rows:
        yield title, "; ".join(_row_in_words(row, short=True) for row in old_rows), ""


SHORT = ("address", "given", "street", "postal_code", "city", "first_name", "last_name")


def _row_in_words(row, *, short=False):
    if short:
        return ", ".join(str(row[key]) for key in SHORT if row.get(key))
    told = [str(row[key]) for key in SHORT if row.get(key)]
    told += [
        f"{key.replace('_', ' ')}: {in_words(value)}"
        for key, value in row.items()
        if key not in SHORT and value not in (None, "", False)
        and not (key == "primary" and value is True and told)
    ]  # fmt: skip
    return ", ".join(told)
