"""The list over Fieldpine's wire: englishquery, filter, option, pages, everything at once."""

from datetime import timedelta
from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.services import (
    anonymise_customer,
    deactivate_customer,
    register_customer,
    set_charge_account,
    update_customer,
)
from tenancy import clock
from tenancy.clock import frozen
from tests.dialects.fieldpine.client import HERE, Fieldpine, is_packet
from tests.factories import StoreFactory, make_token

pytestmark = pytest.mark.django_db


def ids(rows):
    return [row["CustomerId"] for row in rows]


def names(rows):
    return [row["Name"] for row in rows]


@pytest.fixture
def people(acme):
    """Ada (account 1234), Grace (a retired account), Joan (none), each edited a day after the
    other; Joan is not to be used."""
    start = clock.now() - timedelta(days=3)
    with frozen(start):
        ada = register_customer(
            first_name="Ada",
            last_name="Byron",
            company_name="Engines",
            emails=[{"address": "ada@example.org"}],
            phones=[{"given": "+47 900 00 001"}],
            addresses=[{"street": "Storgata 1", "city": "Oslo", "postal_code": "0155"}],
            eu_citizen=True,
            credit_limit="100.50",
        )
        set_charge_account(ada, number="1234")
    with frozen(start + timedelta(days=1)):
        grace = register_customer(
            first_name="Grace",
            last_name="Hopper",
            addresses=[{"street": "Main St", "city": "New York"}],
        )
        set_charge_account(grace, number="77", retired=True)
    with frozen(start + timedelta(days=2)):
        joan = register_customer(first_name="Joan", last_name="Clarke", hidden=True)
    return {"Ada": ada, "Grace": grace, "Joan": joan}


def day(days_ago, form="%d-%b-%Y"):
    return (clock.now() - timedelta(days=days_ago)).strftime(form)


def asked(api, query, **more):
    rest = "".join(f"&{name}={value}" for name, value in more.items())
    return sorted(row["FirstName"] for row in api.rows(f"englishquery={quote(query)}{rest}"))


def test_f17_words_find_in_any_letter_case(api, people):
    for text in ("hopper", "HOPPER", "Hop", "grace hopper", "hopper,grace"):
        assert asked(api, text) == ["Grace"], text
    assert asked(api, "york") == []


def test_words_are_looked_for_in_name_company_email_and_phone(api, people):
    texts = "ada@example", "engines", "90000001", "+47 900 00 001", "900 00 001", "Ada Byron"
    for text in texts:
        assert asked(api, text) == ["Ada"], text


def test_f19_a_hint_that_is_none_is_ignored(api, people):
    everybody = api.rows()
    bad = (
        "%%%bad",
        "geo:north",
        "geo:1",
        "geo:91,0",
        "geo:nan,0",
        "intent:",
        ";;",
        "geo:1,2,",
        "%00",
    )
    for option in (*bad, "x" * 300):
        assert api.rows(f"option={option}") == everybody, option


def test_f21_f22_the_filter_for_charge_accounts_leaves_out_the_retired(api, people):
    accounts, one = api.rows("filter=account"), api.rows("filter=account=1234")

    assert names(accounts) == names(one) == ["Ada Byron"]
    assert api.rows("filter=account%3D1234") == one
    assert api.rows("filter=account=77") == api.rows("filter=account=99999999") == []
    assert api.rows("FILTER=Account=1234&page=1&limit=5") == one
    for wrong in ("filter=acount", "filter=account=", "filter=account=%00"):
        assert is_packet(api.get(wrong), 400)


def test_f24_limit_0_streams_everything_in_a_constant_number_of_queries(api, acme, settings):
    for n in range(12):
        register_customer(first_name=f"P{n}")
    settings.API_MAX_PAGE_SIZE = 3
    api.rows()  # the token remembers its first use
    with CaptureQueriesContext(connection) as few:
        rows = api.rows("limit=0")
    for n in range(12):
        register_customer(first_name=f"Q{n}")
    with CaptureQueriesContext(connection) as many:
        everybody = api.rows("limit=0")

    assert (len(rows), len(everybody)) == (12, 24)
    assert len(many) == len(few)
    assert len(api.rows("limit=20&page=1")) == 20
    assert api.rows("limit=0&page=2") == []


def test_everything_is_for_who_may_export_unless_it_is_no_more_than_a_page(acme, settings):
    settings.API_MAX_PAGE_SIZE = 3
    seller = Fieldpine(make_token(acme, "seller"))
    for n in range(3):
        register_customer(first_name=f"P{n}")

    assert len(seller.rows("limit=0")) == 3
    register_customer(first_name="One more")
    assert is_packet(seller.get("limit=0"), 403)
    assert is_packet(seller.get("limit=50"), 403)
    assert len(seller.rows("limit=3&page=2")) == 1


