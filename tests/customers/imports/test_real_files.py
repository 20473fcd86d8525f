"""Customer files as shops and address books write them, through the command, and what stands in
the database afterwards; or the sentence that says what to do."""

import datetime

import pytest
from django.core.management import CommandError, call_command

from customers.models import Customer

pytestmark = pytest.mark.django_db

SHOPIFY_2023 = """\
First Name,Last Name,Email,Accepts Email Marketing,Company,Address1,Address2,City,Province,\
Province Code,Country,Country Code,Zip,Phone,Accepts SMS Marketing,Total Spent,Total Orders,Tags,\
Note,Tax Exempt
Bob,Norman,bob@example.com,yes,,Chestnut Street 92,,Louisville,Kentucky,KY,United States,US,'40202,\
'+15025551212,no,0.00,0,"vip, tea","one
two ""quoted"" words",no
"""
MAGENTO_GRID = """\
ID,Name,Email,Group,Phone,ZIP,Country,State/Province,"Customer Since","Web Site","Confirmed email",\
"Account Created in","Billing Address","Shipping Address","Date of Birth","Tax VAT Number",Gender
7,"Veronica Costello",roni@example.com,General,"+1 (502) 555-1212",49628,US,Michigan,\
"Nov 30, 2020 12:36:10 AM",Main Website,"Confirmation Not Required",Default,\
"6146 Honey Bluff Parkway Calder Michigan 49628",,"Dec 5, 1973",,Female
"""
PRESTASHOP_LIST = """\
ID;Social title;First name;Last name;Email address;Sales;Enabled;Newsletter;Partner offers;\
Registration;Last visit
1;Mr.;John;DOE;pub@example.com;100.00;1;1;0;2020-03-04 10:00:00;2021-01-01 10:00:00
2;;Jane;DOE;jane@example.com;0;0;0;0;2020-03-05 10:00:00;
"""
WOOCOMMERCE = """\
user_id,user_login,user_email,user_registered,first_name,last_name,billing_first_name,\
billing_last_name,billing_company,billing_address_1,billing_address_2,billing_city,\
billing_postcode,billing_country,billing_state,billing_email,billing_phone
7,ola,ola@example.no,2021-03-04 10:11:12,Ola,Nordmann,Ola,Nordmann,,Gata 1,,Bergen,5003,NO,,\
ola@example.no,90012345
"""
SQUARE = """\
"First Name","Last Name","Email Address","Phone Number","Birthday","Street Address 1","City",\
"State","Postal Code","Country","Customer Group","Square Customer ID","Email Subscription Status"
"Ann","Lee","ann@example.com","'+15025551212","05/17","1 Main St","Austin","TX","78701","US",\
"Regulars","AB12CD","Unsubscribed"
"""
MAGENTO_ROWS = """\
email,_website,_store,dob,firstname,gender,lastname,_address_city,_address_country_id,\
_address_firstname,_address_lastname,_address_postcode,_address_street,_address_telephone,\
_address_default_billing_,_address_default_shipping_
kari@example.no,base,default,1980-02-03,Kari,Female,Nordmann,Oslo,NO,Kari,Nordmann,0155,\
"Storgata 1
Oppgang B",22123456,1,
,,,,,,,Bergen,NO,Kari,Nordmann,5003,Gata 2,22123457,,1
ola@example.no,base,default,,Ola,Male,Nordmann,,,,,,,,,
"""
GOOGLE = """\
First Name,Last Name,E-mail 1 - Label,E-mail 1 - Value,E-mail 2 - Label,E-mail 2 - Value,\
Phone 1 - Label,Phone 1 - Value,Address 1 - Label,Address 1 - Street,Address 1 - City,\
Address 1 - Region,Address 1 - Postal Code,Address 1 - Country
Ann,Lee,* Home,ann@example.com,Work,lee@example.com,Mobile,+15025551212,Home,1 Main St,Austin,TX,\
78701,US
"""
SALESFORCE = """\
"Id","LastName","FirstName","Salutation","MailingStreet","MailingCity","MailingState",\
"MailingPostalCode","MailingCountry","Phone","MobilePhone","Email","Birthdate","HasOptedOutOfEmail"
"003AbCdE","Lee","Ann","Ms.","1 Main St","Austin","TX","78701","United States","+15025551212",\
"+15025551213","ann@example.com","1988-05-17","1"
"""
GERMAN = """\
Kundennummer;Anrede;Vorname;Nachname;Straße;Hausnummer;PLZ;Ort;Land;Telefon;E-Mail;Geburtsdatum;;
00012;Herr;Jörg;Müller;Hauptstraße;12a;01067;Dresden;Deutschland;+49 351 1234567;\
joerg@example.de;03.04.1980;;
"""
NORWEGIAN = """\
Kundenr\tFornavn\tEtternavn\tAdresse\tPostnr\tPoststed\tMobil\tE-post\tFødselsdato
1001\tÅse\tBjørnø\tStorgata 1\t0155\tOslo\t900 12 345\taase@example.no\t03.04.1980
"""


