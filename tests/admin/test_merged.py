"""Old links and old forms of a record that was merged."""

import pytest
from django.contrib.messages import get_messages

from customers.models import Customer
from customers.services import merge_customers
from tests.admin.conftest import customer_page, page, signed_in
from tests.factories import StaffMemberFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def merged(ada, grace):
    merge_customers(ada, grace)
    return grace


def told(response):
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def test_an_old_link_leads_to_the_survivor_and_says_so(office, ada, merged):
    answer = office.get(customer_page(merged))

    assert answer.status_code == 302
    assert answer.url == customer_page(ada)
    assert told(answer) == "CUST-2 was merged into CUST-1."
    assert office.get(answer.url).status_code == 200


def test_an_old_form_saves_nothing_and_says_so(office, ada, merged):
    answer = office.post(customer_page(merged), {"first_name": "Eve"})

    assert answer.url == customer_page(ada)
    assert "nothing was saved" in told(answer)
    assert Customer.objects.get(pk=ada.pk).first_name == "Ada"


def test_lists_and_searches_show_the_survivor_alone(office, ada, merged):
    for query in ("", "CUST-2", "grace"):
        text = office.get(page("customers_customer", "changelist"), {"q": query}).content.decode()
        assert ("CUST-1" in text) is (query != "grace")
        assert customer_page(merged) not in text


def test_a_link_to_nobody_still_leads_home(office, ada):
    answer = office.get(page("customers_customer", "change", "not-an-id"))

    assert answer.status_code == 302
    assert answer.url != customer_page(ada)


def test_another_tenants_old_link_leads_nowhere(bridge, office, rival, ada, merged):
    stranger = signed_in(StaffMemberFactory(tenant=rival, role="admin").user)

    assert stranger.get(customer_page(merged)).url != customer_page(ada)


@pytest.mark.parametrize("name", ["change", "history"])
def test_the_history_of_both_stands_on_the_survivors_pages(office, ada, merged, name):
    text = office.get(customer_page(ada, name)).content.decode()

    assert text.count("<td>Registered") == 2
    assert text.count("<td>Merged") == 2
