"""The files of well-known shops: recognised by their header, read as their makers meant them."""

from pathlib import Path

import pytest

from customers.imports import formats, xml_rows
from customers.imports.mapping import shape_rows
from customers.imports.readers import RawRow, open_rows
from customers.imports.targets import TARGETS

FILES = Path(__file__).parent / "files"

HEADERS = {
    "magento": "email,_website,_store,confirmation,created_at,created_in,dob,firstname,gender,"
    "group_id,lastname,middlename,password_hash,taxvat,password",
    "magento-composite": "email,_website,_store,dob,firstname,lastname,_address_city,"
    "_address_street,_address_default_billing_",
    "magento-addresses": "_website,_email,_entity_id,city,company,country_id,fax,firstname,"
    "lastname,postcode,region,street,telephone,_address_default_billing_",
    "magento-grid": "ID,Name,Email,Group,Phone,ZIP,Country,State/Province,Customer Since,Web Site,"
    "Confirmed email,Account Created in,Billing Address,Shipping Address,Date of Birth,"
    "Tax VAT Number,Gender",
    "prestashop-list": "ID,Social title,First name,Last name,Email address,Sales,Enabled,"
    "Newsletter,Partner offers,Registration,Last visit",
    "prestashop": "Customer ID,Active (0/1),Titles ID (Mr = 1; Ms = 2; else 0),Email*,"
    "Password*,Birthday (yyyy-mm-dd),Last Name*,First Name*,Newsletter (0/1),Opt-in (0/1),"
    "Registration date (yyyy-mm-dd),Groups (x;y;z...),Default group ID",
    "prestashop-addresses": "id,Alias*,Active (0/1),Customer e-mail*,Lastname*,Firstname*,"
    "Address 1*,Zipcode*,City*,Country*,Phone,Mobile Phone",
    "shopify": "Customer ID,First Name,Last Name,Email,Accepts Email Marketing,"
    "Default Address Company,Default Address Address1,Default Address Address2,"
    "Default Address City,Default Address Province Code,Default Address Country Code,"
    "Default Address Zip,Default Address Phone,Phone,Accepts SMS Marketing,Total Spent,"
    "Total Orders,Note,Tax Exempt,Tags",
    "shopify-2022": "First Name,Last Name,Email,Company,Address1,Address2,City,Province,"
    "Province Code,Country,Country Code,Zip,Phone,Accepts Marketing,Total Spent,Total Orders,"
    "Tags,Note,Tax Exempt",
    "woocommerce": "ID,customer_id,user_login,user_pass,user_email,first_name,last_name,"
    "user_registered,billing_first_name,billing_company,billing_address_1,billing_postcode,"
    "billing_city,billing_country,billing_email,billing_phone,shipping_city,shipping_country",
    "woocommerce-report": "Name,Username,Last Active,Sign Up,Email,Orders,Total Spend,AOV,"
    "Country / Region,City,Region,Postal Code",
    "square": "Reference ID,First Name,Last Name,Email Address,Phone Number,Nickname,"
    "Company Name,Street Address 1,Street Address 2,City,State,Postal Code,Birthday,Memo,"
    "Square Customer ID,Creation Source,First Visit,Last Visit,Transaction Count,"
    "Lifetime Spend,Email Subscription Status,Instant Profile,Blocked from online booking",
    "openloyalty-xml": ",".join(xml_rows.OPEN_LOYALTY.columns),
    "zeald-xml": ",".join(xml_rows.ZEALD.columns),
    "regulars": "id,number,external_id,first_name,last_name,email,phone,street,version",
}


def header(name):
    return HEADERS[name].split(",")


def shaped(file):
    source = open_rows(FILES / file)
    found = formats.detect(source.header)
    return list(shape_rows(source, found.bind(source.header), continues=found.continues))


def record(name, **values):
    names = header(name)
    cells = dict.fromkeys(names, "") | values
    assert set(cells) == set(names), set(cells) - set(names)
    row = formats.by_name(name).bind(names).apply(RawRow(2, cells))
    assert row.errors == []
    return row.record


@pytest.mark.parametrize("name", HEADERS)
def test_each_format_is_recognised_by_its_header_and_by_no_other(name):
    recognised = [one.name for one in formats.ALL if one.recognise(header(name))]

    assert recognised == [name]
    assert formats.detect(header(name)).name == name


def test_every_listed_format_is_tried_here():
    assert {one.name for one in formats.ALL} == set(HEADERS)


@pytest.mark.parametrize("name", HEADERS)
def test_every_column_of_a_format_is_read_or_has_its_reason(name):
    reasons = formats.by_name(name).reasons(header(name))

    assert "unknown to this format" not in dict(reasons).values()


@pytest.mark.parametrize("name", [name for name in HEADERS if name != "regulars"])
def test_a_column_that_a_format_does_not_know_is_named(name):
    reasons = formats.by_name(name).reasons([*header(name), "Shoe size"])

    assert ("Shoe size", "unknown to this format") in reasons


