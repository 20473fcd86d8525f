"""That the browser tests see what they are meant to see."""

PAGE = '<!doctype html><html lang="en"><title>A page</title><main><h1>A page</h1>%s</main></html>'


def test_a_person_who_has_signed_in_finds_a_page_that_everybody_can_use(office):
    office.go("/admin/")

    assert "Acme" in office.text()
    assert office.grave_faults() == []
    office.photograph("start")


def test_dark_is_dark(office):
    office.go("/admin/").in_theme("dark")

    ground = office.page.evaluate("getComputedStyle(document.body).color")

    assert office.page.locator("html.dark").count() == 1
    office.in_theme("light")
    assert office.page.evaluate("getComputedStyle(document.body).color") != ground


def test_the_keyboard_reaches_the_list_of_customers(shop, ada):
    shop.go("/admin/").tab_to("Customers").press("Enter")

    shop.page.wait_for_url("**/customers/customer/")
    assert "Ada Lovelace" in shop.text()


def test_a_page_that_not_everybody_can_use_is_found_out(office):
    office.page.set_content(PAGE % "<button></button>")

    faults = office.grave_faults("light")

    assert len(faults) == 1
    assert faults[0].startswith("light: button-name")


def test_an_error_in_a_script_is_heard(office):
    office.page.set_content(PAGE % "<script>throw new Error('heard')</script>")

    heard = list(office.errors)

    office.errors.clear()
    assert len(heard) == 1
    assert "heard" in heard[0]
