"""What the API answers is a file that `import_customers` reads."""

import io

from customers.imports.engine import import_customers
from customers.imports.xml_rows import OPEN_LOYALTY, ZEALD, kind_of
from customers.models import Customer
from customers.records import record_of
from groups.services import create_group
from tenancy.scoping import in_tenant
from tests.dialects.zeald.client import body, customer, link
from tests.factories import CustomerFactory

FIELDS = {
    "username": "u", "email": "u@x.nz", "phone_day": "021 555 001", "phone_night": "021 555 002",
    "b_company": "Bugle", "b_fname": "Peter", "b_lname": "Parker", "b_address1": "1",
    "b_city": "Queens", "b_zip": "11101", "b_country": "US", "company": "C", "fname": "F",
    "lname": "L", "address1": "s1", "city": "sc", "country": "NZ", "inactive": "true",
    "discount": "20", "no_email": "true", "mv_shipmode": "courier", "custom_data1": "a &amp; b",
}  # fmt: skip
KEPT = (
    *("username", "status", "kind", "company_name", "first_name", "last_name", "discount_percent"),
    *("no_email", "shipping_mode", "custom_data1", "custom_data2", "groups"),
)
ROWS = {
    "emails": ("address", "primary"),
    "phones": ("given", "kind"),
    "addresses": ("kind", "street", "city", "postal_code", "country", "company", "first_name"),
}


def told(record):
    rows = {
        name: [[row[c] for c in columns] for row in record[name]] for name, columns in ROWS.items()
    }
    return {name: record[name] for name in KEPT} | rows


def test_a_list_that_was_fetched_is_imported_with_memberships(admin, groups, recorded, rival):
    inside = (link(group_code="dealer"), link(group_code="vip", subscribed="false"))
    admin.post("Customer+UserCustomerGroups", customer(*inside, **FIELDS), customer(username="v"))
    file = admin.get("Customer+UserCustomerGroups").content

    with in_tenant(rival):
        create_group(code="dealer", title="Dealers")
        create_group(code="vip", title="VIPs")
        report = import_customers(io.BytesIO(file))
        again = import_customers(io.BytesIO(file), on_match="overwrite")
        copy = record_of(Customer.objects.get(username="u").pk)

    assert (report.created, report.refused, again.unchanged) == (2, 0, 2)
    assert told(copy) == told(recorded("u"))


def test_a_membership_that_says_nothing_right_refuses_its_customer_alone(acme):
    file = body(
        customer(link(group_code="vip", subscribed="maybe"), username="u", b_fname="A"),
        customer(link(username="v"), username="v", b_fname="B"),
        customer(username="w", b_fname="C", password="not taken"),
    )

    report = import_customers(io.BytesIO(file.encode()), format="zeald-xml")

    assert (report.created, report.refused) == (1, 2)
    assert not Customer.objects.get().password


def test_who_is_known_is_found_by_username(acme):
    known = CustomerFactory(tenant=acme, username="u")
    file = body(customer(username="u", b_lname="Parker"))

    import_customers(io.BytesIO(file.encode()), format="zeald-xml", on_match="fill")

    assert record_of(known.pk)["last_name"] == "Parker"


def test_a_document_is_told_by_its_first_customer():
    documents = ("<a><customer/></a>", "<ResultSet><Customer/></ResultSet>", "<a/>", "<a", "")

    kinds = [kind_of(io.BytesIO(text.encode())) for text in documents]

    assert kinds == [OPEN_LOYALTY, ZEALD, OPEN_LOYALTY, OPEN_LOYALTY, OPEN_LOYALTY]
