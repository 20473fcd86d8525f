"""One rule of a mapping: which cells fill which targets, and how they are read."""

from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from . import converting
from .converting import BLANK, ConversionError, Options
from .errors import MappingError
from .targets import READ_ONLY, Target, find_target, nearest


@dataclass(frozen=True)
class Rule:
    """Fill `to` from `columns` (none of them: from `constant`).

    Several columns are joined with `join`; several targets are filled by cutting at `split`.
    """

    columns: tuple[str, ...]
    to: tuple[str, ...]
    join: str = " "
    split: str | None = None
    at: str = "first"
    values: dict[str, Any] | None = None
    otherwise: str = "refuse"
    lstrip: str = ""
    constant: Any = None
    options: Options = converting.DEFAULT
    targets: tuple[Target, ...] = field(init=False, repr=False, compare=False, default=())
    table: dict[str, Any] = field(init=False, repr=False, compare=False, default_factory=dict)

    @classmethod
    def plain(cls, column: str, target: str, **options: Any) -> "Rule":
        """The common rule: one column, one target."""
        return cls((column,), (target,), **options)

    def __post_init__(self) -> None:
        found = []
        for name in self.to:
            target = self.find(name)
            if target is None:
                raise MappingError("", self.unknown(name))
            found.append(target)
        object.__setattr__(self, "targets", tuple(found))
        if self.values is not None:
            folded = {str(key).strip().casefold(): value for key, value in self.values.items()}
            object.__setattr__(self, "table", folded)

    # What a higher app says in place of these is read from its own files (purchases).
    @staticmethod
    def find(name: str) -> Target | None:
        """The target of a name, None where there is none."""
        return find_target(name)

    @staticmethod
    def unknown(name: Any) -> str:
        """The sentence for a name that is not a target."""
        return unknown_target(name)

    @property
    def label(self) -> str:
        """The column or columns, as a refusal names them."""
        return " + ".join(self.columns) or f"constant {self.to[0]}"

    def raw(self, values: dict[str, Any]) -> Any:
        """The cell before conversion; None or blank text for nothing."""
        if not self.columns:
            return self.constant
        if len(self.columns) == 1:
            value = values.get(self.columns[0])
            if self.lstrip and isinstance(value, str):
                value = value.strip().lstrip(self.lstrip)
        else:
            cells = (str(values.get(column) or "").strip() for column in self.columns)
            value = self.join.join(filter(None, cells))
        if self.values is None or value is None or (value == "" and "" not in self.table):
            return value
        word = str(value).strip()
        found = self.table.get(word.casefold(), BLANK)
        if found is not BLANK:
            return found
        if self.otherwise == "refuse" and word:
            known = ", ".join(str(key) for key in self.values)
            raise ConversionError(_("is not one of %(known)s") % {"known": known})
        return value if self.otherwise == "keep" else None

    def pieces(self, value: Any) -> list[Any]:
        """One value per target."""
        if len(self.targets) == 1:
            return [value]
        separator = self.split if self.split is not None else " "
        text = str(value).strip()
        if self.at == "last":
            return [part.strip() for part in text.rpartition(separator)[::2]]
        cut = [part.strip() for part in text.split(separator, len(self.targets) - 1)]
        return cut + [""] * (len(self.targets) - len(cut))


def unknown_target(name: Any) -> str:
    """The sentence for a name that is not a target: why not, or the nearest one."""
    if name in READ_ONLY:
        return f"“{name}” cannot be imported: {READ_ONLY[name]}"
    near = nearest(str(name))
    hint = f"; the nearest is “{near}”" if near else ""
    return f"“{name}” is not a column of ours{hint}"
