"""Bodies: forms with bracketed names and JSON mean the same; hostile ones are refused."""

import json
import time
from urllib.parse import quote

import pytest
from rest_framework.exceptions import ParseError

from dialects.openloyalty.parsers import nested, pairs
from tests.dialects.openloyalty.client import all_errors, customer

FORM = "application/x-www-form-urlencoded"
JOHN = {"firstName": "John", "lastName": "Kowalski", "email": "john@example.com", "agreement1": 1}

ODD_TEXTS = [
    "x" * 100_000,
    "a\tb",
    "a\nb",
    "\u202eevil",
    "é" * 300,
    "👩‍👩‍👧‍👦",
    "%00",
    "' OR 1=1 --",
]
PARAMETERS = [
    *("firstName", "email", "phone", "emailOrPhone", "loyaltyCardNumber", "sort", "direction"),
    *("page", "perPage", "strict", "hoursFromLastUpdateTo", "_locale"),
    *("labels", "labels[0]", "labels[0][key]", "nobody[knows]"),
]
ODD_VALUES = [
    *("%00", "abc", "1" * 40, "-1", "((a+)+)+$", "%" * 500, "%25%30%30", "_", "\\", "null", "%ff"),
    *("1e400", "-99999999999", "0", "%F0%9F%98%80", "1.5", "nan", "inf"),
]


@pytest.mark.parametrize(
    ("text", "structure"),
    [
        (b"", {}),
        (b"a=1&b=", {"a": "1", "b": ""}),
        (b"a", {"a": ""}),
        (b"&&a=1&", {"a": "1"}),
        (b"a[b][c]=1&a[b][d]=2", {"a": {"b": {"c": "1", "d": "2"}}}),
        (b"a%5Bb%5D=x%20y+z", {"a": {"b": "x y z"}}),
        (b"a[]=1&a[]=2", {"a": {"0": "1", "1": "2"}}),
        (b"a[1]=x&a[]=y&a[]=z", {"a": {"1": "x", "2": "z"} | {"2": "y", "3": "z"}}),
        (b"a=1&a=2", {"a": "2"}),
        (b"a=1&a[b]=2", {"a": {"b": "2"}}),
        (b"a[b]=2&a=1", {"a": "1"}),
        (b"a[b=1", {"a[b": "1"}),
        (b"[a]=1", {"[a]": "1"}),
        (b"a=1=2", {"a": "1=2"}),
        ("n=Łódź".encode(), {"n": "Łódź"}),
    ],
)
def test_bracketed_names_nest(text, structure):
    assert nested(pairs(text)) == structure


@pytest.mark.parametrize(
    "text",
    [
        b"a=%00",
        b"a%00=1",
        b"a=%ff",
        b"a=%ED%A0%80",
        b"a" + b"[b]" * 40 + b"=1",
        b"a" + b"[b]" * 100_000 + b"=1",
        b"[" * 100_000 + b"=1",
        b"x" * 2_000 + b"=1",
        b"&".join(b"a%d=1" % n for n in range(6_000)),
    ],
)
def test_a_form_that_nothing_can_hold_is_refused_at_once(text):
    begin = time.perf_counter()

    with pytest.raises(ParseError):
        nested(pairs(text))

    assert time.perf_counter() - begin < 2


