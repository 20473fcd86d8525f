"""Hostile and broken bodies: 400 with a sentence, quickly, and nothing is written."""

import json
import time

import pytest
from rest_framework.exceptions import ParseError

from api.parsers import loads
from customers.models import Customer
from tenancy.scoping import all_tenants

pytestmark = pytest.mark.django_db

DEEP = 100_000


def raw(api, content, *, content_type="application/json", path="customers/"):
    # Not `post`: the test client would encode the content by the charset that it names.
    return api.client.generic(
        "POST", f"/api/v1/{path}", content, content_type, headers=api.headers(None)
    )


HOSTILE = {
    "empty": b" ",
    "truncated": b'{"first_name": "Ada"',
    "open string": b'{"first_name": "Ada',
    "deep lists": b'{"first_name": ' + b"[" * DEEP + b"]" * DEEP + b"}",
    "deep objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "only brackets": b"[" * DEEP,
    "33 levels": b"[" * 33 + b"]" * 33,
    "NaN": b'{"credit_limit": NaN}',
    "infinity": b'{"credit_limit": Infinity}',
    "minus infinity": b'{"credit_limit": -Infinity}',
    "1e400": b'{"credit_limit": 1e400}',
    "1e-400": b'{"credit_limit": 1e-400}',
    "5000 digits": b'{"credit_limit": ' + b"9" * 5000 + b"}",
    "a million digits": b'{"credit_limit": ' + b"9" * 1_000_000 + b"}",
    "5000 decimals": b'{"credit_limit": 0.' + b"9" * 5000 + b"}",
    "an exponent of a million digits": b'{"credit_limit": 1e' + b"9" * 1_000_000 + b"}",
    "2^63": b'{"credit_limit": 9223372036854775808}',
    "duplicate key": b'{"first_name": "Ada", "first_name": "Grace"}',
    "duplicate key below": b'{"emails": [{"address": "a@b.no", "address": "c@d.no"}]}',
    "escaped NUL": rb'{"first_name": "A\u0000da"}',
    "NUL in a key": rb'{"first\u0000name": "Ada"}',
    "raw NUL": b'{"first_name": "A\x00da"}',
    "lone surrogate": rb'{"first_name": "\ud800"}',
    "second half alone": rb'{"first_name": "\udfff"}',
    "lone surrogate below": rb'{"emails": [{"address": "\ud83d"}]}',
    "latin-1": '{"first_name": "Åse"}'.encode("latin-1"),
    "utf-16": '{"first_name": "Ada"}'.encode("utf-16"),
    "surrogate as bytes": b'{"first_name": "\xed\xa0\x80"}',
    "overlong": b'{"first_name": "\xc0\x80"}',
    "single quotes": b"{'first_name': 'Ada'}",
    "trailing comma": b'{"first_name": "Ada",}',
    "comment": b'{"first_name": "Ada"} // hello',
    "two documents": b'{"first_name": "Ada"}{"first_name": "Grace"}',
    "control character": b'{"first_name": "A\x01da"}',
    "a list": b'["Ada"]',
    "a word": b'"Ada"',
    "a number": b"5",
    "null": b"null",
    "form": b"first_name=Ada",
    "xml": b"<customer/>",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_body_is_refused_fast(admin, name):
    start = time.perf_counter()

    answer = raw(admin, HOSTILE[name])

    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert time.perf_counter() - start < 0.5
    with all_tenants():
        assert not Customer.objects.exists()


def test_a_refusal_of_unstorable_text_says_where(admin):
    answer = raw(admin, rb'{"emails": [{"address": "a@b.no"}, {"address": "\u0000"}]}')

    assert "emails.1.address" in answer.json()["detail"]


def test_a_body_over_the_limit_is_too_large(admin, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000

    answer = raw(admin, b'{"first_name": "' + b"a" * 1000 + b'"}')

    assert answer.status_code == 413


def test_three_megabytes_are_too_large(admin):
    assert raw(admin, b'"' + b"a" * 3_000_000 + b'"').status_code == 413


@pytest.mark.parametrize("charset", ["latin-1", "utf-16", "bogus", "utf-8-sig"])
def test_another_charset_is_refused(admin, charset):
    answer = raw(
        admin, b'{"first_name": "Ada"}', content_type=f"application/json; charset={charset}"
    )

    assert answer.status_code == 400


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data"],
)
def test_another_media_type_is_not_understood(admin, content_type):
    answer = raw(admin, b"first_name=Ada", content_type=content_type)

    assert answer.status_code == 415


def test_utf_8_may_be_named(admin):
    body = json.dumps({"first_name": "Åse"}).encode()

    assert raw(admin, body, content_type='application/json; charset="UTF-8"').status_code == 201


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b'"\\ud83d\\ude00"', "\U0001f600"),
        (b"\xef\xbb\xbf{}", {}),
        (b"[" * 32 + b"]" * 32, None),
        (b"9223372036854775807", 2**63 - 1),
        (b'"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["', "[" * 36),
        (b'"\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["', '"' + "[" * 36),
        (b"5.0", 5.0),
        (b"0.1", 0.1),
    ],
)
def test_what_is_allowed_comes_through(text, value):
    found = loads(text)

    assert value is None or found == value


