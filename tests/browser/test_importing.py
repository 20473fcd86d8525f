"""A file with two bad rows: handed in, checked, imported, taken back; by mouse and by keyboard."""

import pytest

from customers.models import Customer, ImportRun
from customers.services import register_customer

ADD = "/admin/customers/importrun/add/"
FILE = (
    "Kundennummer,Vorname,E-Mail,Geburtstag,Lieblingsfarbe\n"
    "k1,Ada,ada@example.org,10/12/1985,red\n"
    "k2,Grace,not an address,09/12/1976,\n"
    "k3,Edsger,edsger@example.org,99/99/1970,\n"
    "k4,Alan,alan@example.org,06/07/1972,blue\n"
)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "kunden.csv"
    path.write_text(FILE, "utf-8")
    return path


@pytest.fixture
def known(acme):
    return register_customer(external_id="k1", first_name="Augusta", last_name="Lovelace")


def names():
    found = Customer.objects.order_by("external_id")
    return [(one.external_id, one.name) for one in found]


def test_a_clerk_imports_with_the_mouse_and_takes_it_back(office, known, file, run_jobs):
    page = office.page
    office.go(ADD)
    office.photograph("import-upload")
    page.set_input_files("input[type=file]", file)
    page.get_by_role("button", name="Look at the file").click()
    page.get_by_text("Not known.").wait_for()
    office.photograph("import-set-up")
    assert office.grave_faults("dark") == []

    page.get_by_role("button", name="Check every row").click()
    page.get_by_text("day first or month first").wait_for()
    page.get_by_label("Dates").select_option("DMY")
    page.get_by_label("Replace with what the file says").check()
    page.get_by_role("button", name="Check every row").click()
    page.get_by_text("A worker takes it up").wait_for()
    run_jobs()
    # Nobody presses anything: the page notices by itself that it is over.
    page.get_by_role("link", name="Refused (2)").click()
    office.photograph("import-checked")
    assert office.grave_faults("light") == []
    assert "has an @ sign" in office.text()

    page.get_by_role("button", name="Import now").click()
    page.get_by_text("A worker takes it up").wait_for()
    run_jobs()
    page.get_by_role("link", name="Download the refused rows").wait_for()
    office.photograph("import-done")
    assert names() == [("k1", "Ada Lovelace"), ("k4", "Alan")]

    page.get_by_role("link", name="Take it back").click()
    page.get_by_role("button", name="Take it back").click()
    page.get_by_text("It is being taken back").wait_for()
    run_jobs()
    page.get_by_text("customers were deleted again").wait_for()

    assert names() == [("k1", "Augusta Lovelace")]


def test_a_clerk_imports_with_the_keyboard_alone(office, known, file, run_jobs):
    office.go(ADD)
    office.page.wait_for_function("document.activeElement.type === 'file'")
    office.choose_file(file)
    office.tab_to("Look at the file").press("Enter")
    office.page.wait_for_url("**/file/**")

    office.tab_to("Dates").type("day first")
    office.tab_to("Lieblingsfarbe becomes").type("Origin")
    office.tab_to("Leave them as they are").press("ArrowDown")
    office.tab_to("Check every row").press("Enter")
    office.page.get_by_text("A worker takes it up").wait_for()
    run_jobs()
    office.page.get_by_text("This is what would happen").wait_for()
    office.tab_to("Import now").press("Enter")
    office.page.get_by_text("A worker takes it up").wait_for()
    run_jobs()
    office.page.get_by_role("link", name="Customers of this import").wait_for()

    assert names() == [("k1", "Augusta Lovelace"), ("k4", "Alan")]
    assert Customer.objects.get(external_id="k4").origin == "blue"
    assert ImportRun.objects.filter(dry_run=False).get().counts["refused"] == 2
    office.tab_to("Customers of this import").press("Enter")
    office.page.wait_for_url("**import=**")
    assert "Alan" in office.text()
