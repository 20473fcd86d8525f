"""A mapping written down as a mapping file (mapping_file.py), so that people can keep it."""

from typing import Any

from .converting import DEFAULT
from .mapping import Mapping
from .rules import Rule

# What an entry of joined columns may say; how a date is read is none of it.
JOINED = ("to", "values", "otherwise")


class NotWritable(ValueError):
    """A mapping file cannot say what this rule does; those of known programs' files may not be."""


def written(mapping: Mapping) -> dict[str, Any]:
    """The content of a mapping file that `Mapping.from_json` reads as this very mapping.

    Raises NotWritable for what no mapping file can say.
    """
    if mapping.finish or mapping.adds_children or mapping.loose:
        raise NotWritable
    columns: dict[str, Any] = {}
    joined, constants = [], {}
    for rule in mapping.rules:
        if rule.lstrip or rule.options.utc:
            raise NotWritable
        if not rule.columns:
            constants[rule.to[0]] = rule.constant
        elif len(rule.columns) == 1:
            columns[rule.columns[0]] = _entry(rule)
        else:
            entry = {name: told for name, told in _object(rule).items() if name in JOINED}
            joined.append({"from": list(rule.columns), "with": rule.join, **entry})
    content: dict[str, Any] = {"blank": mapping.blank} if mapping.blank != "keep" else {}
    if mapping.match:
        content["match"] = mapping.match
    content["columns"] = {**columns, **dict.fromkeys(sorted(mapping.ignored - columns.keys()))}
    if joined:
        content["joined"] = joined
    if constants:
        content["constants"] = constants
    return content


def _entry(rule: Rule) -> Any:
    told = _object(rule)
    return told["to"] if told.keys() == {"to"} else told


def _object(rule: Rule) -> dict[str, Any]:
    told: dict[str, Any] = {"to": rule.to[0] if len(rule.to) == 1 else list(rule.to)}
    if rule.values is not None:
        told["values"] = rule.values
        if rule.otherwise != "refuse":
            told["otherwise"] = rule.otherwise
    if rule.split is not None:
        told["split"] = rule.split
        if rule.at != "first":
            told["at"] = rule.at
    options = rule.options
    if options.dates:
        told["dates"] = options.dates
    if options.decimal != DEFAULT.decimal:
        told["decimal"] = options.decimal
    if (options.true, options.false) != (DEFAULT.true, DEFAULT.false):
        told |= {"true": sorted(options.true), "false": sorted(options.false)}
    return told
