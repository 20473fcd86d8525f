"""Whoever looks at a page knows who is signed in, where they are, whom it is about and what for."""

import re

import pytest
from django.template.loader import render_to_string
from django.test import Client

from customers.services import register_customer
from tests.admin.browsing import form_data, send, text_of
from tests.admin.conftest import customer_page, page
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db
LIST = "/admin/customers/customer/"


def crumbs_of(response):
    return re.findall(r'class="crumb">([^<]*)<', text_of(response))


# --- Around the pages ------------------------------------------------------------------------
def test_the_sidebar_names_the_person(office):
    assert re.search(r">\s*Bo Boss\s*<", text_of(office.get("/admin/")))


def test_every_page_has_an_icon(client, office):
    assert client.get("/favicon.ico")["Location"].endswith(".svg")
    assert re.search(r'<link rel="icon" href="[^"]+icon[^"]*\.svg"', text_of(office.get("/admin/")))


def test_the_way_back_says_each_word_once(office, ada):
    assert crumbs_of(office.get(LIST)) == ["Customers"]
    assert crumbs_of(office.get(customer_page(ada))) == ["Customers", ada.code]
    assert crumbs_of(office.get("/admin/")) == ["Start"]


# --- Refusals --------------------------------------------------------------------------------
def test_a_failed_sign_in_is_said_once(client, boss):
    response = client.post("/admin/login/", {"username": boss.email, "password": "wrong"})

    assert "do not go together" in text_of(response)
    assert text_of(response).count("errornote") == 1


def test_an_empty_sign_in_is_marked_at_its_fields(client, db):
    response = client.post("/admin/login/", {"username": "", "password": ""})

    assert "What is missing or wrong is marked below." in text_of(response)


def test_a_refused_page_says_that_nothing_is_saved(office, ada):
    response = send(office, customer_page(ada), "customer_form", birth_date="soon")

    assert "Nothing is saved yet." in text_of(response)


def test_an_address_where_nothing_is_says_so(office):
    response = office.get("/nowhere/at/all")

    assert response.status_code == 404
    assert "There is nothing here" in text_of(response)
    assert 'href="/admin/"' in text_of(response)


def test_what_the_role_does_not_allow_says_so(shop, ada):
    response = shop.get(customer_page(ada, "anonymise"))

    assert response.status_code == 403
    assert "Your role does not allow it." in text_of(response)


def test_a_form_without_its_token_says_what_to_do(boss):
    client = Client(enforce_csrf_checks=True)

    response = client.post("/admin/login/", {"username": boss.email, "password": PASSWORD})

    assert response.status_code == 403
    assert "load the page again" in text_of(response)


def test_the_page_for_our_own_mistakes_needs_nothing_to_be_shown():
    assert "nothing was saved" in render_to_string("500.html")


# --- Whom it is about ------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["deactivate", "consent", "anonymise", "delete", "history"])
def test_a_page_about_one_customer_names_the_person(office, ada, name):
    assert f"<bdi>{ada.display_name}</bdi>" in text_of(office.get(customer_page(ada, name)))


def test_a_name_written_from_right_to_left_does_not_turn_what_stands_around_it(office, acme):
    customer = register_customer(first_name="מרים", last_name="כהן")

    assert "<bdi>מרים כהן</bdi>" in text_of(office.get(customer_page(customer)))


def test_the_history_of_all_names_customers_by_their_number(office, ada):
    response = office.get("/admin/events/historyentry/")

    assert f">{ada.code}</a>" in text_of(response)


def test_more_history_costs_no_more_queries(office, acme, django_assert_max_num_queries):
    register_customer(first_name="One")
    url = "/admin/events/event/"
    with django_assert_max_num_queries(100) as few:
        office.get(url)
    for number in range(5):
        register_customer(first_name=f"Next{number}")

    with django_assert_max_num_queries(len(few)):
        office.get(url)


def test_known_purposes_are_offered_while_somebody_types_a_consent(office, ada):
    text = text_of(office.get(customer_page(ada, "consent")))

    assert '<datalist id="purposes"><option value="marketing">' in text


def test_a_new_staff_member_is_a_seller_unless_more_is_asked_for(office):
    opened = form_data(office.get(page("tenancy_staffmember", "add")), "staffmember_form")

    assert opened["role"] == ["seller"]


# --- Lists -----------------------------------------------------------------------------------
def filters_in(response):
    return [(each.title, each.chosen) for each in response.context["set_filters"]]


def test_a_filtered_list_says_which_filters_are_set(office, ada):
    response = office.get(f"{LIST}?status=active&marketing=no&created_at_from=2026-01-01&q=x")

    assert filters_in(response) == [
        ("status", "Active"),
        ("marketing consent", "No"),
        ("registered", "2026-01-01 – …"),
    ]


def test_each_filter_is_taken_away_by_itself(office, ada):
    response = office.get(f"{LIST}?status=active&marketing=no&q=x")

    without = response.context["set_filters"][0].without
    assert "status" not in without
    assert "marketing=no" in without
    assert "q=x" in without


@pytest.mark.parametrize("query", ["", "?q=ada", "?status=nonsense", "?hidden=", "?store=1"])
def test_a_list_without_filters_says_nothing_about_them(office, ada, query):
    assert filters_in(office.get(f"{LIST}{query}")) == []


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "Nothing here yet"),
        ("?q=%3Cb%3E", "Nothing matches “&lt;b&gt;”."),
        ("?status=blocked", "Nothing matches the filters."),
        ("?status=blocked&q=x", "Nothing matches both “x” and the filters."),
    ],
)
def test_an_empty_list_says_why(office, acme, query, words):
    assert words in text_of(office.get(f"{LIST}{query}"))