def test_f26_f27_the_newest_edit_comes_first_and_far_pages_are_empty(api, people):
    update_customer(people["Grace"], last_name="Murray")

    assert names(api.rows("limit=1&page=1")) == ["Grace Murray"]
    assert names(api.rows()) == ["Grace Murray", "Joan Clarke", "Ada Byron"]
    assert api.rows("limit=1&page=999999999") == api.rows("page=9") == []


def test_pages_of_customers_edited_in_the_same_moment_lose_nobody(api, acme):
    with frozen(clock.now()):
        made = [register_customer(first_name=f"P{n}") for n in range(5)]

    pages = [api.rows(f"limit=2&page={page}") for page in (1, 2, 3)]

    assert sorted(ids(sum(pages, []))) == sorted(str(one.pk) for one in made)


DATES = [
    ("editdtu after {4}", ["Ada", "Grace", "Joan"]),
    ("editdtu after {2}", ["Grace", "Joan"]),
    ("EditDtu AFTER {2}", ["Grace", "Joan"]),
    ("editdtu after {-1}", []),
    ("edited since {1}", ["Joan"]),
    ("changed before {2}", ["Ada"]),
    ("updated on {2}", ["Grace"]),
    ("edited between {3} and {2}", ["Ada", "Grace"]),
    ("edited yesterday", ["Joan"]),
    ("created today", []),
    ("edited in the last 2 days", ["Joan"]),
    ("editdtu = {2}", ["Grace"]),
    ("edited after {4} and edited before {2}", ["Ada"]),
    ("edited before {2} or edited since {1}", ["Ada", "Joan"]),
    ("not edited on {2}", ["Ada", "Joan"]),
    ("grace edited after {4}", ["Grace"]),
    ("edited after {4} hopper", ["Grace"]),
]


def test_f29_dates_narrow_by_the_last_edit(api, people):
    with frozen(clock.now()):
        for text, found in DATES:
            days = [day(ago) for ago in range(6)]
            written = text.replace("{-1}", day(-1)).format(*days)
            assert asked(api, written, limit=9, page=1) == found, written
        for form in ("%d-%b-%Y", "%d %B %Y", "%Y-%m-%d", "%d.%m.%Y"):
            assert asked(api, f"EDITDTU AFTER {day(2, form).upper()}") == ["Grace", "Joan"]


def test_blanks_may_be_sent_as_they_are_or_as_plus(api, people):
    answer = api.get(f"englishquery=editdtu+after+{day(2)}&limit=1&page=2")

    assert names(answer.json()["data"]) == ["Grace Hopper"]


def test_the_last_edit_that_a_client_has_seen_is_a_cursor(api, people):
    newest, older = api.rows("limit=2")

    assert names(api.rows(f"englishquery=editdtu+after+{older['EditDtu']}")) == [newest["Name"]]
    assert api.rows(f"englishquery=editdtu+after+{newest['EditDtu']}") == []


FIELDS = [
    ("name = ada byron", []),
    ('name = "ada byron"', ["Ada"]),
    ("firstname=Ada", ["Ada"]),
    ("lastname contains opp", ["Grace"]),
    ("lastname = opp", []),
    ('city is "new york"', ["Grace"]),
    ("city contains york", ["Grace"]),
    ("city = york", []),
    ("postcode = 0155", ["Ada"]),
    ("address contains storg", ["Ada"]),
    ("email = ADA@example.org", ["Ada"]),
    ("email is not ada@example.org", ["Grace", "Joan"]),
    ('mobile = "+47 900 00 001"', ["Ada"]),
    ("phone = 90000001", ["Ada"]),
    ("phone contains 0000", ["Ada"]),
    ("phone = a@b.no", []),
    ("mobile = nonsense", []),
    ("companyname = engines", ["Ada"]),
    ("cid > 0", ["Ada", "Grace", "Joan"]),
    ("cid < 1", []),
    ("creditlimit >= 100.5", ["Ada"]),
    ("eucitizen = yes", ["Ada"]),
    ("donotuse = 1", ["Joan"]),
    ("clarke", []),
    ("clarke donotuse = 1", ["Joan"]),
    ("charge account", ["Ada"]),
    ("with account", ["Ada"]),
    ("without account", ["Grace", "Joan"]),
    ("account 1234", ["Ada"]),
    ("account = 77", []),
    ("(byron or hopper) and not charge account", ["Grace"]),
    ("not not not not not (((((cid > 0)))))", []),
    ("physkey = x", []),
    ("customerid = x", []),
]


def test_fields_narrow_by_their_names(api, people):
    for text, found in FIELDS:
        assert asked(api, text) == found, text


NO_PHRASES = [
    *(
        "editdtu after",
        "editdtu after noon",
        "edited between 1-jan-2020",
        "edited after 31-feb-2020",
    ),
    *(
        "shoesize=44",
        "= 44",
        "shoesize = 44",
        "cid > many",
        "cid > 99999999999999999999",
        "creditlimit = 0.001",
    ),
    *("eucitizen = perhaps", "edited in the last 99999999 days", "not " * 20 + "cid > 0"),
    *("(" * 50 + "ada" + ")" * 50, "x" * 501, "a\0b", "a " * 100, "name ="),
    *("editdtu after 2020-01-17T99:99", "edited before 1-jan-0001"),
]


