"""Files made to hurt: each is refused with a sentence, soon, in little memory."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from customers.imports.engine import import_customers
from customers.imports.errors import FileError
from customers.imports.readers import open_rows
from customers.models import Customer
from events.models import Event
from tests.customers.imports.hostile import table_files, xml_files
from tests.customers.imports.workbooks import SHEET, parts, table

ROOT = Path(__file__).parents[3]
# Larger than every limit of a text, a record and a part that is packed small.
SIZE = 10 << 20
MOST_SECONDS = 2
MOST_KB = 200 * 1024


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return written(tmp_path_factory.mktemp("hostile"), SIZE)


def written(folder, size):
    """The files, each under its name."""
    for make, suffix in ((xml_files, ".xml"), (table_files, "")):
        for name, content in make(size).items():
            (folder / f"{name.replace(':', '')}{suffix}").write_bytes(content)
    return folder


def read_apart(folder):
    """What a process that does nothing else says about every file of a folder."""
    command = [sys.executable, "-m", "tests.customers.imports.reading", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    return json.loads(done.stdout)


def check(folder):
    told = read_apart(folder)

    read_to_their_end = [name for name, (_took, message) in told["files"].items() if not message]
    slow = {name: took for name, (took, _message) in told["files"].items() if took > MOST_SECONDS}
    assert read_to_their_end == []
    assert slow == {}
    assert told["kb"] < MOST_KB
    return told["files"]


def test_every_hostile_file_is_refused_soon_and_in_little_memory(folder):
    files = check(folder)

    assert sum(name.endswith(".xml") for name in files) >= 25
    assert sum(not name.endswith(".xml") for name in files) >= 20
    assert "zip bomb" in files["bomb in the sheet"][1]
    assert "password" in files["with a password"][1]
    assert "not accepted" in files["entity bomb.xml"][1]


@pytest.mark.long
def test_a_hundred_megabytes_in_one_cell_are_no_worse(tmp_path):
    check(written(tmp_path, 100 << 20))


@pytest.mark.django_db
def test_no_hostile_file_writes_anything(folder, acme):
    for path in folder.iterdir():
        with pytest.raises(FileError):
            import_customers(path)

    assert not Customer.objects.exists()
    assert not Event.objects.exists()


def test_a_sheet_that_claims_to_be_huge_and_is_not_is_read():
    sheet = f'<worksheet><dimension ref="A1:XFD1048576"/><sheetData>{table(["a"], ["x"])}'
    content = parts(changes={SHEET: f"{sheet}</sheetData></worksheet>"})

    assert [row.values for row in open_rows(io.BytesIO(content))] == [{"a": "x"}]
