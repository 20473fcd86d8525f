"""Importing customers as XML, over the wire and by the command.

The numbers are those of the contract.
"""

import json
from contextlib import suppress
from io import StringIO
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command

from customers.models import Customer
from tenancy.scoping import in_tenant
from tests.dialects.openloyalty.client import OpenLoyalty, all_errors

pytestmark = pytest.mark.django_db

FILE = Path(__file__).parent.parent / "payloads" / "openloyalty" / "customers.xml"
PERSON = {
    "email": "ann@example.org",
    "firstName": "Ann",
    "lastName": "Lee",
    "active": "true",
    "birthDate": "1988-05-17",
    "agreement1": "true",
    "gender": "female",
}


def upload(api, content):
    if isinstance(content, str):
        content = content.encode()
    file = SimpleUploadedFile("customers.xml", content, "text/xml")
    return api.post("admin/customer/import", files={"file[file]": file})


def document(*people):
    parts = "".join(
        "<customer>" + "".join(f"<{k}>{v}</{k}>" for k, v in person.items()) + "</customer>"
        for person in people
    )
    return f"<customers>{parts}</customers>"


@pytest.fixture
def told(admin):
    """A function (**other parts of PERSON; None leaves one out) -> the item of the report."""

    def told(**parts):
        person = {name: value for name, value in (PERSON | parts).items() if value is not None}
        report = upload(admin, document(person)).json()
        assert report["totalProcessed"] == 1
        return report["items"][0]

    return told


def test_eleven_are_read_seven_are_in_and_four_are_refused(admin, shop):
    answer = upload(admin, FILE.read_bytes())

    report = answer.json()
    assert answer.status_code == 200
    assert (report["totalProcessed"], report["totalSuccess"], report["totalFailed"]) == (11, 7, 4)
    items = report["items"]
    assert [item["status"] for item in items].count("success") == 7
    assert {item["identifier"]: item["message"] for item in items if "message" in item} == {
        "bad.date@example.org": (
            "Convert exception: birthDate has invalid date format (Y-m-d required)"
        ),
        "no.gender@example.org": "Convert exception: gender is required node",
        "ANN.LEE@example.org": "Process exception: Customer with such email already exists",
        "same.card@example.org": (
            "Process exception: Customer with such loyalty card number already exists"
        ),
    }
    assert set(items[0]) == {"status", "processImportResult", "identifier"}
    assert set(items[2]) == {"status", "message", "identifier"}
    ann = admin.get(f"customer/{items[0]['processImportResult']['object']}").json()
    assert (ann["firstName"], ann["birthDate"][:10], ann["phone"]) == (
        *("Ann", "1988-05-17", "600700801"),
    )
    assert ann["address"] == {
        "street": "Mill Lane", "address1": "4", "postal": "12-345", "city": "Leeds",
        "country": "GB",
    }  # fmt: skip
    assert ann["company"] == {"name": "Lee Ltd", "nip": "998877"}
    assert ann["labels"] == [{"key": "source", "value": "shop"}, {"key": "vip", "value": ""}]
    assert (ann["active"], ann["agreement1"], ann["agreement2"]) == (True, True, False)
    bo = admin.get(f"customer/{items[1]['processImportResult']['object']}").json()
    assert (bo["active"], bo["status"]["type"], bo["email"]) == (False, "new", "bo.ray@example.org")
    di = admin.get(f"customer/{items[3]['processImportResult']['object']}").json()
    assert {"posId", "sellerId", "manuallyAssignedLevelId"} & set(di) == set()
    fay = admin.get(f"customer/{items[5]['processImportResult']['object']}").json()
    assert (fay["lastName"], fay["address"], "company" in fay) == (
        *("Łoś", {"city": "Łódź"}, False),
    )


def test_t76_the_same_file_again_brings_nobody(admin):
    upload(admin, FILE.read_bytes())

    again = upload(admin, FILE.read_bytes()).json()

    assert (again["totalProcessed"], again["totalSuccess"], again["totalFailed"]) == (11, 0, 11)
    assert again["items"][0]["message"].startswith(
        "Process exception: Customer with such email already exists"
    )


