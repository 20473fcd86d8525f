"""What an import did: counts that add up, and every reason for a refusal."""

import json
from dataclasses import dataclass, field, fields
from typing import Any

CREATED, UPDATED, UNCHANGED, SKIPPED, REFUSED = (
    "created", "updated", "unchanged", "skipped", "refused",
)  # fmt: skip
OUTCOMES = (CREATED, UPDATED, UNCHANGED, SKIPPED, REFUSED)

# A file in which every row is wrong must not fill the memory; the rows handed back hold them all.
MOST_ERRORS = 10_000
LONGEST_VALUE = 200


@dataclass(slots=True)
class Report:
    """What an import did, or in a dry run would have done.

    A line is one customer as the file tells it. Blank lines are none, and the further rows of a
    customer who takes several (and line breaks inside a cell) belong to the line of the first:
    `rows` and `blank_lines` count those. created + updated + unchanged + skipped + refused is
    always `lines`. `unchanged` is a customer of whom the file says nothing new, `skipped` one of
    whom it does, but known customers were to be left alone; `to_review` of these wait for staff.

    Each error is {"line", "column", "value", "message"}; several can be about one line. Of more
    than MOST_ERRORS the rest is counted in `errors_left_out`.
    """

    lines: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0
    refused: int = 0
    errors: list[dict[str, Any]] = field(default_factory=list)
    errors_left_out: int = 0
    to_review: int = 0
    rows: int = 0
    blank_lines: int = 0
    dry_run: bool = False
    format: str | None = None
    kind: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    match: str | None = None
    on_match: str | None = None
    unmapped: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def count(self, outcome: str, rows: int) -> None:
        """Add one line with what became of it."""
        self.lines += 1
        self.rows += rows
        setattr(self, outcome, getattr(self, outcome) + 1)

    def add_counts(self, counts: dict[str, int], rows: int) -> None:
        """Add what earlier attempts at the same import have done."""
        self.rows += rows
        for name, n in counts.items():
            setattr(self, name, getattr(self, name) + n)

    def add_errors(self, errors: list[dict[str, Any]]) -> None:
        room = MOST_ERRORS - len(self.errors)
        self.errors += errors[:room]
        self.errors_left_out += len(errors[room:])

    @property
    def counts(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in ("lines", *OUTCOMES)}

    def as_dict(self) -> dict[str, Any]:
        return {one.name: getattr(self, one.name) for one in fields(self)}


def describe(line: int | None, column: Any, value: Any, message: str) -> dict[str, Any]:
    """One error as reports hold it; a long value is cut, it only has to be recognised."""
    if not isinstance(value, (str, int, type(None))):
        value = json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, str) and len(value) > LONGEST_VALUE:
        value = value[: LONGEST_VALUE - 1] + "…"
    return {"line": line, "column": column, "value": value, "message": str(message)}
