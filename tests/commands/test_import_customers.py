"""import_customers and export_customers: options, words, JSON, exit codes, and being killed."""

import csv
import io
import json
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from customers.imports.progress import ProgressBar
from customers.models import Customer
from customers.services import update_customer
from events.models import Event
from groups.models import Group

ROOT = Path(__file__).resolve().parents[2]
HEADER = "external_id,first_name,email"


@pytest.fixture
def file(tmp_path):
    def write(*lines, name="customers.csv"):
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n", "utf-8")
        return str(path)

    return write


def run(*arguments, stderr=None):
    """Standard output of the command, which ends well."""
    out = io.StringIO()
    call_command(*arguments, "--tenant", "acme", stdout=out, stderr=stderr or io.StringIO())
    return out.getvalue()


def failing(*arguments):
    """Standard output, message and exit code of the command, which does not."""
    out = io.StringIO()
    with pytest.raises(CommandError) as error:
        call_command(*arguments, "--tenant", "acme", stdout=out, stderr=io.StringIO())
    return out.getvalue(), str(error.value), error.value.returncode


@pytest.mark.django_db
class TestImport:
    def test_says_what_it_did(self, acme, file):
        text = run("import_customers", file(HEADER + ",shoe", "x1,Ada,ada@example.org,41"))

        assert text.startswith("created 1, updated 0, unchanged 0, skipped 0, refused 0\n")
        assert "not taken: column shoe" in text

    def test_refused_rows_are_told_with_line_and_column_and_exit_code_1(self, acme, file):
        text, message, code = failing(
            "import_customers", file(HEADER, "x1,Ada,ada@example.org", "x2,Grace,broken")
        )

        assert "created 1, updated 0, unchanged 0, skipped 0, refused 1" in text
        assert "refused: line 3, column email “broken”: " in text
        assert (message, code) == ("1 of 2 refused", 1)

    @pytest.mark.parametrize("lines", [("colour", "red"), ("name,email", "Ada"), ("name",)])
    def test_a_file_that_cannot_be_taken_is_exit_code_2(self, acme, file, lines):
        text, message, code = failing("import_customers", file(*lines))

        assert (text, code) == ("", 2)
        assert message.startswith("nothing was written: ")

    def test_a_missing_file_or_mapping_is_exit_code_2(self, acme, file, tmp_path):
        there, missing = file(HEADER, "x1,Ada,"), str(tmp_path / "missing")

        assert failing("import_customers", missing)[2] == 2
        assert failing("import_customers", there, "--mapping", missing)[2] == 2

    def test_an_unknown_tenant_is_refused(self, db, file):
        _, message, code = failing("import_customers", file(HEADER, "x1,Ada,"))

        assert "no tenant" in message
        assert code == 2

    def test_json_is_the_report_alone(self, acme, file):
        path = file(HEADER, "x1,Ada,ada@example.org")

        report = json.loads(run("import_customers", path, "--json"))

        assert {name: report[name] for name in ("lines", "created", "errors")} == {
            "lines": 1, "created": 1, "errors": [],
        }  # fmt: skip

    def test_json_tells_each_error_by_its_place(self, acme, file):
        text, _, _ = failing("import_customers", file(HEADER, "x1,Ada,broken"), "--json")

        error = json.loads(text)["errors"][0]
        assert error.pop("message")
        assert error == {"line": 2, "column": "email", "value": "broken"}

    def test_json_of_a_file_that_cannot_be_taken_has_the_same_shape(self, acme, file):
        text, _, code = failing("import_customers", file("name,email", "Ada"), "--json")

        report = json.loads(text)
        assert (report["lines"], report["errors"][0]["line"], code) == (0, 2, 2)

    def test_a_dry_run_says_so_and_writes_nothing(self, acme, file):
        text = run("import_customers", file(HEADER, "x1,Ada,"), "--dry-run")

        assert text.startswith("dry run, nothing was written: created 1")
        assert not Customer.objects.exists()

    def test_refused_rows_are_handed_back_to_be_mended(self, acme, file, tmp_path):
        path, errors = (
            file(HEADER, "x1,Ada,ada@example.org", "x2,=Grace,broken"),
            tmp_path / "e.csv",
        )
        failing("import_customers", path, "--errors", str(errors))
        handed_back = errors.read_text("utf-8")
        errors.write_text(handed_back.replace("broken", "grace@example.org"), "utf-8")

        text = run("import_customers", str(errors))

        assert list(csv.reader(io.StringIO(handed_back)))[0] == [
            "external_id", "first_name", "email", "refused_because",
        ]  # fmt: skip
        assert "x2,'=Grace,broken,email: " in handed_back
        assert "created 1" in text
        assert Customer.objects.get(external_id="x2").first_name == "=Grace"

    def test_json_lines_are_handed_back_as_json_lines(self, acme, file, tmp_path):
        path = file('{"external_id": "x1", "first_name": "A", "email": "bad"}', name="a.jsonl")
        errors = tmp_path / "e.jsonl"

        failing("import_customers", path, "--errors", str(errors))

        record = json.loads(errors.read_text("utf-8"))
        assert record["email"] == "bad"
        assert record["refused_because"].startswith("email: ")

    def test_passwords_are_not_handed_on(self, acme, file, tmp_path):
        errors = tmp_path / "e.csv"

        failing(
            "import_customers", file(HEADER + ",Password *", "x1,A,bad,hunter2"),
            "--errors", str(errors),
        )  # fmt: skip

        assert "hunter2" not in errors.read_text("utf-8")

    def test_no_file_of_errors_is_made_where_there_are_none(self, acme, file, tmp_path):
        run("import_customers", file(HEADER, "x1,Ada,"), "--errors", str(tmp_path / "e.csv"))

        assert not (tmp_path / "e.csv").exists()

    def test_groups_are_created_when_asked_for(self, acme, file):
        path = file("external_id,first_name,groups", "x1,Ada,gold;silver", "x2,Grace,gold")

        run("import_customers", path, "--create-groups")

        assert set(Group.objects.values_list("code", flat=True)) == {"gold", "silver"}

    def test_a_shops_groups_are_created_unless_that_is_declined(self, acme, file):
        header = "Customer ID,Email *,Last Name *,First Name *,Groups (x;y;z...)"
        header += ",Active (0/1),Newsletter (0/1),Password *"
        path = file(header, "1,ada@example.org,Lovelace,Ada,Friends;Readers,1,1,x", name="ps.csv")

        failing("import_customers", path, "--no-create-groups")
        assert not Group.objects.exists()
        run("import_customers", path)

        assert set(Group.objects.values_list("code", flat=True)) == {"Friends", "Readers"}

    def test_policy_key_mapping_and_events(self, acme, file):
        mapping = file('{"columns": {"wer": "name", "mail": "email"}}', name="mapping.json")
        run("import_customers", file("wer,mail", "Ada,ada@example.org"), "--mapping", mapping)

        text = run(
            "import_customers", file("wer,mail", "Augusta,ada@example.org"), "--mapping", mapping,
            "--match", "email", "--on-match", "overwrite", "--events",
        )  # fmt: skip

        assert "updated 1" in text
        assert Event.objects.filter(kind="customer.updated").count() == 1

    def test_a_bar_is_shown_on_a_terminal_alone(self):
        class Terminal(io.StringIO):
            def isatty(self):
                return True

        terminal, pipe = Terminal(), io.StringIO()
        for stream in (terminal, pipe):
            bar = ProgressBar(stream)
            bar(1, 2)
            bar.end()

        assert "50%" in terminal.getvalue()
        assert terminal.getvalue().endswith("\r")
        assert pipe.getvalue() == ""