def test_t77_the_first_check_that_fails_is_told(told):
    nothing = dict.fromkeys(PERSON)

    assert told(**nothing) == {
        "status": "error",
        "message": "Convert exception: email is required node",
        "identifier": "",
    }


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"firstName": None, "lastName": None}, "firstName is required node"),
        ({"lastName": None}, "lastName is required node"),
        ({"active": None}, "active is required node"),
        ({"active": "1"}, "active should one of (true, false)"),
        ({"active": "True"}, "active should one of (true, false)"),
        ({"sendActivationMail": "x"}, "sendActivationMail should one of (true, false)"),
        ({"birthDate": None}, "birthDate has invalid date format (Y-m-d required)"),
        ({"birthDate": ""}, "birthDate has invalid date format (Y-m-d required)"),
        ({"birthDate": "1988-02-30"}, "birthDate has invalid date format (Y-m-d required)"),
        ({"birthDate": "x", "gender": "x"}, "birthDate has invalid date format (Y-m-d required)"),
        ({"agreement1": None}, "agreement1 is required node"),
        ({"agreement2": "yes"}, "agreement2 should one of (true, false)"),
        ({"agreement3": "1"}, "agreement3 should one of (true, false)"),
        ({"gender": None}, "gender is required node"),
        ({"gender": "x"}, "gender should one of (male, female, not_disclosed)"),
        ({"levelId": "gold"}, "levelId should be UUID"),
        ({"posId": "1"}, "posId should be UUID"),
        ({"sellerId": "{11111111222233334444555555555555}"}, "sellerId should be UUID"),
    ],
)
def test_every_check_has_its_words(told, parts, message):
    assert told(**parts) == {
        "status": "error",
        "message": f"Convert exception: {message}",
        "identifier": "ann@example.org",
    }


@pytest.mark.parametrize(
    "parts",
    [{"agreement1": "false"}, {"active": ""}, {"active": "0"}, {"levelId": ""}, {"phone": ""}],
)
def test_what_the_checks_let_pass_is_taken(told, parts):
    assert told(**parts)["status"] == "success"


def test_what_only_the_services_refuse_is_a_process_exception(told, register):
    register(phone="600700801", email="john@example.com")

    assert told(phone="600700801")["message"] == (
        "Process exception: Customer with such phone already exists."
    )
    assert told(email="no address")["message"].startswith("Process exception: email: ")
    assert told(birthDate="2999-01-01")["message"].startswith("Process exception: birthDate: ")


def test_references_that_lead_somewhere_are_kept(told, admin, levels, shop, members, as_):
    from tenancy.models import Store

    as_("seller")
    with in_tenant(shop):
        store = Store.objects.get()
    level, seller = str(levels["level2"].pk), str(members("seller").pk)

    item = told(levelId=level, posId=str(store.pk), sellerId=seller)

    customer = admin.get(f"customer/{item['processImportResult']['object']}").json()
    assert (customer["posId"], customer["sellerId"]) == (str(store.pk), seller)
    assert customer["manuallyAssignedLevelId"] == {"levelId": level}


def test_without_a_start_level_nobody_comes_in(told, admin, levels):
    admin.post(f"level/{levels['level0'].pk}/activate", {"active": "0"})

    assert told()["message"] == (
        "Process exception: Neither level is not available as start level for this customer."
    )


@pytest.mark.parametrize(
    "content",
    [
        "<customers/>",
        "<anything></anything>",
        '<?xml version="1.0"?><customers><!-- nobody --></customers>',
    ],
)
def test_a_file_without_customers_is_empty(admin, content):
    answer = upload(admin, content)

    assert (answer.status_code, answer.json()) == (
        200,
        {"items": [], "totalProcessed": 0, "totalSuccess": 0, "totalFailed": 0},
    )


@pytest.mark.parametrize(
    "content",
    [
        document(PERSON).encode("utf-16"),
        b"\xef\xbb\xbf" + document(PERSON).encode(),
        ('<?xml version="1.0" encoding="ISO-8859-2"?>' + document(PERSON)).encode("iso-8859-2"),
        f"<a><b>{document(PERSON)}</b></a>".encode(),
        f"<x:customers xmlns:x='y'>{document(PERSON)}</x:customers>".encode(),
        document({"customer": "inner"} | PERSON).encode(),
        document(PERSON | {"firstName": "<![CDATA[Ann]]>"}).encode(),
    ],
    ids=["utf-16", "bom", "latin-2", "deeper", "namespace", "same-name-inside", "cdata"],
)
def test_customers_are_found_however_the_file_is_written(admin, content):
    report = upload(admin, content).json()

    assert (report["totalProcessed"], report["totalSuccess"]) == (1, 1)