@pytest.mark.parametrize("text", [b"-9223372036854775809", b"1" * 41, b"1e19", b"1.5e-50"])
def test_numbers_out_of_range_are_refused(text):
    with pytest.raises(ParseError):
        loads(text)


def test_exact_money_survives(admin):
    answer = raw(admin, b'{"first_name": "A", "credit_limit": 90071992547409.91}')

    assert answer.status_code == 201
    assert b'"credit_limit":90071992547409.91' in answer.content


@pytest.mark.parametrize(
    "body",
    [
        {"emails": "a@b.no"},
        {"emails": {"address": "a@b.no"}},
        {"emails": ["a@b.no"]},
        {"emails": [None]},
        {"emails": [{}]},
        {"emails": [{"address": 5}]},
        {"emails": [{"address": ["a@b.no"]}]},
        {"emails": [{"address": "a@b.no", "primary": "maybe"}]},
        {"emails": [{"address": "a@b.no", "id": {"a": 1}}]},
        {"emails": [{"address": "a@b.no"}] * 101},
        {"phones": [{"given": 5}]},
        {"phones": [{"given": True}]},
        {"addresses": [{"latitude": "north"}]},
        {"addresses": [{"latitude": 91}]},
        {"addresses": [{"country": "Norway of course"}]},
        {"labels": [{"key": ""}]},
        {"labels": [{"key": {"a": 1}}]},
        {"contact_persons": [{"first_name": 5}]},
        {"consents": {"marketing": True}},
        {"consents": [True]},
        {"consents": [{"purpose": "marketing"}]},
        {"consents": [{"purpose": ["marketing"], "granted": True}]},
        {"consents": [{"purpose": "marketing", "granted": "maybe"}]},
        {"groups": "vip"},
        {"groups": ["nowhere"]},
        {"groups": [[]]},
        {"name": 5},
        {"name": ["Ada"]},
        {"name": {"first": "Ada"}},
        {"name": "a" * 251},
        {"kind": "alien"},
        {"kind": ["person"]},
        {"gender": 1},
        {"birth_date": 19851210},
        {"birth_date": "1985-02-30"},
        {"birth_date": ["1985"]},
        {"language": 5},
        {"language": ["nb"]},
        {"eu_citizen": "perhaps"},
        {"eu_citizen": []},
        {"hidden": "x"},
        {"discount_percent": 101},
        {"discount_percent": -1},
        {"discount_percent": "ten"},
        {"discount_percent": 2**40},
        {"payment_terms_days": 40000},
        {"payment_terms_days": 1.5},
        {"ledger_number": "12a"},
        {"ledger_number": 12},
        {"credit_limit": "many"},
        {"credit_limit": 0.001},
        {"credit_limit": [1]},
        {"credit_limit": 9223372036854775807},
        {"home_store": "nowhere"},
        {"home_store": 5},
        {"home_store": {"code": "main"}},
        {"home_store": ["main"]},
        {"seller": "nobody@example.org"},
        {"seller": 7},
        {"seller": ["a"]},
        {"external_id": 5},
        {"external_id": "\u202ehidden"},
        {"login_email": "nonsense"},
        {"login_email": 5},
        {"login_email": ["a@b.no"]},
        {"login_phone": "phone"},
        {"login_phone": 47},
        {"vat_number": 5},
        {"internal_note": 5},
        {"id": "not-a-uuid"},
        {"id": 5},
        {"id": ["a"]},
        {"password": 5},
        {"password": "short"},
        {"password": ["a" * 20]},
        {"status": "blocked"},
        {"status": ["new"]},
        {"status": {"a": 1}},
        {"store": "nowhere"},
        {"store": 5},
        {"store": ["a"]},
    ],
    ids=lambda body: json.dumps(body)[:60],
)
def test_a_bad_value_names_its_field(admin, body):
    answer = admin.post("customers/", {"first_name": "Ada", **body})

    assert answer.status_code == 400
    assert {error["field"].split(".")[0] for error in answer.json()["errors"]} == set(body)


@pytest.mark.parametrize("body", [{}, {"gender": "male"}, {"consents": []}, {"first_name": " "}])
def test_a_registration_of_nobody_is_refused(admin, body):
    answer = admin.post("customers/", body)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "name"
