"""What can happen: the one table of the kinds of events.

Each app registers its own from `AppConfig.ready`. An event of a kind that is not here cannot be
written; the change feed, the choice of a webhook's events and docs/changes.md read the same table.
"""

from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

EVERYTHING = "*"
# Somebody looked at a customer; written by `events.reading` where the tenant asks for it.
READ = "customer.read"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of event: `name` ("customer.updated"), what it means, the type of its subject, and
    the keys that its data may have, each with its meaning. Data are ids, counts and flags, never
    a value of a person.

    A `quiet` kind is told only to who names it: `*`, `customer.*` and a feed without a choice leave
    it out. Whoever fetches a customer for each event would else cause the next one by fetching.
    """

    name: str
    subject: str
    meaning: str
    data: dict = field(default_factory=dict)
    quiet: bool = False

    @property
    def group(self):
        """The part before the dot."""
        return self.name.partition(".")[0]


_kinds = {}


def register_kinds(*kinds):
    """Add kinds to the table. Raises ValueError for a name that another kind has already."""
    for kind in kinds:
        if _kinds.setdefault(kind.name, kind) != kind:
            raise ValueError(f"there is another kind {kind.name!r}")


def kind_named(name):
    """The Kind of a name. Raises LookupError where nobody registered it."""
    try:
        return _kinds[name]
    except KeyError:
        message = f"nobody registered the kind {name!r}; see events.kinds.register_kinds"
        raise LookupError(message) from None


def all_kinds():
    """Every Kind, by name."""
    return [_kinds[name] for name in sorted(_kinds)]


def subject_types():
    """Every type that a subject can have."""
    return sorted({kind.subject for kind in _kinds.values()})


def clean_patterns(value):
    """Patterns of kinds ("customer.*", "level.changed", "*") as a list, each once, in order.

    Takes a list, or text with commas. Raises ValidationError (code "unknown") for one that fits no
    kind, ValidationError for what is neither.
    """
    if isinstance(value, str):
        value = value.split(",")
    if not isinstance(value, (list, tuple)) or not all(isinstance(one, str) for one in value):
        raise ValidationError(_("Must be a list of kinds of events."), code="invalid")
    patterns = list(dict.fromkeys(filter(None, (one.strip() for one in value))))
    for pattern in patterns:
        if not any(fits(kind.name, [pattern]) for kind in _kinds.values()):
            raise ValidationError(
                _("No event is called %(name)s. There are: %(names)s."),
                code="unknown",
                params={"name": pattern[:64], "names": ", ".join(sorted(_kinds))},
            )
    return patterns


def fits(name, patterns):
    """Whether the kind `name` is meant by one of the patterns; a quiet one only by its name."""
    if name in patterns:
        return True
    if name in _kinds and _kinds[name].quiet:
        return False
    return f"{name.partition('.')[0]}.*" in patterns or EVERYTHING in patterns


def names_of(patterns):
    """The names of the known kinds that the patterns mean."""
    return [name for name in sorted(_kinds) if fits(name, patterns)]


def quiet_names():
    """The names of the kinds that nobody is told of unasked."""
    return [name for name in sorted(_kinds) if _kinds[name].quiet]
