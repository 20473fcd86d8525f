"""Groups from files: the whole file or nothing."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from events.models import HistoryEntry
from groups.imports import import_groups
from groups.models import Group
from tests.factories import GroupFactory

pytestmark = pytest.mark.django_db

TREE = "code;title;parent;subscribable\nnews;Newsletter;all;public\nall;Everybody;;\nvip;VIP;all;\n"


@pytest.fixture
def write(tmp_path):
    def write(text, name="groups.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def counts(report):
    return (report.lines, report.created, report.updated, report.unchanged)


def tree():
    return dict(Group.objects.values_list("code", "parent__code"))


def test_parents_may_come_earlier_or_later(acme, write):
    report = import_groups(write(TREE))

    assert (counts(report), report.errors) == ((3, 3, 0, 0), [])
    assert tree() == {"all": None, "news": "all", "vip": "all"}
    assert Group.objects.get(code="news").subscribable == "public"


def test_a_second_run_changes_nothing(acme, write):
    path = write(TREE)
    import_groups(path)
    n_entries = HistoryEntry.objects.count()

    report = import_groups(path)

    assert counts(report) == (3, 0, 0, 3)
    assert HistoryEntry.objects.count() == n_entries


def test_a_tree_may_be_turned_upside_down(acme, write):
    import_groups(write("code,parent\na,\nb,a\nc,b\n"))

    report = import_groups(write("code,parent\na,b\nb,c\nc,\n"))

    assert counts(report) == (3, 0, 3, 0)
    assert tree() == {"a": "b", "b": "c", "c": None}


def test_a_missing_column_keeps_and_an_empty_cell_empties(acme, write):
    GroupFactory(tenant=acme, code="vip", title="VIP", description="Old", subscribe_text="Join!")

    import_groups(write("code,title,description\nvip,,\n"))

    group = Group.objects.get()
    assert (group.title, group.description, group.subscribe_text) == ("VIP", "", "Join!")


def test_json_lines_are_read_too(acme, write):
    path = write('{"code": "a", "parent": "b"}\n{"code": "b", "title": "B"}\n', "groups.jsonl")

    report = import_groups(path)

    assert counts(report) == (2, 2, 0, 0)
    assert tree() == {"a": "b", "b": None}


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("code,title\n,Nameless\n", 2, "code"),
        ("code,title\nvip,VIP\nvip,Again\n", 3, "code"),
        ("code,subscribable\nnews,public\nvip,maybe\n", 3, "subscribable"),
        ("code,parent\nvip,nowhere\n", 2, "parent"),
        ("code,parent\nvip,vip\n", 2, "parent"),
        ("code,parent\na,b\nb,c\nc,a\n", 2, "parent"),
        ("code,parent\ntop,low\n", 2, "parent"),
        (f"code\n{'x' * 65}\n", 2, "code"),
        ("code,titel\nvip,VIP\n", 1, None),
        ("title\nVIP\n", 1, None),
        ("code,Code\na,b\n", 1, None),
        ('code,title\nvip,"cut off', 2, None),
        ("code,title\nvip,VIP\nnews\n", 3, None),
        (b"code,title\nvip,\xff\xfe\x00\n", 2, None),
    ],
)
def test_a_bad_file_is_refused_with_line_and_column_and_nothing_is_written(
    acme, write, text, line, column
):
    top = GroupFactory(tenant=acme, code="top")
    GroupFactory(tenant=acme, code="low", parent=top)

    report = import_groups(write(text))

    assert (report.errors[0]["line"], report.errors[0]["column"]) == (line, column)
    assert (report.created, report.updated) == (0, 0)
    assert report.skipped + report.refused == report.lines
    assert tree() == {"top": None, "low": "top"}


def test_every_bad_row_is_told(acme, write):
    report = import_groups(write("code,subscribable,parent\na,x,\nb,y,nowhere\nc,,\n"))

    places = [(error["line"], error["column"]) for error in report.errors]
    assert places == [(2, "subscribable"), (3, "subscribable"), (3, "parent")]
    assert (report.refused, report.skipped) == (2, 1)


def test_the_whole_file_comes_back_with_the_reasons_and_mended_goes_in(acme, write, tmp_path):
    back = tmp_path / "back.csv"
    text = "code;parent;title\na;;A\nb;nowhere;=B\n"

    run(write(text), "--tenant", "acme", "--errors", back)

    table = back.read_text("utf-8")
    assert table.splitlines() == [
        "code;parent;title;refused_because", "a;;A;", "b;nowhere;'=B;parent: no such group",
    ]  # fmt: skip
    assert run(write(table.replace("nowhere", "a")), "--tenant", "acme")[1] is None
    assert tree() == {"a": None, "b": "a"}
    assert Group.objects.get(code="b").title == "=B"


def test_a_dry_run_reports_the_same_and_writes_nothing(acme, write):
    report = import_groups(write(TREE), dry_run=True)

    assert counts(report) == (3, 3, 0, 0)
    assert not Group.objects.exists()


def run(*args):
    out = io.StringIO()
    try:
        call_command("import_groups", *map(str, args), stdout=out)
    except CommandError as error:
        return out.getvalue(), str(error)
    return out.getvalue(), None


def test_the_command_reports_for_people(acme, write):
    out, error = run(write(TREE), "--tenant", "ACME")

    assert out == "created 3, updated 0, unchanged 0, skipped 0, refused 0 of 3\n"
    assert error is None


def test_the_command_reports_as_json_and_fails_when_something_was_refused(acme, write):
    out, error = run(write("code,parent\nvip,nowhere\n"), "--tenant", "acme", "--json")

    assert json.loads(out)["errors"] == [
        {"line": 2, "column": "parent", "value": "nowhere", "message": "no such group"}
    ]
    assert error == "line 2, column parent: no such group"


def test_the_command_names_a_tenant_or_file_that_is_not_there(acme, tmp_path, write):
    assert "no tenant" in run(write(TREE), "--tenant", "nobody")[1]
    assert "cannot be opened" in run(tmp_path / "missing.csv", "--tenant", "acme")[1]


def test_the_command_can_be_tried_first(acme, write):
    out, _error = run(write(TREE), "--tenant", "acme", "--dry-run")

    assert out.startswith("would have created 3")
    assert not Group.objects.exists()
