"""Reads every file of a folder as an import does, in a process of its own.

Prints as JSON, by file, the seconds of this process's time and what the refusal says (None where
the file was read to its end), and the most memory that the whole took, in kB.
"""

import json
import re
import sys
import time
from pathlib import Path

from customers.imports.errors import FileError
from customers.imports.readers import open_rows


def read(path):
    """The refusal's message, or None."""
    try:
        open_rows(path).check()
    except FileError as refusal:
        return refusal.message
    return None


def most_memory():
    """The most memory that this program had, in kB; not what its parent had before it began."""
    return int(re.search(r"VmHWM:\s*(\d+)", Path("/proc/self/status").read_text())[1])


def told(folder):
    for path in sorted(Path(folder).iterdir()):
        started = time.process_time()
        message = read(path)
        yield path.name, [round(time.process_time() - started, 3), message]


if __name__ == "__main__":
    found = dict(told(sys.argv[1]))
    sys.stdout.write(json.dumps({"files": found, "kb": most_memory()}))