@pytest.mark.django_db
class TestExport:
    def test_to_standard_output_and_to_a_file(self, ada, tmp_path):
        path = tmp_path / "out.csv"

        text = run("export_customers")
        run("export_customers", "--output", str(path))

        assert text == path.read_bytes().decode()
        assert "Lovelace" in text

    def test_json_lines_by_the_name_of_the_file_or_by_option(self, ada, tmp_path):
        path = tmp_path / "out.jsonl"

        run("export_customers", "--output", str(path))

        assert path.read_text("utf-8") == run("export_customers", "--format", "jsonl")
        assert json.loads(path.read_text("utf-8"))["last_name"] == "Lovelace"

    def test_filters(self, ada, grace):
        Group.objects.create(tenant=ada.tenant, code="gold", title="Gold")
        update_customer(ada, groups=["gold"])

        def found(*options):
            text = run("export_customers", "--format", "jsonl", *options)
            return [json.loads(line)["first_name"] for line in text.splitlines()]

        assert found() == ["Ada", "Grace"]
        assert found("--group", "gold") == ["Ada"]
        assert found("--q", "grace") == ["Grace"]
        assert found("--status", "blocked") == []
        assert found("--reachable", "email") == []
        assert found("--group", "gold", "--reachable", "any") == []
        assert found("--updated-after", grace.updated_at.isoformat()) == ["Ada"]
        assert found("--store", "MAIN") == ["Ada", "Grace"]

    @pytest.mark.parametrize(
        "options",
        [("--group", "nope"), ("--store", "nope"), ("--updated-after", "soon"),
         ("--output", "/nowhere/x.csv")],
    )  # fmt: skip
    def test_what_is_not_there_is_said(self, ada, options):
        _, message, code = failing("export_customers", *options)

        assert message
        assert code == 1
