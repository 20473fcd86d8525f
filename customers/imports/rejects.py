"""The refused rows as a file of the same form, to be mended and sent again."""

import csv
import json
from pathlib import Path
from typing import Any

from .cells import neutralise
from .errors import FileError
from .guessing import fold, is_secret
from .mapping import ShapedRow
from .planning import Plan
from .targets import REASON


class Rejects:
    """Collects refused rows; used as the `on_refused` of an import, and as a context manager.

    The file has the columns of the source and one more that says why (an import passes over it),
    in UTF-8 with the source's delimiter; for JSON sources it is JSON lines. It is made with the
    first refused row. Columns of passwords are left blank: what is not imported is not handed on.
    Raises FileError where it cannot be written.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self.n_rows = 0
        self._file: Any = None
        self._write: Any = None

    def __enter__(self) -> "Rejects":
        return self

    def __exit__(self, *exception: object) -> None:
        if self._file:
            self._file.close()

    def __call__(self, plan: Plan, shaped: ShapedRow, faults: list[dict[str, Any]]) -> None:
        if self._file is None:
            self._open(plan)
        reason = "; ".join(
            f"{fault['column']}: {fault['message']}" if fault["column"] else fault["message"]
            for fault in faults
        )
        for raw in shaped.raw:
            self._write({**raw.values, REASON: reason})
            self.n_rows += 1
            # The further rows of the same customer need not say it again.
            reason = ""

    def _open(self, plan: Plan) -> None:
        try:
            self._file = self.path.open("w", encoding="utf-8", newline="")
        except OSError as fault:
            raise FileError(f"{self.path} cannot be written: {fault.strerror}") from None
        if plan.source.kind != "csv":
            self._write = self._write_json
            return
        secret = {name for name in plan.source.header if is_secret(name)}
        columns = [name for name in plan.source.header if fold(name) != fold(REASON)] + [REASON]
        writer = csv.writer(self._file, delimiter=plan.source.delimiter)
        writer.writerow(columns)

        def write(values: dict[str, Any]) -> None:
            writer.writerow(
                "" if name in secret else neutralise(str(values.get(name) or ""))
                for name in columns
            )

        self._write = write

    def _write_json(self, values: dict[str, Any]) -> None:
        kept = {name: value for name, value in values.items() if not is_secret(name)}
        self._file.write(json.dumps(kept, ensure_ascii=False, default=_plain) + "\n")


def _plain(value: Any) -> str:
    return str(value)
