"""The back office speaks the language that a person chose, or the browser's; the APIs English."""

import pytest

from tests.admin.browsing import send, text_of
from tests.admin.conftest import customer_page

pytestmark = pytest.mark.django_db
START, SWITCH = "/admin/", "/admin/language/"
NORWEGIAN = {"HTTP_ACCEPT_LANGUAGE": "nb-NO,nb;q=0.9,en;q=0.5"}


def test_who_has_chosen_nothing_gets_what_the_browser_asks_for(office):
    assert '<html lang="nb"' in text_of(office.get(START, **NORWEGIAN))
    assert '<html lang="en-gb"' in text_of(office.get(START, HTTP_ACCEPT_LANGUAGE="fi"))


def test_the_sign_in_page_speaks_the_language_of_the_browser(client, db):
    response = client.get("/admin/login/", **NORWEGIAN)

    assert response["Content-Language"] == "nb"
    assert "Logg inn" in text_of(response)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/admin/", ["Finn en kunde", "Registrer en kunde", "Dubletter", "Kunder per nivå"]),
        ("/admin/customers/customer/", ["Alle sammen…", "Filtre", "Navn, e-post, telefon"]),
        ("/admin/customers/importrun/", ["Importer"]),
        ("/admin/customers/datarequest/", ["Personvernkrav"]),
    ],
)
def test_the_pages_are_in_norwegian(office, path, words):
    page = text_of(office.get(path, **NORWEGIAN))

    assert [word for word in words if word not in page] == []


def test_a_customers_page_is_in_norwegian(office, ada):
    page = text_of(office.get(customer_page(ada), **NORWEGIAN))

    for word in ("Kjent om kunden", "Rediger", "Juster poeng", "Fødselsdato", "der alle begynner"):
        assert word in page


def test_a_refusal_is_in_norwegian(office, ada):
    office.post(SWITCH, {"language": "nb"})

    response = send(office, customer_page(ada), "customer_form", birth_date="snart")

    assert "Ingenting er lagret ennå." in text_of(response)
    assert "Skriv en dato som" in text_of(response)


def test_a_persons_own_choice_is_kept_and_beats_the_browser(office, boss):
    response = office.post(SWITCH, {"language": "nb", "next": "/admin/customers/customer/"})

    assert (response.status_code, response["Location"]) == (302, "/admin/customers/customer/")
    boss.refresh_from_db()
    assert boss.language == "nb"
    assert office.get(START, HTTP_ACCEPT_LANGUAGE="en-gb")["Content-Language"] == "nb"


def test_the_choice_can_be_left_to_the_browser_again(office, boss):
    office.post(SWITCH, {"language": "nb"})
    office.post(SWITCH, {"language": ""})

    boss.refresh_from_db()
    assert boss.language == ""


@pytest.mark.parametrize("code", ["xx", "nb-NO; drop", "n" * 300, "\x00"])
def test_a_language_that_is_not_spoken_is_refused_and_nothing_changes(office, boss, code):
    response = office.post(SWITCH, {"language": code}, follow=True)

    assert "No language of the back office." in text_of(response)
    boss.refresh_from_db()
    assert boss.language == ""


@pytest.mark.parametrize(
    "there", ["https://elsewhere.example/", "//elsewhere.example", "javascript:1"]
)
def test_the_switch_leads_to_no_other_site(office, there):
    response = office.post(SWITCH, {"language": "nb", "next": there})

    assert response["Location"] == START


def test_a_link_changes_no_language_and_a_stranger_none_either(office, client, boss):
    assert office.get(f"{SWITCH}?language=nb").status_code == 404
    assert client.post(SWITCH, {"language": "nb"})["Location"].startswith("/admin/login/")
    boss.refresh_from_db()
    assert boss.language == ""


def test_an_operator_chooses_the_language_of_a_person(bridge, boss):
    path = f"/admin/tenancy/user/{boss.pk}/change/"
    fields = {"name": "Bo Boss", "is_active": "on", "version": ""}

    bridge.post(path, {**fields, "language": "nb"})

    boss.refresh_from_db()
    assert boss.language == "nb"
    assert "not one of the available choices" in text_of(
        bridge.post(path, {**fields, "language": "xx"})
    )


def test_the_apis_answer_in_english_whoever_asks(office):
    english = office.get("/api/v1/customers/", HTTP_ACCEPT_LANGUAGE="en").json()
    norwegian = office.get("/api/v1/customers/", **NORWEGIAN).json()

    assert norwegian["detail"] == english["detail"]
    assert "Content-Language" not in office.get("/nowhere/at/all", **NORWEGIAN).headers