ENTITY = '<!DOCTYPE c [<!ENTITY e "{}">]>'
HOSTILE = {
    "doctype": "<!DOCTYPE customers>" + document(PERSON),
    "external": '<!DOCTYPE c SYSTEM "http://127.0.0.1:9/x.dtd">' + document(PERSON),
    "entity": ENTITY.format("x") + document(PERSON | {"firstName": "&e;"}),
    "file": '<!DOCTYPE c [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    + document(PERSON | {"firstName": "&e;"}),
    "parameter": '<!DOCTYPE c [<!ENTITY % p SYSTEM "http://127.0.0.1:9/"> %p;]><c/>',
    "laughs": "<!DOCTYPE c ["
    + "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "ha"}">' for n in range(10))
    + "]><c>&e9;</c>",
    "quadratic": ENTITY.format("x" * 50_000) + "<c>" + "&e;" * 20_000 + "</c>",
    "undefined": document(PERSON | {"firstName": "&nothing;"}),
    "deep": "<a>" * 200_000,
    "deep inside": "<customer>" + "<a>" * 10_000,
    "wide": "<customer>" + "<a/>" * 5_000 + "</customer>",
    "attributes": "<customer " + " ".join(f'a{n}="x"' for n in range(100_000)) + "/>",
    "text": document(PERSON | {"firstName": "x" * 500_000}),
    "truncated": document(PERSON, PERSON)[:-30],
    "two roots": document(PERSON) + "<more/>",
    "no xml": "first name;last name\nAnn;Lee",
    "empty": " ",
    "binary": b"\x00\x01\x02" * 100,
    "zip": b"PK\x03\x04" + b"x" * 100,
    "utf-7": b'<?xml version="1.0" encoding="utf-7"?>' + document(PERSON).encode(),
    "no such encoding": b'<?xml version="1.0" encoding="martian"?>' + document(PERSON).encode(),
    "not utf-8": document(PERSON | {"firstName": "@"}).encode().replace(b"@", b"\xff"),
    "control": document(PERSON | {"firstName": "\x01"}),
    "character": document(PERSON | {"firstName": "&#0;"}),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_as_a_whole(admin, name):
    """After a good customer, too: nothing of a broken file is taken."""
    answer = upload(admin, HOSTILE[name])

    assert answer.status_code == 200
    assert answer.json() == {
        "items": [
            {
                "status": "error",
                "message": "Convert exception: XML has invalid structure",
                "identifier": "",
            }
        ],
        "totalProcessed": 1,
        "totalSuccess": 0,
        "totalFailed": 1,
    }
    assert admin.get("customer").json()["total"] == 0


def test_t79_without_a_file_the_form_says_so(admin, seller, nobody, as_, shop, register):
    with in_tenant(shop):
        own = as_("customer", customer=Customer.objects.get(pk=register()))
    missing = admin.post("admin/customer/import")
    no_file = admin.post("admin/customer/import", {"file[file]": "C:\\fakepath\\customers.xml"})

    assert (missing.status_code, list(missing.json()["form"]["children"])) == (400, ["file"])
    assert all_errors(no_file) == {"file": ["This value is not valid."]}
    for api, status in ((seller, 403), (own, 403), (nobody, 401)):
        assert upload(api, "<customers/>").status_code == status


def test_more_than_a_request_can_wait_for_is_refused(admin, monkeypatch):
    monkeypatch.setattr("dialects.openloyalty.importing.MOST_AT_ONCE", 10)

    answer = upload(admin, FILE.read_bytes())

    assert all_errors(answer) == {"file": ["The file is too large."]}
    assert admin.get("customer").json()["total"] == 0


def test_services_import_by_scope(as_):
    assert upload(as_("service", scopes=["customers:import"]), FILE.read_bytes()).status_code == 200
    assert upload(as_("service", scopes=["customers:write"]), "<c/>").status_code == 403


def test_nobody_comes_into_another_tenant(admin, rival):
    answer = upload(OpenLoyalty(admin.token, code="rival"), FILE.read_bytes())

    assert answer.status_code == 404


# --- By the command
def run(path, *options):
    """The report of a run; the command fails as far as customers were refused."""
    out = StringIO()
    with suppress(CommandError):
        call_command("import_customers", str(path), "--tenant", "DEFAULT", "--json", *options,
                     stdout=out, stderr=StringIO())  # fmt: skip
    return json.loads(out.getvalue())


@pytest.mark.parametrize("options", [("--format", "openloyalty-xml"), ()])
def test_the_command_checks_and_tells_the_same(shop, options):
    report = run(FILE, *options)

    counts = {name: report[name] for name in ("lines", "created", "refused", "format")}
    assert counts == {"lines": 11, "created": 7, "refused": 4, "format": "openloyalty-xml"}
    assert [(error["column"], error["message"]) for error in report["errors"]] == [
        ("birthDate", "birthDate has invalid date format (Y-m-d required)"),
        ("gender", "gender is required node"),
        ("email", "There is such a customer already."),
        ("loyaltyCardNumber", "Another customer has this card."),
    ]
    assert report["errors"][0]["line"] > 1


def test_the_command_tries_without_writing(shop):
    assert run(FILE, "--dry-run")["created"] == 7
    with in_tenant(shop):
        assert Customer.objects.count() == 0


def test_the_command_can_be_told_to_leave_known_customers_alone(shop):
    run(FILE)

    report = run(FILE, "--on-match", "skip")

    assert (report["created"], report["unchanged"], report["refused"]) == (0, 7, 3)


def test_the_command_hands_refused_customers_back(shop, tmp_path):
    refused = tmp_path / "refused.jsonl"

    run(FILE, "--errors", str(refused))

    rows = [json.loads(line) for line in refused.read_text("utf-8").splitlines()]
    assert [row["email"] for row in rows] == [
        *("bad.date@example.org", "no.gender@example.org"),
        *("ANN.LEE@example.org", "same.card@example.org"),
    ]
    assert rows[0]["refused_because"].startswith("birthDate: birthDate has invalid date format")