@pytest.mark.django_db
class TestOverHttp:
    def test_a_form_and_json_say_the_same(self, admin):
        form = admin.post("customer/register", customer(**JOHN, address__city="Łódź"))
        json_ = admin.post(
            "customer/register",
            json={"customer": JOHN | {"email": "j@example.com", "address": {"city": "Łódź"}}},
        )

        told = [admin.get(f"customer/{one.json()['customerId']}").json() for one in (form, json_)]
        assert [one["address"] for one in told] == [{"city": "Łódź"}] * 2
        assert [one["agreement1"] for one in told] == [True, True]

    def test_multipart_says_the_same(self, admin):
        answer = admin.post("customer/register", customer(**JOHN), files={})

        assert answer.status_code == 200

    @pytest.mark.parametrize(
        ("body", "content_type", "status"),
        [
            (b"{", "application/json", 400),
            (b'{"customer": {"firstName": "a", "firstName": "b"}}', "application/json", 400),
            (b'{"customer":' * 100_000, "application/json", 400),
            (b'{"customer": {"phone": %s}}' % (b"9" * 5_000), "application/json", 400),
            (b'{"customer": {"phone": NaN}}', "application/json", 400),
            (b'{"customer": {"firstName": "\\ud800"}}', "application/json", 400),
            (b'{"customer": {"firstName": "\\u0000"}}', "application/json", 400),
            (b"[1, 2]", "application/json", 400),
            (b'"customer"', "application/json", 400),
            (b"customer[firstName]=%00", FORM, 400),
            (b"customer[firstName]=\xff", FORM, 400),
            (b"customer" + b"[a]" * 100_000 + b"=1", FORM, 400),
            (b"customer[firstName]=" + b"x" * 3_000_000, FORM, 413),
            (b"<customer/>", "application/xml", 415),
            (b"x", "multipart/form-data", 400),
            (b"x", "multipart/form-data; boundary=x", 400),
        ],
    )
    def test_a_hostile_body_is_refused_in_the_vendors_envelope(
        self, admin, body, content_type, status
    ):
        answer = admin.post("customer/register", body, content_type=content_type)

        assert answer.status_code == status
        assert set(answer.json()) <= {"error", "form", "errors"}

    @pytest.mark.parametrize("value", [[], ["x"], {"a": "b"}, 1.5, True, 10**18, {"a": {}}])
    @pytest.mark.parametrize(
        "name", ["firstName", "email", "phone", "birthDate", "gender", "loyaltyCardNumber", "posId"]
    )
    def test_a_value_of_another_kind_is_refused_at_its_field(self, admin, name, value):
        answer = admin.post("customer/register", json={"customer": JOHN | {name: value}})

        if answer.status_code != 200:
            assert answer.status_code == 400
            assert set(all_errors(answer)) == {name}
        else:
            assert isinstance(value, int)

    @pytest.mark.parametrize("value", ["x", [], 1, {"street": []}, {"street": "x", "more": "y"}])
    @pytest.mark.parametrize("name", ["address", "company"])
    def test_a_group_of_another_kind_is_refused(self, admin, name, value):
        answer = admin.post("customer/register", json={"customer": JOHN | {name: value}})

        assert answer.status_code == 400
        assert any(path.startswith(name) for path in all_errors(answer))

    @pytest.mark.parametrize("text", ODD_TEXTS, ids=range(len(ODD_TEXTS)))
    @pytest.mark.parametrize("name", ["firstName", "loyaltyCardNumber", "address__city", "labels"])
    def test_odd_texts_are_kept_or_refused_at_their_field(self, admin, name, text):
        given = f"{text}:{text}" if name == "labels" else text
        answer = admin.post("customer/register", customer(**(JOHN | {name: given})))

        assert admin.get("customer").status_code == 200
        if answer.status_code == 200:
            assert json.dumps(text)[1:-1] in json.dumps(admin.get("customer").json())
        else:
            assert answer.status_code == 400
            assert all_errors(answer)

    @pytest.mark.parametrize("name", PARAMETERS)
    def test_no_parameter_breaks_the_list(self, admin, register, name):
        for value in ODD_VALUES:
            for asked in (f"{quote(name)}={value}", f"{quote(name)}={quote(value)}"):
                assert admin.get(f"customer?{asked}").status_code in (200, 400)


@pytest.mark.parametrize(
    ("body", "phone"),
    [
        ("customer[phone]=+48234234000", "+48234234000"),
        ("customer[phone]=%2B48234234000", "+48234234000"),
        ("customer[phone]=48234234000+", "48234234000"),
    ],
)
def test_a_plus_that_nobody_encoded_is_a_plus(admin, register, body, phone):
    one = register()

    assert admin.put(f"customer/{one}", body).status_code == 200
    assert admin.get(f"customer/{one}").json()["phone"] == phone


def test_a_space_in_json_is_a_space(admin, register):
    one = register()

    answer = admin.put(f"customer/{one}", json={"customer": {"phone": " 234234000"}})

    assert answer.status_code == 200
    assert admin.get(f"customer/{one}").json()["phone"] == "234234000"
