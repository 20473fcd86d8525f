"""A file of customers on its way in, page by page."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from customers.imports import formats, looking
from customers.imports.ordering import order_import
from customers.imports.profiles import remember_profile
from customers.imports.storing import forget_files, keep_file
from customers.models import Customer, ImportFile, ImportProfile, ImportRun
from customers.services import register_customer, update_customer
from tenancy import clock
from tests.admin.browsing import form_data, text_of
from tests.admin.conftest import page
from tests.customers.imports.workbooks import workbook

pytestmark = pytest.mark.django_db
LIST = page("customers_importrun", "changelist")
ADD = page("customers_importrun", "add")
HEADER = "external_id,Vorname,E-Mail\n"
FILE = HEADER + "x1,Ada,ada@example.org\nx2,Grace,not an address\nx3,Alan,alan@example.org\n"


def hand_in(office, text, name="shop.csv", **options):
    content = text if isinstance(text, bytes) else text.encode()
    return office.post(ADD, {"file": SimpleUploadedFile(name, content)}, **options)


def set_up_of(office, text, name="shop.csv"):
    """The address of the set-up page of a file that was handed in."""
    answer = hand_in(office, text, name)
    assert answer.status_code == 302, text_of(answer)
    return answer["Location"]


def choose(office, url, do="check", **typed):
    return office.post(url, form_data(office.get(url), None, do=do, **typed))


def checked(office, run_jobs, text=FILE, **typed):
    """The run of a file that was handed in and checked."""
    answer = choose(office, set_up_of(office, text), **typed)
    assert answer.status_code == 302, text_of(answer)
    run_jobs()
    return ImportRun.objects.latest("created_at")


def page_of(run, name="change"):
    return page("customers_importrun", name, run.pk)


# --- The file -----------------------------------------------------------------------------------
def test_a_file_is_sealed_and_looked_at(office, acme):
    text = text_of(office.get(set_up_of(office, FILE)))

    assert "shop.csv" in text
    assert "found out: utf-8" in text
    assert "found out: Comma" in text
    assert "Handed in, and not checked yet" in text_of(office.get(ADD))
    file = ImportFile.objects.get()
    assert not any(b"Grace" in bytes(piece.sealed) for piece in file.pieces.all())


@pytest.mark.parametrize(("text", "word"), [("", "The file is empty."), (None, "Choose a file.")])
def test_no_file_is_said_at_the_field(office, acme, text, word):
    answer = office.post(ADD, {}) if text is None else hand_in(office, text)

    assert word in text_of(answer)
    assert not ImportFile.objects.exists()


@pytest.mark.parametrize("limit", [20, 200_000])
def test_a_file_that_is_too_large_is_refused_in_words(office, acme, settings, limit):
    settings.IMPORT_MAX_BYTES = limit
    large = FILE * (300_000 // len(FILE) if limit > 20 else 1)

    answer = hand_in(office, large)

    assert answer.status_code == 200
    assert "The file is too large" in text_of(answer)
    assert not ImportFile.objects.exists()


def test_a_form_from_elsewhere_hands_in_nothing(boss, acme):
    client = Client(enforce_csrf_checks=True)
    client.force_login(boss)

    assert hand_in(client, FILE).status_code == 403
    assert not ImportFile.objects.exists()


@pytest.mark.parametrize(
    ("content", "name", "word"),
    [
        (b"%PDF-1.7 x", "shop.csv", "a PDF document"),
        (b"PK\x03\x04broken", "shop.xlsx", "workbook"),
        (b"external_id,,name\n1,2,3\n", "shop.csv", "position 2 is blank"),
        (b"[{]", "shop.json", "line 1"),
        (b"<a><b/></a>", "shop.xml", ""),
        (b"external_id,name\n", "shop.csv", "no rows"),
    ],
)
def test_a_file_that_cannot_be_read_says_why_and_leads_nowhere(office, acme, content, name, word):
    url = set_up_of(office, content, name)

    text = text_of(office.get(url))

    assert word in text
    assert "note-danger" in text
    assert "Check every row" not in text
    assert choose(office, url).status_code == 200
    assert not ImportRun.objects.exists()


def test_what_two_people_could_read_differently_is_asked(office, acme):
    url = set_up_of(office, "name;x,email\nAda;1,a@b.example\n")
    assert "name the delimiter" in text_of(office.get(url))

    text = text_of(choose(office, url, do="look", delimiter=";"))

    assert "Check every row" in text
    assert "x,email" in text


def test_an_encoding_is_asked_for_where_it_is_open_and_taken_when_it_is_said(office, acme):
    url = set_up_of(office, "name,email\nNović Šime,a@b.example\n".encode("cp1250"))
    assert "name the encoding" in text_of(office.get(url))

    assert "Nović Šime" in text_of(choose(office, url, do="look", encoding="cp1250"))
    assert "name the encoding" not in text_of(choose(office, url, do="look", encoding="cp1250"))


def test_dates_that_can_be_read_both_ways_are_asked_for(office, acme, run_jobs):
    url = set_up_of(office, "name,birthday\nAda,10/12/1985\n")
    refused = choose(office, url)
    assert "day first or month first" in text_of(refused)
    assert not ImportRun.objects.exists()

    choose(office, url, dates="MDY")
    run_jobs()
    office.post(page_of(ImportRun.objects.get(), "import"))
    run_jobs()

    assert Customer.objects.get().birth_date == "1985-10-12"


def test_a_workbook_offers_its_sheets(office, acme):
    url = set_up_of(office, workbook(["name", "email"], ["Ada", "a@b.example"]), "shop.xlsx")

    text = text_of(office.get(url))
    assert 'name="sheet"' in text
    assert "Ada" in text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("shop.json", '[{"Vorname": "Ada", "E-Mail": "a@b.example", "tags": ["x"]}]'),
        ("shop.jsonl", '{"first_name": "Ada"}\n{"first_name": "Ada", "email": "a@b.example"}\n'),
        (
            "shop.xml",
            "<customers><customer><email>a@b.example</email><firstName>Ada</firstName>"
            "<lastName>L</lastName><gender>female</gender><birthDate>1988-05-17</birthDate>"
            "<active>true</active><agreement1>true</agreement1></customer></customers>",
        ),
    ],
)
def test_other_kinds_of_files_go_the_same_way(office, acme, run_jobs, name, text):
    answer = choose(office, set_up_of(office, text, name))
    assert answer.status_code == 302, text_of(answer)
    run_jobs()
    run = ImportRun.objects.get()
    assert run.state == ImportRun.State.DONE, run.failure

    office.post(page_of(run, "import"))
    run_jobs()

    assert set(Customer.objects.values_list("first_name", flat=True)) == {"Ada"}


# --- The columns --------------------------------------------------------------------------------
def test_an_unknown_column_is_named_with_the_nearest_and_can_be_chosen(office, acme, run_jobs):
    text = "Vorname,Frist naem\nAda,Lovelace\n"
    url = set_up_of(office, text)
    assert "Not known." in text_of(office.get(url))

    choose(office, url, **{"column-1": "last_name"})
    run_jobs()
    office.post(page_of(ImportRun.objects.get(), "import"))
    run_jobs()

    assert Customer.objects.get().name == "Ada Lovelace"


def test_what_was_found_out_is_kept_whole_and_can_be_taken_apart(office, acme):
    text = "name,Strasse,Hausnummer,Anrede\nAda,Storgata,1,Frau\n"
    url = set_up_of(office, text)
    choose(office, url)
    kept = ImportRun.objects.get().options["mapping"]
    assert kept["joined"] == [{"from": ["Strasse", "Hausnummer"], "with": " ", "to": "street"}]
    assert kept["columns"]["Anrede"]["values"]["Frau".lower()] == "female"

    choose(office, url, **{"column-2": ""})
    apart = ImportRun.objects.latest("created_at").options["mapping"]

    assert apart["columns"]["Strasse"] == "street"
    assert apart["columns"]["Hausnummer"] is None


@pytest.mark.parametrize(
    ("columns", "word"),
    [
        ({"column-0": "email"}, "already filled"),
        ({"column-0": "", "column-1": "", "column-2": ""}, "names no column"),
        ({"column-0": "nonsense"}, "not a column of ours"),
    ],
)
def test_columns_that_make_no_sense_are_said_and_nothing_is_ordered(office, acme, columns, word):
    answer = choose(office, set_up_of(office, FILE), **columns)

    assert answer.status_code == 200
    assert word in text_of(answer)
    assert not ImportRun.objects.exists()


@pytest.mark.parametrize(
    "forged",
    [{"on_match": "burn"}, {"match": "password"}, {"encoding": "utf-7"}, {"overwrites": "tenant"}],
)  # fmt: skip
def test_a_choice_that_is_none_orders_nothing(office, acme, forged):
    url = set_up_of(office, FILE)
    data = form_data(office.get(url), None, do="check")

    answer = office.post(url, {**data, **forged})

    assert answer.status_code == 200
    assert not ImportRun.objects.exists()


def test_the_file_of_a_known_shop_is_read_by_its_own_rules_or_by_its_words(office, acme):
    header = "First Name,Last Name,Email,Accepts Email Marketing,Default Address Company"
    header += ",Default Address Address1,Default Address Address2,Default Address City"
    header += ",Default Address Province Code,Default Address Country Code,Default Address Zip"
    header += ",Default Address Phone,Phone,Accepts SMS Marketing,Total Spent,Total Orders"
    header += ",Note,Tax Exempt,Tags,Customer ID\n"
    url = set_up_of(office, header + "Ada,L,a@b.example,yes" + "," * 16 + "\n")
    assert "It is the file of" in text_of(office.get(url))
    choose(office, url)
    assert ImportRun.objects.get().options["format"].startswith("shopify")

    choose(office, url, do="look", base="guess")
    text = text_of(choose(office, url, do="look", base="guess"))

    assert 'name="column-0"' in text


def test_the_dates_of_a_known_shop_are_asked_for_too(office, acme):
    header = sorted(formats.by_name("magento").required | {"dob", "email", "firstname"})
    cells = {"dob": "10/12/1985", "email": "a@b.example", "firstname": "Ada"}
    text = ",".join(header) + "\n" + ",".join(cells.get(name, "") for name in header) + "\n"
    url = set_up_of(office, text)
    assert "day first or month first" in text_of(choose(office, url))

    choose(office, url, dates="MDY")

    options = ImportRun.objects.get().options
    assert (options["format"], options["dates"]) == ("magento", "MDY")


# --- Remembered ---------------------------------------------------------------------------------
def test_a_mapping_is_remembered_and_read_by_itself_the_next_time(office, acme):
    url = set_up_of(office, FILE)
    columns = {"column-1": "last_name", "name": "Old till", "on_match": "fill"}
    assert "Remembered as" in text_of(choose(office, url, do="remember", **columns))

    other = set_up_of(office, "E-Mail,EXTERNAL ID,Vorname\nada@example.org,x1,Lovelace\n")
    choose(office, other)

    options = ImportRun.objects.get().options
    assert options["mapping"]["columns"]["Vorname"] == "last_name"
    assert options["on_match"] == "fill"


def test_a_remembered_mapping_is_a_file_to_keep_and_can_be_forgotten(office, acme):
    mapping = {"columns": {"A": "name"}, "match": "email"}
    profile = remember_profile("Old till", "k", mapping=mapping, options={"on_match": "fill"})
    url = page("customers_importprofile", "change", profile.pk)
    assert "Fill in what is empty" in text_of(office.get(url))

    assert office.get(page("customers_importprofile", "file", profile.pk)).json() == mapping
    office.post(page("customers_importprofile", "delete", profile.pk), {"post": "yes"})

    assert not ImportProfile.objects.exists()


def test_a_mapping_without_a_name_is_not_remembered(office, acme):
    choose(office, set_up_of(office, FILE), do="remember", name=" ")

    assert not ImportProfile.objects.exists()


# --- The check ----------------------------------------------------------------------------------
def test_a_check_shows_every_row_and_writes_nobody(office, acme, run_jobs, monkeypatch):
    known = register_customer(external_id="x1", first_name="Augusta")
    run = checked(office, run_jobs, on_match="overwrite")

    text = text_of(office.get(page_of(run)))

    assert "Checked, nothing written" in text
    assert "1 new + 1 changed + 0 nothing new + 0 left alone + 1 refused = 3 lines" in text
    assert "<del>Augusta</del>" in text
    assert "<ins>Ada</ins>" in text
    assert "An e-mail address has an @ sign." in text
    assert known.code in text
    assert Customer.objects.count() == 1


def test_rows_come_in_pages_and_by_outcome(office, acme, run_jobs, django_assert_max_num_queries):
    rows = "".join(f"y{n},P{n},p{n}@example.org\n" for n in range(60))
    run = checked(office, run_jobs, FILE + rows)

    with django_assert_max_num_queries(14):
        refused = text_of(office.get(f"{page_of(run)}?outcome=refused"))
    second = text_of(office.get(f"{page_of(run)}?page=2"))

    assert ("Grace" in refused, ">Alan<" in refused) == (True, False)
    assert "51 to 63 of 63" in second
    for odd in ("page=x", "page=-1", "page=99999999999999999999", "outcome=x", "page=99"):
        assert office.get(f"{page_of(run)}?{odd}").status_code == 200


def test_something_can_be_changed_and_checked_again(office, acme, run_jobs):
    run = checked(office, run_jobs, on_match="fill", match="external_id")
    url = f"{page('customers_importrun', 'set_up', run.file_id)}?from={run.pk}"

    choose(office, url, **{"column-1": ""})

    options = ImportRun.objects.latest("created_at").options
    assert (options["on_match"], options["match"]) == ("fill", "external_id")
    assert options["mapping"]["columns"]["Vorname"] is None


# --- For real -----------------------------------------------------------------------------------
@pytest.fixture
def imported(office, acme, run_jobs):
    run = checked(office, run_jobs)
    answer = office.post(page_of(run, "import"))
    run_jobs()
    real = ImportRun.objects.get(dry_run=False)
    assert answer["Location"] == page_of(real)
    return real


def test_an_import_is_reported_and_its_refused_rows_come_back_as_a_file(office, imported):
    text = text_of(office.get(page_of(imported)))
    assert "2 new + 0 changed + 0 nothing new + 0 left alone + 1 refused = 3 lines" in text
    assert "An e-mail address has an @ sign." in text

    answer = office.get(page_of(imported, "refused"))
    rows = b"".join(answer.streaming_content).decode().splitlines()

    assert rows[0] == "external_id,Vorname,E-Mail,refused_because"
    assert rows[1].startswith("x2,Grace,not an address,")
    assert "no-store" in answer["Cache-Control"]


def test_the_customers_of_an_import_are_a_list(office, imported):
    register_customer(first_name="Somebodyelse")
    url = f"{page('customers_customer', 'changelist')}?import="

    text = text_of(office.get(f"{url}{imported.pk}"))

    assert ("Ada" in text, "Alan" in text, "Somebodyelse" in text) == (True, True, False)
    assert office.get(f"{url}nonsense").status_code == 200


def test_an_import_is_taken_back_but_for_whom_somebody_changed(office, imported, run_jobs):
    touched = Customer.objects.get(external_id="x3")
    update_customer(touched, last_name="Turing")
    undo = page_of(imported, "undo")
    assert "The 2 customers that it made are deleted" in text_of(office.get(undo))

    office.post(undo)
    run_jobs()

    assert list(Customer.objects.all()) == [touched]
    text = text_of(office.get(page_of(imported)))
    assert "1 customers were deleted again" in text
    assert touched.code in text
    assert "cannot" not in text


def test_undoing_what_cannot_be_undone_says_so(office, acme, run_jobs):
    run = checked(office, run_jobs)

    assert "can be taken back" in text_of(office.get(page_of(run, "undo")))
    assert "can be undone" in text_of(office.post(page_of(run, "undo"), follow=True))


def test_one_that_waits_is_cancelled_and_one_that_has_ended_is_not(office, acme, run_jobs):
    run = order_import(keep_file([FILE.encode()]), file_name="shop.csv")
    assert "Cancel it" in text_of(office.get(page_of(run)))

    office.post(page_of(run, "cancel"))

    run.refresh_from_db()
    assert run.state == ImportRun.State.CANCELLED
    assert "has ended already" in text_of(office.post(page_of(run, "cancel"), follow=True))


def test_the_piece_of_the_page_that_is_asked_for_says_when_it_is_over(office, acme, run_jobs):
    run = order_import(keep_file([FILE.encode()]))
    waits = text_of(office.get(page_of(run, "state")))
    run_jobs()

    assert "data-ended" not in waits
    assert "data-ended" in text_of(office.get(page_of(run, "state")))


def test_the_file_is_gone_after_a_week_and_the_page_says_what_is_left(office, acme, run_jobs):
    run = checked(office, run_jobs)
    week = clock.now() - timedelta(days=8)
    ImportRun.objects.update(created_at=week)
    ImportFile.objects.update(expires_at=week)

    forget_files()

    text = text_of(office.get(page_of(run)))
    assert "no longer kept" in text
    assert "Import now" not in text
    assert "send it again" in text_of(office.post(page_of(run, "import"), follow=True))


def test_a_file_with_a_fault_beyond_the_look_is_refused_as_a_whole(
    office, acme, run_jobs, monkeypatch
):
    monkeypatch.setattr(looking, "GLANCE", 2)
    run = checked(office, run_jobs, FILE + "x4,too,many,cells,here\n")

    assert "Nothing of the file was taken." in text_of(office.get(page_of(run)))
    assert "Line 5" in text_of(office.get(page_of(run)))


# --- Decisions ----------------------------------------------------------------------------------
@pytest.fixture
def to_decide(office, acme, run_jobs):
    for n, name in ((1, "Augusta"), (3, "Alain")):
        register_customer(external_id=f"x{n}", first_name=name)
    run = order_import(
        keep_file([FILE.encode()]), file_name="shop.csv",
        options={"on_match": "review", "match": "external_id"},
    )  # fmt: skip
    run_jobs()
    return run


def test_rows_for_staff_are_taken_over_or_left_each_once(office, to_decide, run_jobs):
    url = page_of(to_decide, "review")
    text = text_of(office.get(url))
    assert ("<del>Augusta</del>" in text, "<ins>Ada</ins>" in text) == (True, True)
    assert "Decide on 2 rows" in text_of(office.get(page_of(to_decide)))

    office.post(url, {"line": "2", "do": "take"})
    office.post(url, {"line": "4", "do": "leave"})
    run_jobs()

    names = Customer.objects.order_by("external_id").values_list("first_name", flat=True)
    assert list(names) == ["Ada", "Alain"]
    assert "Nothing waits" in text_of(office.get(url))
    assert "waits for no decision" in text_of(
        office.post(url, {"line": "2", "do": "take"}, follow=True)
    )


@pytest.mark.parametrize("lines", [[], ["99"], ["x"]])
def test_a_decision_about_no_row_is_refused_in_words(office, to_decide, lines):
    answer = office.post(page_of(to_decide, "review"), {"line": lines, "do": "leave"}, follow=True)

    assert answer.status_code == 200
    assert "errornote" in text_of(answer) or "decision" in text_of(answer)
    to_decide.refresh_from_db()
    assert to_decide.decided == []


# --- Rights -------------------------------------------------------------------------------------
def test_a_seller_imports_nothing_and_sees_no_import(shop, office, imported):
    urls = [LIST, ADD, page_of(imported), page("customers_importrun", "set_up", imported.file_id)]
    urls += [page_of(imported, name) for name in ("state", "undo", "refused", "review")]

    assert {shop.get(url).status_code for url in urls} == {403}
    assert {shop.post(page_of(imported, name)).status_code for name in ("import", "cancel")} == {
        403
    }
    assert hand_in(shop, FILE).status_code == 403
    known = f"{page('customers_customer', 'changelist')}?import={imported.pk}"
    assert "shop.csv" not in text_of(shop.get(known))


def test_the_list_says_how_each_stands(office, imported, django_assert_max_num_queries):
    with django_assert_max_num_queries(13):
        text = text_of(office.get(LIST))

    assert "Imported" in text
    assert "2 new, 1 refused" in text
    assert "Checked, nothing written" in text


def test_only_the_beginning_of_a_large_file_is_looked_at(office, acme, monkeypatch):
    monkeypatch.setattr(looking, "GLANCE", 2)
    rows = "".join(f"y{n},P{n},p{n}@example.org\n" for n in range(9)) + "a,b\n"

    text = text_of(office.get(set_up_of(office, HEADER + rows)))

    assert "Check every row" in text