@pytest.mark.parametrize("one", formats.ALL, ids=lambda one: one.name)
def test_a_format_says_who_it_is_and_how_customers_are_found(one):
    assert one.label
    assert one.notes
    assert one.match


@pytest.mark.parametrize(
    "names",
    [
        "CustomerId,FirstName,LastName,Company,Address,City,State,Country,PostalCode,Phone,Fax",
        "customer_id,company_name,contact_name,contact_title,address,city,region,postal_code",
        "id,name,email",
        "id,first_name,last_name,email,phone",
        "Name,Vorname,E-Mail",
        "email,firstname,lastname",
        "first_name,last_name,email,shoe_size",
    ],
)
def test_the_header_of_anybody_else_is_no_known_format(names):
    assert formats.detect(names.split(",")) is None


def test_an_unknown_name_is_no_format():
    assert formats.by_name("opencart") is None


# Our own export


def test_every_column_of_ours_comes_back_under_its_own_name():
    names = [name for name in TARGETS if name not in ("tags", "work_phone", "home_phone")]

    found = formats.detect(names)
    bound = found.bind(names)

    assert found.name == "regulars"
    assert bound.columns == set(names)
    assert all(rule.columns == rule.to for rule in bound.rules)
    assert bound.match == "id"


def test_what_the_system_keeps_is_passed_over_in_our_own_export():
    row = record("regulars", id="x", number="CUST-7", last_name="Byron", version="3")

    assert row == {"id": "x", "number": 7, "last_name": "Byron"}


def test_the_match_key_of_our_own_export_is_the_strongest_that_it_has():
    assert formats.detect(["email", "external_id"]).bind(["email", "external_id"]).match == (
        "external_id"
    )


# PrestaShop


@pytest.mark.parametrize("file", ["shop_customers_comma.csv", "shop_customers_semicolon.csv"])
def test_both_spellings_of_the_prestashop_file_say_the_same(file):
    ada, grace = shaped(file)

    assert ada.errors == grace.errors == []
    assert ada.record == {
        "external_id": "11", "status": "active", "gender": "female", "birth_date": "1985-12-10",
        "first_name": "Ada", "last_name": "Lovelace", "groups": ["Customer", "Gold"],
        "emails": [{"address": "ada@example.com", "primary": True}],
        "consents": [
            {"purpose": "marketing", "granted": True},
            {"purpose": "partner_offers", "granted": False},
        ],
    }  # fmt: skip
    assert grace.record["status"] == "blocked"
    assert "gender" not in grace.record
    assert "birth_date" not in grace.record


def test_the_passwords_of_a_prestashop_file_go_nowhere_and_that_is_said():
    source = open_rows(FILES / "shop_customers_comma.csv")
    found = formats.detect(source.header)

    assert "never imported" in dict(found.reasons(source.header))["Password *"]
    assert any("Passwords" in note for note in found.notes)
    assert "secret" not in repr(shaped("shop_customers_comma.csv"))


def test_prestashop_addresses_are_added_to_the_customer_of_their_mail():
    found = formats.by_name("prestashop-addresses")
    home, work, _, _ = shaped("shop_addresses.csv")

    assert (found.match, found.adds_children) == ("email", True)
    assert home.record["emails"] == work.record["emails"] == [{"address": "ada@example.com"}]
    assert home.record["addresses"] == [
        {
            "kind": "other", "street": "12 St James's Square", "postal_code": "SW1Y 4JH",
            "city": "London", "country": "United Kingdom", "first_name": "Ada",
            "last_name": "Lovelace",
        }
    ]  # fmt: skip
    assert home.record["phones"] == [
        {"kind": "mobile", "given": "07700 900123"},
        {"kind": "home", "given": "020 7946 0011"},
    ]


def test_a_prestashop_address_of_nobody_is_refused_with_the_reason():
    _, _, maker, nobody = shaped("shop_addresses.csv")

    assert maker.errors[0].column == "Customer e-mail*"
    assert "manufacturer" in maker.errors[0].message
    assert "whose address" in nobody.errors[0].message


# Magento


def test_the_rows_of_one_magento_customer_become_one_customer():
    ada, grace = shaped("composite.csv")

    assert (ada.line, ada.rows) == (2, 3)
    assert (grace.line, grace.rows) == (6, 1)
    assert ada.errors == []
    assert ada.record["first_name"] == "Ada King"
    assert ada.record["created_at"] == "2015-10-30T12:49:47+00:00"
    assert ada.record["birth_date"] == "1985-12-10"
    assert [(one["kind"], one["city"], one.get("primary")) for one in ada.record["addresses"]] == [
        ("billing", "London", True),
        ("shipping", "London", None),
        ("other", "Paris", None),
    ]
    assert ada.record["addresses"][0]["street2"] == "Flat 2"
    assert [one["given"] for one in ada.record["phones"]] == ["020 7946 0011", "01 42 00 00 00"]
    assert [one.get("primary") for one in ada.record["phones"]] == [True, None]
    assert grace.record["gender"] == "not_disclosed"


