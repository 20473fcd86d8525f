"""The resource specification: which resource is meant, and what hangs below its records.

    specification := item ("+" item)*
    item          := NAME | "(" specification ")"

Every item after the first is joined to the first one of its own level, so that
`Customer+UserCustomerGroups+UserGroups` asks for groups that hang on the customer (there are none),
and `Customer+(UserCustomerGroups+UserGroups)` for those that hang on each of its memberships.
"""

from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from lark import Lark, Transformer
from lark.exceptions import UnexpectedInput

from dialects.zeald.resources import RESOURCES, Resource

LONGEST = 400
GRAMMAR = r"""
    specification: item ("+" item)*
    ?item: NAME | "(" specification ")"
    NAME: /[A-Za-z][A-Za-z0-9_]*/
"""


@dataclass(frozen=True)
class Join:
    """A resource, and what its records hold."""

    resource: Resource
    joins: tuple = ()

    def below(self, name):
        """The Join of this name right below, or None."""
        return next((join for join in self.joins if join.resource.name == name), None)

    def all(self):
        """This and every Join below it."""
        yield self
        for join in self.joins:
            yield from join.all()


class _Named(Transformer):
    """The parsed text as (name, [what is joined to it]) all the way down."""

    def NAME(self, token):  # noqa: N802 - the name is the grammar's
        return (str(token), ())

    def specification(self, items):
        (name, joined), *others = items
        return (name, (*joined, *others))


_parser = Lark(GRAMMAR, start="specification", parser="lalr", transformer=_Named())


def specification(text):
    """The Join that a specification means; raises ValidationError with what is wrong with it."""
    if len(text) > LONGEST:
        raise refused(_("At most %(n)d characters.") % {"n": LONGEST})
    try:
        named = _parser.parse(text)
    except UnexpectedInput as error:
        place = error.pos_in_stream
        if getattr(getattr(error, "token", None), "type", "") == "$END":
            raise refused(_("It ends too early.")) from error
        wrong = _("%(character)r at place %(place)d is not expected.")
        raise refused(wrong % {"character": text[place], "place": place + 1}) from error
    return _join(named)


def refused(message):
    """The refusal of a specification."""
    whole = _("The resource specification is not right. %(why)s") % {"why": message}
    return ValidationError(whole, code="specification")


def _join(named):
    name, below = named
    resource = RESOURCES.get(name)
    if resource is None:
        known = ", ".join(RESOURCES)
        raise refused(
            _("There is no resource %(name)s. There are: %(known)s.")
            % {"name": name, "known": known}
        )
    joins = tuple(_join(one) for one in below)
    seen = set()
    for join in joins:
        theirs = join.resource.name
        if theirs not in resource.joins:
            raise refused(_unrelated(resource, theirs))
        if theirs in seen:
            raise refused(_("%(name)s is joined twice.") % {"name": theirs})
        seen.add(theirs)
    return Join(resource, joins)


def _unrelated(resource, name):
    told = {"name": name, "to": resource.name, "known": ", ".join(resource.joins)}
    if not resource.joins:
        return _("%(name)s is not related to %(to)s; nothing can be joined to it.") % told
    return _("%(name)s is not related to %(to)s. To it can be joined: %(known)s.") % told
