"""A mapping as the operator writes it, in JSON, checked key by key.

    {
      "match": "email",                 the key by which known customers are found
      "blank": "keep",                  a blank cell keeps (default) or "clear"s what is there
      "dates": "DMY",                   the order of day, month and year, for all columns
      "decimal": ",",                   the decimal mark, for all columns
      "columns": {
        "Kundennummer": "external_id",
        "Spalte 7": null,               known and not wanted
        "Anrede": {"to": "gender", "values": {"1": "male", "2": "female"}, "otherwise": "blank"},
        "Geburtstag": {"to": "birth_date", "dates": "DMY"},
        "Newsletter": {"to": "consent_marketing", "true": ["ja"], "false": ["nein", "nie"]},
        "Ansprechpartner": {"to": ["contact_first_name", "contact_last_name"],
                            "split": " ", "at": "last"}
      },
      "joined": [{"from": ["Strasse", "Hausnummer"], "with": " ", "to": "street"}],
      "constants": {"origin": "old till"}
    }

Targets are the names of targets.py. `values` translates whole cells; a cell that it does not
name is refused, or with `otherwise` kept ("keep") or taken for blank ("blank"). `split` cuts a
cell at its first (default) or last separator into two, or at each of them into more targets.
"""

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from . import converting
from .converting import Options
from .errors import MappingError
from .rules import Rule
from .targets import MATCH_KEYS

BLANKS = ("keep", "clear")
OTHERWISE = ("refuse", "keep", "blank")


class MappingFile:
    """A mapping file on its way to a Mapping, with the key of every fault."""

    rule: type[Rule] = Rule
    match_keys: tuple[str, ...] = MATCH_KEYS
    _KEYS = {"match", "blank", "dates", "decimal", "columns", "joined", "constants"}
    _COLUMN_KEYS = {"to", "values", "otherwise", "dates", "decimal", "true", "false", "split", "at"}
    _JOIN_KEYS = {"from", "with", "to", "values", "otherwise"}

    def __init__(self, text: str | bytes):
        try:
            content = json.loads(text, object_pairs_hook=self._unique)
        except MappingError:
            raise
        except (ValueError, RecursionError) as fault:
            raise MappingError("", f"the mapping is not valid JSON ({fault})") from None
        self.content = self._object("", content, self._KEYS)
        self.options = self._options("", self.content, converting.DEFAULT)

    def parts(self) -> dict[str, Any]:
        """The arguments of a Mapping."""
        rules: list[Rule] = []
        ignored = set()
        columns = self._object("columns", self.content.get("columns", {}))
        for column, entry in columns.items():
            key = f"columns.{column}"
            if entry is None:
                ignored.add(column)
                continue
            if isinstance(entry, str):
                entry = {"to": entry}
            rules.append(self._rule(key, (column,), self._object(key, entry, self._COLUMN_KEYS)))
        joined = self.content.get("joined", [])
        if not isinstance(joined, list):
            raise MappingError("joined", "has to be a list")
        for position, entry in enumerate(joined, 1):
            key = f"joined[{position}]"
            entry = self._object(key, entry, self._JOIN_KEYS)
            sources = self._texts(f"{key}.from", entry.get("from"))
            rules.append(self._rule(key, tuple(sources), entry))
        constants = self._object("constants", self.content.get("constants", {}))
        for name, value in constants.items():
            key = f"constants.{name}"
            if isinstance(value, (dict, list)) or value is None:
                raise MappingError(key, "has to be a text, a number, true or false")
            rules.append(self._made(key, columns=(), to=(name,), constant=value))
        if not any(rule.columns for rule in rules):
            raise MappingError("columns", "names no column that is to be read")
        return {
            "rules": tuple(rules),
            "match": self._one_of("match", self.content.get("match"), self.match_keys),
            "blank": self._one_of("blank", self.content.get("blank"), BLANKS) or "keep",
            "ignored": frozenset(ignored),
        }

    def _rule(self, key: str, columns: tuple[str, ...], entry: dict[str, Any]) -> Rule:
        if "to" not in entry:
            raise MappingError(f"{key}.to", "is missing")
        to = self._texts(f"{key}.to", entry["to"])
        split = entry.get("split")
        if split is not None and (not isinstance(split, str) or not split):
            raise MappingError(f"{key}.split", "has to be a text of at least one character")
        if (len(to) > 1) != (split is not None):
            raise MappingError(f"{key}.split", "belongs to a cell with several targets in “to”")
        at = self._one_of(f"{key}.at", entry.get("at"), ("first", "last")) or "first"
        if at == "last" and len(to) != 2:
            raise MappingError(f"{key}.at", "“last” cuts into two, so “to” needs two targets")
        join = entry.get("with", " ")
        if not isinstance(join, str):
            raise MappingError(f"{key}.with", "has to be a text")
        values = entry.get("values")
        if values is not None:
            values = self._object(f"{key}.values", values)
            if any(isinstance(value, (dict, list)) for value in values.values()):
                raise MappingError(f"{key}.values", "translates to texts, true, false or null")
        otherwise = self._one_of(f"{key}.otherwise", entry.get("otherwise"), OTHERWISE)
        if otherwise and values is None:
            raise MappingError(f"{key}.otherwise", "has a meaning only beside “values”")
        return self._made(
            key, columns=columns, to=tuple(to), join=join, split=split, at=at, values=values,
            otherwise=otherwise or "refuse", options=self._options(key, entry, self.options),
        )  # fmt: skip

    def _made(self, key: str, **parts: Any) -> Rule:
        parts.setdefault("options", self.options)
        try:
            return self.rule(**parts)
        except MappingError as fault:
            raise MappingError(key, fault.message) from None

    def _options(self, key: str, entry: dict[str, Any], default: Options) -> Options:
        prefix = f"{key}." if key else ""
        chosen: dict[str, Any] = {}
        for name, known in (
            ("dates", converting.DATE_ORDERS),
            ("decimal", converting.DECIMAL_MARKS),
        ):
            if value := self._one_of(prefix + name, entry.get(name), known):
                chosen[name] = value
        for name in ("true", "false"):
            if name in entry:
                words = self._texts(prefix + name, entry[name])
                chosen[name] = frozenset(word.strip().casefold() for word in words)
        options = replace(default, **chosen)
        # A word that the file gives one meaning loses the other one that it has by default.
        if "true" in chosen and "false" not in chosen:
            options = replace(options, false=options.false - options.true)
        elif "false" in chosen and "true" not in chosen:
            options = replace(options, true=options.true - options.false)
        elif both := options.true & options.false:
            raise MappingError(f"{prefix}true", f"“{min(both)}” stands in “false” too")
        return options

    @staticmethod
    def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                raise MappingError(key, "stands twice in the mapping")
            found[key] = value
        return found

    @staticmethod
    def _object(key: str, value: Any, known: set[str] | None = None) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise MappingError(key, "has to be an object")
        if known and (unknown := value.keys() - known):
            prefix = f"{key}." if key else ""
            raise MappingError(
                prefix + min(unknown), f"is not a setting; known are {', '.join(sorted(known))}"
            )
        return value

    @staticmethod
    def _texts(key: str, value: Any) -> list[str]:
        texts = [value] if isinstance(value, str) else value
        if not isinstance(texts, list) or not texts or not all(isinstance(t, str) for t in texts):
            raise MappingError(key, "has to be a text or a list of texts")
        return texts

    @staticmethod
    def _one_of(key: str, value: Any, known: Iterable[str]) -> str | None:
        if value is not None and value not in tuple(known):
            raise MappingError(key, f"“{value}” is not one of {', '.join(known)}")
        return value