def test_a_phrase_that_is_none_is_refused(api, people):
    for text in NO_PHRASES:
        answer = api.get(f"englishquery={quote(text)}")

        assert is_packet(answer, 400), text
        assert answer.json()["error"]["Message"].startswith("englishquery: ")


ONLY_WORDS = [
    *("or cohen", "name smith", "before after", "%", "%_%", "((((", '"', "account solutions"),
    *("O'Brien & Sons", "edited smith", "no", "zz", "and", "\U0001f600"),
]


def test_words_that_only_look_like_the_language_are_words(api, people):
    for text in ONLY_WORDS:
        assert asked(api, text) == [], text


def test_f31_f32_the_letter_case_of_paths_and_names_does_not_count(api, people):
    row = api.rows("englishquery=hopper")

    assert api.rows(f"{HERE.lower()}?ENGLISHQUERY=hopper") == row
    for path in ("/customers", "/OPENAPI2_3,4,5,672/CUSTOMERS/", "/OpenApi2_x/customers"):
        assert names(api.rows(f"{path}?Limit=1&sort=EditDtu%20desc")) == ["Joan Clarke"]
    assert is_packet(api.get("limit=1&LIMIT=2"), 400)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_f34_other_methods_are_refused(api, method):
    answer = api.send(method, HERE)

    assert is_packet(answer, 405)
    assert set(answer["Allow"].split(", ")) >= {"GET", "POST"}


WRONG = [
    *("limit=-1", "limit=x", "limit=1.5", "limit=" + "9" * 40, "page=0", "page=x", "page=-1"),
    *("sort=shoesize", "sort=name+up", "sort=name+asc+asc", "sort=%00"),
]


def test_a_parameter_that_is_none_is_refused_by_its_name(api):
    for wrong in WRONG:
        answer = api.get(wrong)

        assert is_packet(answer, 400), wrong
        assert answer.json()["error"]["Message"].startswith(f"{wrong.partition('=')[0]}: ")


def test_another_order_may_be_asked_for(api, people):
    assert names(api.rows("sort=Name")) == ["Ada Byron", "Grace Hopper", "Joan Clarke"]
    assert names(api.rows("sort=firstname%20DESC&limit=2")) == ["Joan Clarke", "Grace Hopper"]
    assert ids(api.rows("sort=cid")) == ids(reversed(api.rows("sort=cid+desc")))


def test_the_nearest_stores_customers_come_first_and_nobody_is_left_out(api, acme):
    far = StoreFactory(
        tenant=acme, code="far", latitude_micro=60_390_000, longitude_micro=5_320_000
    )
    near = StoreFactory(
        tenant=acme, code="near", latitude_micro=59_910_000, longitude_micro=10_750_000
    )
    nowhere = StoreFactory(tenant=acme, code="nowhere")
    for name, store in (("Near", near), ("Far", far), ("Nowhere", nowhere), ("None", None)):
        register_customer(first_name=name, home_store=store)
    bergen, oslo = "geo:60.4,5.3", "geo:59.9,10.7,12"

    assert names(api.rows()) == ["None", "Nowhere", "Far", "Near"]
    assert names(api.rows(f"option={quote(oslo)}")) == ["Near", "Far", "None", "Nowhere"]
    assert names(api.rows(f"option=intent:sale;{bergen}")) == ["Far", "Near", "None", "Nowhere"]
    assert names(api.rows(f"option={oslo}&limit=1&page=2")) == ["Far"]
    assert names(api.rows(f"option={oslo}&sort=name")) == ["Far", "Near", "None", "Nowhere"]


def test_who_cannot_buy_comes_last_in_a_sale_and_is_marked(api, acme):
    register_customer(first_name="Active")
    deactivate_customer(register_customer(first_name="Blocked"))

    assert names(api.rows("option=intent:sale")) == ["Active", "Blocked"]
    assert [row["DoNotUse"] for row in api.rows()] == [1, 0]


def test_the_anonymised_and_other_businesses_customers_are_in_no_list(
    api, acme, rival, settings, tmp_path
):
    settings.ERASURE_JOURNAL = tmp_path / "erasures.jsonl"
    Fieldpine(make_token(rival, "service")).made(Name="Stranger")
    anonymise_customer(register_customer(first_name="Gone"))

    assert api.rows() == api.rows("limit=0") == api.rows("englishquery=stranger") == []


def test_a_page_takes_the_same_number_of_queries_however_long_it_is(api, people):
    api.rows()
    with CaptureQueriesContext(connection) as one:
        api.rows("limit=1")
    with CaptureQueriesContext(connection) as three:
        api.rows("limit=3")

    assert len(one) == len(three) <= 30