def test_a_magento_row_that_goes_on_with_nobody_is_refused():
    first, second = shaped("composite_headless.csv")

    assert "no customer above" in first.errors[0].message
    assert second.errors == []


def test_a_fault_in_a_row_that_goes_on_keeps_its_line():
    names = header("magento-composite")
    rows = [
        RawRow(2, dict.fromkeys(names, "") | {"email": "ada@example.com"}),
        RawRow(3, dict.fromkeys(names, "") | {"dob": "soon"}),
    ]

    (ada,) = shape_rows(rows, formats.by_name("magento-composite").bind(names), continues="email")

    assert [(error.line, error.column) for error in ada.errors] == [(3, "dob")]


def test_an_unknown_gender_of_magento_is_refused():
    names = header("magento")
    row = formats.by_name("magento").bind(names).apply(RawRow(2, {"gender": "7"}))

    assert row.errors[0].column == "gender"


def test_a_magento_address_is_added_to_the_customer_of_its_mail():
    row = record(
        "magento-addresses", _email="ada@example.com", city="London", country_id="GB",
        street="1 Dorset Street", telephone="020 7946 0011", _address_default_billing_="1",
    )  # fmt: skip

    assert row == {
        "emails": [{"address": "ada@example.com"}],
        "phones": [{"given": "020 7946 0011"}],
        "addresses": [
            {"kind": "billing", "primary": True, "street": "1 Dorset Street", "city": "London",
             "country": "GB"}
        ],
    }  # fmt: skip


# Shopify, WooCommerce, Square


def test_a_shopify_customer_loses_the_apostrophes_of_spreadsheets():
    row = record(
        "shopify",
        **{
            "Customer ID": "'7012345678901", "First Name": "Ada", "Email": "ada@example.com",
            "Accepts Email Marketing": "yes", "Accepts SMS Marketing": "no",
            "Default Address Address1": "1 Dorset Street", "Default Address Zip": "'04109",
            "Default Address Country Code": "GB", "Phone": "'+442079460011",
            "Default Address Phone": "+44 20 7946 0011", "Tags": "vip, wholesale",
        },
    )  # fmt: skip

    assert row["external_id"] == "7012345678901"
    assert row["addresses"][0]["postal_code"] == "04109"
    assert row["phones"] == [{"given": "+442079460011", "primary": True}]
    assert [label["key"] for label in row["labels"]] == ["vip", "wholesale"]
    assert row["consents"] == [
        {"purpose": "marketing", "granted": True},
        {"purpose": "sms_marketing", "granted": False},
    ]


def test_a_shopify_file_of_before_2023_is_read_too():
    row = record(
        "shopify-2022",
        **{"Email": "ada@example.com", "Address1": "1 Dorset Street", "Accepts Marketing": "no"},
    )

    assert row["addresses"][0]["street"] == "1 Dorset Street"
    assert row["consents"] == [{"purpose": "marketing", "granted": False}]


def test_a_woocommerce_customer_has_a_billing_and_a_shipping_address():
    row = record(
        "woocommerce", ID="7", user_login="ada", user_email="ada@example.com",
        user_pass="$P$secret", billing_email="ADA@example.com", billing_first_name="Ada",
        billing_address_1="1 Dorset Street", billing_country="GB", shipping_city="Leeds",
        user_registered="2020-01-02 03:04:05",
    )  # fmt: skip

    assert row["username"] == "ada"
    assert row["emails"] == [{"address": "ada@example.com", "primary": True}]
    assert [one["kind"] for one in row["addresses"]] == ["billing", "shipping"]
    assert row["created_at"] == "2020-01-02T03:04:05+00:00"
    assert "secret" not in repr(row)


def test_the_woocommerce_report_is_read():
    row = record("woocommerce-report", **{"Name": "Ada Lovelace", "Country / Region": "GB"})

    assert row["name"] == "Ada Lovelace"
    assert row["addresses"][0]["country"] == "GB"


@pytest.mark.parametrize(
    ("birthday", "expected"),
    [("04-02", "--04-02"), ("1985-12-10", "1985-12-10"), ("0000-12-10", "--12-10"),
     ("04-02-1985", "1985-04-02")],
)  # fmt: skip
def test_a_square_birthday_may_lack_its_year(birthday, expected):
    row = record("square", **{"Square Customer ID": "ABC", "Birthday": birthday})

    assert row["birth_date"] == expected


@pytest.mark.parametrize(
    ("status", "granted"), [("subscribed", True), ("unsubscribed", False), ("unknown", None)]
)
def test_a_square_subscription_becomes_consent_only_where_it_is_known(status, granted):
    row = record("square", **{"Square Customer ID": "ABC", "Email Subscription Status": status})

    consents = row.get("consents", [{}])
    assert consents[0].get("granted") is granted
