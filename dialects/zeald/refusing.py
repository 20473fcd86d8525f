"""The records of a body, and how one of them is refused: by its place, its key and its fields."""

from contextlib import contextmanager
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from dialects.base import translated
from dialects.problems import Problem, field_errors, problem_of, wording
from dialects.zeald import serializers as words

LONGEST_KEY = 80


class RecordRefused(Exception):
    """A record of the body is refused, and with it the whole body."""

    def __init__(self, status, label, message):
        super().__init__()
        self.status = status
        self.message = f"{label}: {message}" if label else str(message)


@wording(RecordRefused)
def _record_refused(error):
    return Problem(error.status, "invalid", error.message)


@dataclass
class Sent:
    """One record of a body that fits the specification: texts by the vendor's names."""

    resource: object
    label: str
    fields: dict
    children: list = field(default_factory=list)

    def below(self, name):
        """The records of a resource in this one."""
        return [child for child in self.children if child.resource.name == name]

    def refuse(self, name, message):
        """The refusal of a field."""
        return RecordRefused(400, self.label, f"{name}: {message}")


def fitting(nodes, join):
    """The records of a body as Sents; raises RecordRefused for what the specification does not
    name."""
    if not nodes:
        raise RecordRefused(400, "", _("There is no %s in the body.") % join.resource.node)
    return [_fit(node, join, place) for place, node in enumerate(nodes, 1)]


def _fit(node, join, place, above=""):
    resource = join.resource
    key = node.fields.get(resource.key, "").strip()[:LONGEST_KEY]
    label = f"{above}{resource.node} {place}" + (f" ({key})" if key else "")
    if node.name not in resource.nodes:
        told = {"name": node.name[:LONGEST_KEY], "node": resource.node}
        raise RecordRefused(400, label, _("%(name)s is not expected here, but %(node)s.") % told)
    known = words.WORDS[resource.name]
    unknown = [name[:LONGEST_KEY] for name in node.fields if name not in known]
    if unknown:
        raise RecordRefused(400, label, _("There is no field %s.") % ", ".join(unknown[:20]))
    below = {name: one for one in join.joins for name in one.resource.nodes}
    children, places = [], {}
    for child in node.children:
        found = below.get(child.name)
        if found is None:
            message = _("%s is not a part of the resource specification.")
            raise RecordRefused(400, label, message % child.name[:LONGEST_KEY])
        places[found] = places.get(found, 0) + 1
        children.append(_fit(child, found, places[found], f"{label}, "))
    return Sent(resource, label, node.fields, children)


def missing(sent, name):
    """The refusal of a record without a field that it needs."""
    return sent.refuse(name, _("This field is required."))


@contextmanager
def refusing(sent, table, places=None):
    """Word what a service refuses inside by the words of `table`. `places` tells in which place of
    the wire each row of a list stands."""
    try:
        yield
    except ValidationError as error:
        problem = problem_of(error)
        errors = [
            {**one, "field": _placed(one["field"], places or {})} for one in field_errors(error)
        ]
        told = [
            f"{name}: {one['message']}" if name else one["message"]
            for name, one in translated(errors, words.names_of(table))
        ]
        message = " ".join(dict.fromkeys(told))
        raise RecordRefused(problem.status, sent.label, message) from error


def _placed(path, places):
    """`addresses.1.city` as `addresses.shipping.city`."""
    name, _dot, rest = (path or "").partition(".")
    position, _dot, column = rest.partition(".")
    if name in places and position.isdigit():
        return f"{name}.{places[name][int(position)]}.{column}"
    return path


def by_word(name, clean, value):
    """The clean value; a refusal names our field `name`."""
    try:
        return clean(value)
    except ValidationError as error:
        raise ValidationError({name: error.error_list}) from error
