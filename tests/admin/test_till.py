"""The till search: who is found, why, for whom it is, and where it leads."""

import pytest

from customers.services import deactivate_customer, merge_customers, register_customer
from loyalty.services import add_points
from tenancy.scoping import in_tenant
from tests.admin.browsing import form_data, text_of
from tests.admin.conftest import customer_page
from tests.factories import CustomerFactory
from tests.odd_texts import ODD_TEXTS

pytestmark = pytest.mark.django_db
FIND = "/admin/customers/customer/find/"
BEGIN = "/admin/customers/customer/begin/"


def find(client, typed):
    return client.post(FIND, {"typed": typed}, headers={"X-Fragment": "1"})


def found_in(response):
    return [hit["customer"] for hit in response.context.get("hits", [])]


def reasons_in(response):
    return [
        " ".join(filter(None, (str(kind), text)))
        for hit in response.context["hits"]
        for kind, text in hit["reasons"]
    ]


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("lovel", "name"),
        ("LACE ada", "name"),
        ("900 00 001", "phone +4790000001"),
        ("0001", "phone +4790000001"),
        ("ada@exa", "e-mail Ada@example.org"),
        ("le.or", "e-mail Ada@example.org"),
        ("7001", "card 7001"),
        ("ext-ada", "external id ext-ada"),
    ],
)
def test_somebody_is_found_by_any_of_it_and_told_why(shop, ada, grace, typed, reason):
    response = find(shop, typed)

    assert found_in(response) == [ada]
    assert reason in reasons_in(response)
    assert "<html" not in text_of(response)


def test_the_number_finds_with_and_without_its_letters(shop, ada, grace):
    for typed in (ada.code, ada.code.lower(), f"{ada.number:02}"):
        response = find(shop, typed)

        assert found_in(response)[:1] == [ada]
        assert "number" in reasons_in(response)


def test_a_row_tells_level_points_and_what_matches(shop, ada):
    add_points(ada, points=12_50)

    text = text_of(find(shop, "ada"))

    assert "<mark>Ada</mark> Lovelace" in text
    assert "12.5" in text
    assert "Member" in text
    assert "+4790000001" in text


def test_who_cannot_buy_says_so_and_comes_last(shop, acme):
    blocked, active = (CustomerFactory(tenant=acme, first_name=f"Kim {n}") for n in range(2))
    deactivate_customer(blocked)

    response = find(shop, "kim")

    assert found_in(response) == [active, blocked]
    assert "badge-danger" in text_of(response)


def test_who_is_named_exactly_comes_first(shop, acme):
    for n in range(3):
        CustomerFactory(tenant=acme, first_name=f"Abe{n}", external_id=f"4711-{n}")
    zoe = CustomerFactory(tenant=acme, first_name="Zoe", card_number="4711")

    assert found_in(find(shop, "4711"))[0] == zoe


def test_the_card_of_a_merged_record_opens_the_survivor_and_says_so(shop, ada, acme):
    old = CustomerFactory(tenant=acme, first_name="Ada", card_number="880088")
    code = old.code
    merge_customers(ada, old)

    response = find(shop, "880088")

    assert found_in(response) == [ada]
    assert reasons_in(response) == [f"merged into this one {code}"]


def test_hidden_customers_are_found_by_their_number_alone(shop, acme):
    hidden = CustomerFactory(tenant=acme, first_name="Hilda", hidden=True)

    assert found_in(find(shop, "hilda")) == []
    assert found_in(find(shop, hidden.code)) == [hidden]


def test_more_than_fit_are_said_to_be_there(shop, acme):
    for n in range(9):
        CustomerFactory(tenant=acme, first_name=f"Kim {n}")

    response = find(shop, "kim")

    assert len(found_in(response)) == 8
    assert "There are more." in text_of(response)


def test_one_character_finds_nobody_and_asks_for_more(shop, ada):
    response = find(shop, "a")

    assert found_in(response) == []
    assert "Type two characters or more." in text_of(response)


def test_without_a_script_the_form_leads_to_a_page(shop, ada):
    opened = form_data(shop.get("/admin/"), None)
    page = shop.post(FIND, {**opened, "typed": "lovelace"})

    assert f'href="{customer_page(ada)}"' in text_of(page)
    assert 'value="lovelace"' in text_of(page)
    assert "<html" in text_of(page)


def test_nobody_found_leads_to_a_form_that_holds_what_was_typed(shop, acme):
    assert f'action="{BEGIN}"' in text_of(find(shop, "911 22 333"))

    began = shop.post(BEGIN, {"typed": "911 22 333"})
    data = form_data(began, "customer_form", first_name="Ida")
    saved = shop.post(BEGIN, data)

    assert began.status_code == 200
    assert data["phones-0-given"] == ["911 22 333"]
    assert saved.status_code == 302
    assert found_in(find(shop, "91122333"))[0].first_name == "Ida"


def test_what_is_searched_for_stands_in_no_address(shop, acme):
    text = text_of(find(shop, "karen@example.org")) + text_of(shop.post(FIND, {"typed": "karen k"}))

    assert "?typed=" not in text
    assert "?q=karen" not in text


def test_a_text_is_shown_as_the_text_it_is(shop, acme):
    assert "<b>x" not in text_of(find(shop, "<b>x</b>"))


def test_no_text_breaks_the_search(shop, ada):
    for typed in (*ODD_TEXTS.values(), "CUST-²", "²²", "CUST-" + "9" * 40, "9" * 300):
        sendable = typed.encode("utf-8", "replace").decode()

        assert find(shop, sendable).status_code == 200, ascii(typed)


def test_nobody_next_door_is_found(shop, rival, acme):
    with in_tenant(rival):
        theirs = register_customer(first_name="Zanzibar", card_number="ZAN-1")

    for typed in ("zanzibar", "ZAN-1", str(theirs.pk)):
        assert found_in(find(shop, typed)) == []


def test_strangers_are_led_to_the_sign_in(client, ada):
    response = find(client, "ada")

    assert response.status_code == 302
    assert "/login/" in response["Location"]


def test_more_hits_cost_no_more_queries(shop, acme, django_assert_max_num_queries):
    CustomerFactory(tenant=acme, first_name="Kim", phones=[{"given": "900 00 001"}])
    find(shop, "kim")
    with django_assert_max_num_queries(100) as few:
        find(shop, "kim")
    for n in range(5):
        CustomerFactory(
            tenant=acme, first_name=f"Kim {n}", emails=[{"address": f"kim{n}@example.org"}]
        )

    with django_assert_max_num_queries(len(few)):
        assert len(found_in(find(shop, "kim"))) == 6