@pytest.fixture
def bring_in(acme, tmp_path, capsys):
    """Run the command on a text; answers the exit code and everything that it said."""

    def run(text, encoding="utf-8", *options):
        path = tmp_path / "file.csv"
        path.write_bytes(text.encode(encoding))
        code = said = 0
        try:
            call_command("import_customers", str(path), "--tenant", acme.code, *options)
        except CommandError as error:
            code, said = error.returncode, str(error)
        told = capsys.readouterr()
        return code, f"{told.out}{told.err}{said or ''}"

    return run


def only(acme):
    return Customer.objects.get(tenant=acme)


def place(customer):
    row = customer.addresses.get()
    return row.street, row.postal_code, row.city, row.state, row.country


def test_shopify_with_the_headers_of_2023(bring_in, acme):
    assert bring_in(SHOPIFY_2023)[0] == 0

    bob = only(acme)
    assert place(bob) == ("Chestnut Street 92", "40202", "Louisville", "KY", "US")
    assert bob.phones.get().e164 == "+15025551212"
    assert bob.internal_note == 'one\ntwo "quoted" words'
    assert [one.key for one in bob.labels.all()] == ["vip", "tea"]
    assert {one.purpose: one.granted for one in bob.consents.all()} == {
        "marketing": True, "sms_marketing": False,
    }  # fmt: skip


def test_the_list_of_magento_with_its_months_in_letters(bring_in, acme):
    code, said = bring_in(MAGENTO_GRID)

    roni = only(acme)
    assert code == 0
    assert "Billing Address: the list has addresses in one line" in said
    assert (roni.birth_date, roni.gender, roni.external_id) == ("1973-12-05", "female", "7")
    assert roni.created_at.astimezone(datetime.UTC).minute == 36
    assert roni.subscriptions.get().group.code == "General"


def test_the_list_of_prestashop(bring_in, acme):
    assert bring_in(PRESTASHOP_LIST)[0] == 0

    john, jane = Customer.objects.order_by("number")
    assert (john.gender, john.status, jane.gender, jane.status) == (
        "male", "active", "not_disclosed", "blocked",
    )  # fmt: skip
    assert {one.purpose: one.granted for one in john.consents.all()} == {
        "marketing": True, "partner_offers": False,
    }  # fmt: skip


def test_woocommerce_with_the_number_of_the_user(bring_in, acme):
    assert bring_in(WOOCOMMERCE)[0] == 0

    ola = only(acme)
    assert (ola.external_id, ola.username) == ("7", "ola")
    assert place(ola) == ("Gata 1", "5003", "Bergen", "", "NO")


def test_square_with_a_country_and_a_birthday_without_its_year(bring_in, acme):
    code, said = bring_in(SQUARE)

    assert (code, only(acme).birth_date) == (0, "--05-17")
    assert place(only(acme)) == ("1 Main St", "78701", "Austin", "TX", "US")
    assert "Customer Group: Square keeps its groups by itself" in said


def test_magento_with_several_rows_per_customer(bring_in, acme):
    code, said = bring_in(MAGENTO_ROWS)

    kari = Customer.objects.get(first_name="Kari")
    assert (code, Customer.objects.count()) == (0, 2)
    assert "2 lines" in said
    assert [(one.kind, one.street, one.street2) for one in kari.addresses.all()] == [
        ("billing", "Storgata 1", "Oppgang B"), ("shipping", "Gata 2", ""),
    ]  # fmt: skip


def test_an_address_book_with_numbered_columns(bring_in, acme):
    assert bring_in(GOOGLE)[0] == 0

    ann = only(acme)
    assert [one.address for one in ann.emails.all()] == ["ann@example.com", "lee@example.com"]
    assert ann.phones.get().e164 == "+15025551212"
    assert place(ann) == ("1 Main St", "78701", "Austin", "TX", "US")


def test_contacts_of_a_crm_who_want_no_mail(bring_in, acme):
    assert bring_in(SALESFORCE)[0] == 0

    ann = only(acme)
    assert (ann.no_email, ann.gender, ann.birth_date) == (True, "female", "1988-05-17")
    assert place(ann) == ("1 Main St", "78701", "Austin", "TX", "US")


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8-sig", "utf-16"])
def test_german_columns_with_two_empty_ones_at_the_end(bring_in, acme, encoding):
    assert bring_in(GERMAN, encoding)[0] == 0

    joerg = only(acme)
    assert (joerg.external_id, joerg.name, joerg.gender) == ("00012", "Jörg Müller", "male")
    assert joerg.birth_date == "1980-04-03"
    assert place(joerg) == ("Hauptstraße 12a", "01067", "Dresden", "", "DE")


def test_norwegian_columns_between_tabs(bring_in, acme):
    assert bring_in(NORWEGIAN, "cp1252")[0] == 0

    assert only(acme).phones.get().e164 == "+4790012345"
    assert place(only(acme))[:3] == ("Storgata 1", "0155", "Oslo")


HEAD = "first_name,last_name,email,"


@pytest.mark.parametrize(
    ("text", "code", "sentence"),
    [
        (f"{HEAD}phone\nA,L,a@b.example,4.79E+10\n", 1,
         "line 2, column phone “4.79E+10”: was shortened by a spreadsheet, which kept 3 digits"),
        ("first_name;email;phone\nA;a@b.example;4,79E+10\n", 1, "“4,79E+10”: was shortened"),
        (f"{HEAD}card_number\nA,L,a@b.example,1.23457E+15\n", 1, "which kept 6 digits of it"),
        (f"{HEAD}birth_date\nA,L,a@b.example,03/04/2020\n", 1,
         'may be day/month or month/day; say "dates": "DMY" or "MDY"'),
        (f"{HEAD}birth_date\nA,L,a@b.example,03/04\n", 1, "may be day/month or month/day"),
        (f"{HEAD}birth_date\nA,L,a@b.example,29358\n", 1,
         "column birth_date “29358”: is a spreadsheet's number of a day; make the column a date"),
        (f"{HEAD}email\nA,L,a@b.example,c@d.example\n", 2,
         "stands twice, in positions 3 and 4; give one of them another name"),
        (f"{HEAD},\nA,L,a@b.example,x,\n", 2, "a column has no name"),
        (f"{HEAD}phone\nA,L\n", 2, "the header 4: a cell is missing (an empty one"),
        ("frist_name,last_nam,shoe\nA,L,42\n", 2,
         "“frist_name” (first_name?), “last_nam” (last_name?), “shoe”"),
        ("A,L,a@b.example\nB,L,b@b.example\n", 2, "the first line has to name the columns"),
    ],
)  # fmt: skip
def test_what_nobody_can_know_is_refused_with_what_to_do(bring_in, text, code, sentence):
    found, said = bring_in(text)

    assert (found, Customer.objects.count()) == (code, 0)
    assert sentence in said


def test_one_day_that_can_be_no_month_settles_the_days_of_its_column(bring_in):
    text = f"{HEAD}birth_date\nA,L,a@b.example,05/06\nB,L,b@b.example,05/17\n"

    assert bring_in(text)[0] == 0
    assert [one.birth_date for one in Customer.objects.order_by("number")] == ["--05-06", "--05-17"]


def test_the_order_of_days_can_be_said_and_what_a_cell_proves_comes_before_it(bring_in):
    text = f"{HEAD}birth_date,created_at\nA,L,a@b.example,03/04/1980,12/31/2019\n"

    assert bring_in(text, "utf-8", "--dates", "DMY")[0] == 0
    assert Customer.objects.get().birth_date == "1980-04-03"
    assert Customer.objects.get().created_at.date() == datetime.date(2019, 12, 30)
