"""Mappings: files that operators write, headers that are guessed, and rows that are shaped."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.imports.mapping import (
    Mapping,
    MappingError,
    Rule,
    guess_mapping,
    shape_rows,
)
from customers.imports.readers import RawRow
from customers.imports.targets import FIELDS, LIST_FIELDS, READ_ONLY, TARGETS, find_target
from customers.models import Address, ContactPerson, Customer, Email, Phone


def mapping(columns=None, **parts):
    return Mapping.from_json(json.dumps({"columns": columns or {}, **parts}))


def shape(columns, values, **parts):
    return mapping(columns, **parts).apply(RawRow(2, values))


def record(target, value, **parts):
    shaped = shape({"x": target}, {"x": value}, **parts)
    assert shaped.errors == []
    return shaped.record


def refused(target, value, **parts):
    shaped = shape({"x": target}, {"x": value}, **parts)
    assert shaped.record == {}
    (error,) = shaped.errors
    assert (error.column, error.value) == ("x", value)
    return error.message


def guess(*header):
    found, unmapped = guess_mapping(header)
    return {rule.label: "/".join(rule.to) for rule in found.rules}, unmapped


# The record


def test_fields_keep_their_text_as_it_is():
    assert record("first_name", "  Ada ") == {"first_name": "  Ada "}


def test_children_take_the_shape_that_the_services_take():
    shaped = shape(
        {
            "a": "email", "b": "email_2", "c": "mobile_phone", "d": "phone", "e": "street",
            "f": "billing_city", "g": "contact_first_name", "h": "labels", "i": "groups",
            "j": "consent_marketing", "k": "label:size", "l": "consent:parcel_sms",
        },
        {
            "a": "ada@example.com", "b": "a@example.org", "c": "41 23 45 67", "d": "22334455",
            "e": "Main street 1", "f": "Oslo", "g": "Grace", "h": "vip:yes; till:3",
            "i": "gold; staff", "j": "yes", "k": "XL", "l": "0",
        },
    )  # fmt: skip

    assert shaped.errors == []
    assert shaped.record == {
        "emails": [{"address": "ada@example.com", "primary": True}, {"address": "a@example.org"}],
        "phones": [
            {"given": "22334455", "primary": True},
            {"kind": "mobile", "given": "41 23 45 67"},
        ],
        "addresses": [
            {"kind": "home", "street": "Main street 1", "primary": True},
            {"kind": "billing", "city": "Oslo"},
        ],
        "contact_persons": [{"first_name": "Grace"}],
        "labels": [
            {"key": "vip", "value": "yes"},
            {"key": "till", "value": "3"},
            {"key": "size", "value": "XL"},
        ],
        "groups": ["gold", "staff"],
        "consents": [
            {"purpose": "marketing", "granted": True},
            {"purpose": "parcel_sms", "granted": False},
        ],
    }  # fmt: skip


def test_the_flags_of_a_contact_point_stand_beside_it():
    shaped = shape(
        {
            "a": "email",
            "b": "email_verified",
            "c": "phone",
            "d": "phone_kind",
            "e": "phone_opted_out",
        },
        {"a": "ada@example.com", "b": "1", "c": "22334455", "d": "Work", "e": "no"},
    )

    assert shaped.record["emails"] == [
        {"address": "ada@example.com", "verified": True, "primary": True}
    ]
    assert shaped.record["phones"] == [
        {"given": "22334455", "kind": "work", "opted_out": False, "primary": True}
    ]


def test_a_flag_without_its_contact_point_is_nothing():
    shaped = shape(
        {"a": "email", "b": "email_verified", "c": "phone_kind"}, {"b": "1", "c": "work"}
    )

    assert shaped.record == {}


def test_a_name_alone_is_no_address():
    assert shape({"a": "billing_first_name"}, {"a": "Ada"}).record == {}


def test_the_same_phone_or_mail_under_two_columns_is_taken_once():
    shaped = shape(
        {"a": "phone", "b": "mobile_phone", "c": "email", "d": "email_2"},
        {"a": "22 33 44 55", "b": "22334455", "c": "Ada@example.com", "d": "ada@example.com"},
    )

    assert shaped.record["phones"] == [{"given": "22 33 44 55", "kind": "mobile", "primary": True}]
    assert shaped.record["emails"] == [{"address": "Ada@example.com", "primary": True}]


def test_the_main_address_of_a_company_is_at_work():
    shaped = shape({"a": "company_name", "b": "street"}, {"a": "Acme", "b": "Main street 1"})

    assert shaped.record["addresses"][0]["kind"] == "work"


def test_the_main_address_takes_the_kind_that_the_file_names():
    shaped = shape({"a": "street", "b": "address_kind"}, {"a": "Main street 1", "b": "Delivery"})

    assert shaped.record["addresses"][0]["kind"] == "shipping"


def test_tags_become_labels():
    assert record("tags", "vip, wholesale,vip") == {
        "labels": [{"key": "vip", "value": "yes"}, {"key": "wholesale", "value": "yes"}]
    }


@pytest.mark.parametrize("blank", ["", "   ", None])
def test_a_blank_cell_is_left_out(blank):
    assert record("first_name", blank) == {}


def test_a_blank_cell_clears_where_the_mapping_says_so():
    shaped = shape(
        {
            "a": "first_name",
            "b": "email",
            "c": "groups",
            "d": "consent_marketing",
            "e": "birth_date",
        },
        {"a": "", "b": "", "c": " ", "d": "", "e": "1990-01-02"},
        blank="clear",
    )

    assert shaped.record == {
        "first_name": None, "emails": [], "groups": [], "birth_date": "1990-01-02",
    }  # fmt: skip


def test_a_filled_cell_of_a_list_keeps_a_blank_one_from_clearing_it():
    shaped = shape({"a": "email", "b": "email_2"}, {"a": "", "b": "ada@example.com"}, blank="clear")

    assert shaped.record == {"emails": [{"address": "ada@example.com", "primary": True}]}


def test_every_fault_of_a_row_is_named():
    shaped = shape(
        {"a": "birth_date", "b": "hidden", "c": "last_name"},
        {"a": "soon", "b": "perhaps", "c": "Byron"},
    )

    assert [error.column for error in shaped.errors] == ["a", "b"]
    assert shaped.record == {"last_name": "Byron"}
    assert shaped.line == 2


# Conversions


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("1987-04-02", "1987-04-02"),
        ("1987/4/2", "1987-04-02"),
        ("1987-04-02 00:00:00", "1987-04-02"),
        ("1987-04-02T00:00:00Z", "1987-04-02"),
        ("19870402", "1987-04-02"),
        ("2.4.1987", "1987-04-02"),
        ("25/12/1987", "1987-12-25"),
        ("12/25/1987", "1987-12-25"),
        ("03/03/1987", "1987-03-03"),
        ("--04-02", "--04-02"),
        ("0000-02-29", "--02-29"),
    ],
)
def test_dates_that_can_be_read_in_one_way_are_read(text, date):
    assert record("birth_date", text) == {"birth_date": date}


@pytest.mark.parametrize("text", ["0000-00-00", "00/00/0000", "00000000"])
def test_a_date_of_zeroes_is_blank(text):
    assert record("birth_date", text) == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("04/02/1987", "day/month or month/day"),
        ("04-02-1987", "day/month or month/day"),
        ("1987-02-30", "does not exist"),
        ("1987-13-01", "does not exist"),
        ("02.04.87", "not a date"),
        ("2 Avril 1987", "not a date"),
        ("soon", "not a date"),
        ("1987-04-02 later", "not a date"),
        ("04-02", "not a date"),
    ],
)
def test_dates_that_cannot_be_read_are_refused(text, words):
    assert words in refused("birth_date", text)


@pytest.mark.parametrize(("order", "date"), [("DMY", "1987-02-04"), ("MDY", "1987-04-02")])
def test_the_mapping_settles_the_order_of_a_date(order, date):
    assert record({"to": "birth_date", "dates": order}, "04/02/1987") == {"birth_date": date}
    assert record("birth_date", "04/02/1987", dates=order) == {"birth_date": date}


def test_a_date_against_the_order_of_the_mapping_is_refused():
    assert "does not exist" in refused({"to": "birth_date", "dates": "MDY"}, "25/12/1987")


def test_the_order_of_dates_is_settled_by_the_file_where_one_cell_proves_it():
    rows = [RawRow(2, {"x": "04/02/1987"}), RawRow(3, {"x": "25/12/1987"})]

    settled = mapping({"x": "birth_date"}).with_date_orders(rows)

    assert settled.apply(rows[0]).record == {"birth_date": "1987-02-04"}


@pytest.mark.parametrize("others", [[], ["05/06/1987"], ["25/12/1987", "12/25/1987"]])
def test_the_order_stays_open_without_proof_or_with_two(others):
    rows = [RawRow(n, {"x": text}) for n, text in enumerate(["04/02/1987", *others], 2)]

    settled = mapping({"x": "birth_date"}).with_date_orders(rows)

    assert "day/month" in settled.apply(rows[0]).errors[0].message


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2015-10-30", "2015-10-30"),
        ("2015-10-30 12:49:47", "2015-10-30T12:49:47"),
        ("2015-10-30T12:49:47.123Z", "2015-10-30T12:49:47.123+00:00"),
        ("2015-10-30T9:05+0200", "2015-10-30T09:05:00+02:00"),
        ("30.10.2015 12:49", "2015-10-30T12:49:00"),
    ],
)
def test_moments_keep_the_offset_that_the_file_states(text, moment):
    assert record("created_at", text) == {"created_at": moment}


@pytest.mark.parametrize("text", ["2015-10-30 25:00", "2015-10-30T12:00+99:00", "--10-30", "noon"])
def test_moments_that_do_not_exist_are_refused(text):
    assert refused("created_at", text)


@pytest.mark.parametrize(
    ("word", "truth"), [("1", True), ("Yes", True), ("JA", True), ("0", False), ("nei", False)]
)
def test_yes_and_no_are_understood(word, truth):
    assert record("hidden", word) == {"hidden": truth}


@pytest.mark.parametrize("word", ["maybe", "2", "-"])
def test_a_word_that_is_neither_yes_nor_no_is_refused(word):
    assert "neither yes nor no" in refused("hidden", word)


def test_the_mapping_names_its_own_words_for_yes_and_no():
    columns = {"to": "hidden", "true": ["oppe"], "false": ["nede"]}

    assert record(columns, "Nede") == {"hidden": False}
    assert "neither" in refused(columns, "yes")


@pytest.mark.parametrize(("text", "number"), [("12345", 12345), ("CUST-12345", 12345)])
def test_a_customer_number_is_read_with_and_without_its_letters(text, number):
    assert record("number", text) == {"number": number}


@pytest.mark.parametrize(("target", "text"), [
    ("number", "A-17"), ("number", "1" * 19), ("payment_terms_days", "14.5"),
    ("payment_terms_days", "two weeks"), ("credit_limit", "much"), ("credit_limit", "1e400"),
    ("payment_terms_days", "١٤"), ("credit_limit", "1" * 400), ("discount_percent", "10 %"),
    ("latitude", "59°"),
])  # fmt: skip
def test_a_text_that_is_no_number_is_refused(target, text):
    assert "number" in refused(target, text)


def test_a_whole_number_as_spreadsheets_write_it_is_read():
    assert record("payment_terms_days", "14.0") == {"payment_terms_days": 14}


def test_a_decimal_comma_is_asked_for_and_not_guessed():
    assert '"decimal": ","' in refused("credit_limit", "1.234,50")
    assert record("credit_limit", "1.234,50", decimal=",") == {"credit_limit": Decimal("1234.50")}


@pytest.mark.parametrize(
    ("target", "text", "value"),
    [("gender", "F", "female"), ("status", "Blocked", "blocked"), ("kind", "business", "company")],
)
def test_common_words_for_a_choice_are_understood(target, text, value):
    assert record(target, text) == {target: value}


@pytest.mark.parametrize("target", ["gender", "status", "kind", "card_state"])
def test_an_unknown_choice_is_refused_with_the_known_ones(target):
    assert "is not one of" in refused(target, "purple")


@pytest.mark.parametrize("text", ["vip", "vip:yes;gold", ":yes"])
def test_a_label_without_key_or_value_is_refused(text):
    assert refused("labels", text)


def test_a_table_translates_whole_cells():
    column = {"to": "gender", "values": {"1": "male", "2": "female", "9": None}}

    assert record(column, "2 ") == {"gender": "female"}
    assert record(column, "9") == {}
    assert refused(column, "3") == "is not one of 1, 2, 9"


@pytest.mark.parametrize(("otherwise", "expected"), [("blank", {}), ("keep", {"gender": "female"})])
def test_a_table_says_what_happens_otherwise(otherwise, expected):
    column = {"to": "gender", "values": {"1": "male"}, "otherwise": otherwise}

    assert record(column, "female") == expected


def test_columns_are_joined():
    shaped = shape(
        {"Last": "last_name"},
        {"Last": "Byron", "No": "12", "Street": "Main street"},
        joined=[{"from": ["Street", "No"], "to": "street"}],
    )

    assert shaped.record["addresses"][0]["street"] == "Main street 12"


def test_a_join_of_blank_cells_is_blank():
    joined = [{"from": ["Street", "No"], "with": ", ", "to": "street"}]

    assert shape({}, {"No": " ", "Street": ""}, joined=joined).record == {}


@pytest.mark.parametrize(
    ("at", "first", "last"), [("last", "Ada King", "Lovelace"), ("first", "Ada", "King Lovelace")]
)
def test_a_cell_is_split(at, first, last):
    column = {"to": ["first_name", "last_name"], "split": " ", "at": at}

    assert record(column, "Ada King Lovelace") == {"first_name": first, "last_name": last}


def test_a_cell_with_one_word_is_a_last_name_where_it_is_split_at_the_last_space():
    column = {"to": ["first_name", "last_name"], "split": " ", "at": "last"}

    assert record(column, "Lovelace") == {"last_name": "Lovelace"}


def test_constants_fill_every_row():
    shaped = shape(
        {"x": "last_name"}, {"x": "Byron"}, constants={"origin": "till", "hidden": False}
    )

    assert shaped.record == {"last_name": "Byron", "origin": "till", "hidden": False}


# Values from JSON


def test_whole_lists_are_taken_from_json():
    shaped = shape(
        {"emails": "emails", "phones": "phones", "addresses": "addresses", "labels": "labels"},
        {
            "emails": ["ada@example.com", {"address": "a@example.org", "primary": True}],
            "phones": [
                {"given": "22334455", "e164": "+4722334455", "kind": "work", "extension": ""}
            ],
            "addresses": [{"kind": "home", "country": "NO", "latitude": Decimal("59.9")}],
            "labels": {"vip": "yes"},
        },
    )

    assert shaped.errors == []
    assert shaped.record == {
        "emails": [{"address": "ada@example.com"}, {"address": "a@example.org", "primary": True}],
        "phones": [{"given": "22334455", "kind": "work", "primary": True}],
        "addresses": [
            {"kind": "home", "country": "NO", "latitude": Decimal("59.9"), "primary": True}
        ],
        "labels": [{"key": "vip", "value": "yes"}],
    }


def test_a_whole_list_may_stand_in_a_cell_as_json():
    assert record("emails", '[{"address": "ada@example.com", "verified": true}]') == {
        "emails": [{"address": "ada@example.com", "verified": True, "primary": True}]
    }


@pytest.mark.parametrize(
    ("target", "value", "words"),
    [
        ("emails", "ada@example.com", "written as JSON"),
        ("emails", {"address": "x"}, "has to be a list"),
        ("emails", [17], "item 1 is not an object"),
        ("emails", [{"adress": "x"}], "the nearest is “address”"),
        ("emails", [{"verified": True}], "has no “address”"),
        ("phones", [{"given": ["1"]}], "has to be a text"),
        ("phones", [{"given": "1", "kind": "pigeon"}], "is not one of"),
        ("addresses", [{"street": {}}], "has to be a text"),
        ("consents", [{"purpose": "marketing", "granted": "perhaps"}], "neither yes nor no"),
        ("labels", [{"key": 1, "value": "x"}], "label"),
        ("labels", [{"key": "a", "colour": "x"}], "key and value"),
        ("labels", 17, "key:value"),
        ("groups", [1], "group codes"),
        ("tags", [{}], "list of words"),
        ("first_name", ["Ada"], "has to be a text"),
        ("first_name", True, "has to be a text"),
        ("birth_date", 19870402, "not a date"),
        ("payment_terms_days", True, "whole number"),
        ("credit_limit", True, "not a number"),
        ("credit_limit", [1], "not a number"),
    ],
)
def test_a_json_value_of_the_wrong_form_is_refused(target, value, words):
    assert words in refused(target, value)


def test_a_key_that_the_first_records_did_not_have_is_an_error_of_its_row():
    class Json(list):
        kind = "jsonl"

    source = Json([RawRow(1, {"x": "Ada"}), RawRow(2, {"x": "Grace", "frist_name": "G"})])

    first, second = shape_rows(source, mapping({"x": "last_name"}))

    assert first.errors == []
    assert "the nearest is “first_name”" in second.errors[0].message


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False) | st.text(),
    lambda child: st.lists(child, max_size=3) | st.dictionaries(st.text(), child, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(sorted(TARGETS)), JSON_VALUES, max_size=4))
def test_any_value_is_shaped_or_named_as_an_error(values):
    own = Mapping(tuple(Rule.plain(name, name) for name in sorted(TARGETS) if name != "tags"))

    shaped = own.apply(RawRow(2, values))

    assert {error.column for error in shaped.errors} <= set(values)


# Mapping files


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("nonsense", "the mapping is not valid JSON"),
        ("[" * 100_000, "the mapping is not valid JSON"),
        ("[]", "has to be an object"),
        ("{}", "columns: names no column that is to be read"),
        ('{"colums": {}}', "colums: is not a setting; known are"),
        ('{"columns": []}', "columns: has to be an object"),
        ('{"columns": {"x": null}}', "columns: names no column that is to be read"),
        ('{"columns": {"x": "a", "x": "b"}}', "x: stands twice in the mapping"),
        ('{"columns": {"x": "brith_date"}}',
         "columns.x: “brith_date” is not a column of ours; the nearest is “birth_date”"),
        ('{"columns": {"x": "zzz"}}', "columns.x: “zzz” is not a column of ours"),
        ('{"columns": {"x": "password"}}', "columns.x: “password” cannot be imported: passwords"),
        ('{"columns": {"x": "version"}}', "columns.x: “version” cannot be imported: the system"),
        ('{"columns": {"x": 5}}', "columns.x: has to be an object"),
        ('{"columns": {"x": {}}}', "columns.x.to: is missing"),
        ('{"columns": {"x": {"to": []}}}', "columns.x.to: has to be a text or a list of texts"),
        ('{"columns": {"x": {"to": "name", "form": 1}}}', "columns.x.form: is not a setting"),
        ('{"columns": {"x": {"to": "name", "split": " "}}}', "columns.x.split: belongs to a cell"),
        ('{"columns": {"x": {"to": ["name", "email"]}}}', "columns.x.split: belongs to a cell"),
        ('{"columns": {"x": {"to": ["name", "email"], "split": ""}}}', "columns.x.split: has to"),
        ('{"columns": {"x": {"to": ["name", "email", "phone"], "split": " ", "at": "last"}}}',
         "columns.x.at: “last” cuts into two"),
        ('{"columns": {"x": {"to": "gender", "values": []}}}', "columns.x.values: has to be an"),
        ('{"columns": {"x": {"to": "gender", "values": {"1": []}}}}', "columns.x.values: transl"),
        ('{"columns": {"x": {"to": "gender", "otherwise": "keep"}}}', "columns.x.otherwise: has"),
        ('{"columns": {"x": {"to": "gender", "values": {}, "otherwise": "die"}}}',
         "columns.x.otherwise: “die” is not one of refuse, keep, blank"),
        ('{"columns": {"x": {"to": "birth_date", "dates": "DYM"}}}', "columns.x.dates: “DYM” is"),
        ('{"columns": {"x": {"to": "hidden", "true": "a", "false": "A"}}}', "columns.x.true: “a”"),
        ('{"columns": {"x": "name"}, "dates": "dmy"}', "dates: “dmy” is not one of DMY, MDY, YMD"),
        ('{"columns": {"x": "name"}, "decimal": ";"}', "decimal: “;” is not one of ., ,"),
        ('{"columns": {"x": "name"}, "blank": "wipe"}', "blank: “wipe” is not one of keep, clear"),
        ('{"columns": {"x": "name"}, "match": "name"}', "match: “name” is not one of id, number"),
        ('{"columns": {"x": "name"}, "match": []}', "match: “[]” is not one of"),
        ('{"columns": {"x": "name", "y": "name"}}', "columns.y: “name” is already filled by “x”"),
        ('{"columns": {"x": "name"}, "constants": {"name": "y"}}', "is already filled by “x”"),
        ('{"columns": {"x": "name"}, "constants": {"origin": []}}', "constants.origin: has to be"),
        ('{"columns": {"x": "name"}, "constants": {"orgin": "a"}}', "constants.orgin: “orgin” is"),
        ('{"columns": {"x": "name"}, "constants": []}', "constants: has to be an object"),
        ('{"joined": {}}', "joined: has to be a list"),
        ('{"joined": [{"to": "street"}]}', "joined[1].from: has to be a text or a list"),
        ('{"joined": [{"from": ["a"], "to": "stret"}]}', "joined[1]: “stret” is not a column"),
        ('{"joined": [{"from": ["a"], "to": "street", "with": 1}]}', "joined[1].with: has to be"),
    ],
)  # fmt: skip
def test_a_wrong_mapping_file_is_refused_with_its_key(content, message):
    with pytest.raises(MappingError) as caught:
        Mapping.from_json(content)

    assert message in str(caught.value)


def test_a_column_that_the_file_does_not_have_is_refused_with_the_nearest():
    with pytest.raises(MappingError, match="columns.Kundenr: .* the nearest is “Kundennr”"):
        mapping({"Kundenr": "external_id"}).bind(["Kundennr", "Name"])


def test_columns_are_found_without_regard_to_case_and_signs():
    bound = mapping({"E-Mail*": "email"}).bind(["e-mail", "Name"])

    assert bound.columns == {"e-mail"}
    assert bound.unmapped(["e-mail", "Name"]) == [("Name", "name", "")]


def test_a_column_that_the_mapping_ignores_is_not_unmapped():
    assert mapping({"x": "name", "y": None}).unmapped(["x", "y"]) == []


# Targets


def test_everything_that_a_caller_may_set_can_be_imported():
    extras = {"id", "number", "status", "created_at"} | {
        "charge_account_number",
        "charge_account_retired",
        "level",
    }

    assert set(Customer.PROFILE) | extras == set(FIELDS)
    assert set(Customer.CHILD_LISTS) <= set(TARGETS)


@pytest.mark.parametrize(
    ("list_name", "model"),
    [
        ("emails", Email),
        ("phones", Phone),
        ("addresses", Address),
        ("contact_persons", ContactPerson),
    ],
)
def test_every_field_of_a_child_row_can_be_imported(list_name, model):
    assert set(model.FIELDS) | {"id"} == set(LIST_FIELDS[list_name])


def test_no_column_that_the_system_keeps_is_a_target():
    assert not set(READ_ONLY) & set(TARGETS)


@pytest.mark.parametrize("name", ["email_3", "phone_2_extension", "address_2_street",
                                  "shipping_latitude", "contact_2_email", "work_phone",
                                  "label:anything at all", "consent:own_purpose"])  # fmt: skip
def test_names_of_children_are_targets(name):
    assert find_target(name).name == name


@pytest.mark.parametrize(
    "name",
    ["email_1", "email_10", "emails.0.address", "label:", "consent_own", "password_hash", ""],
)
def test_other_names_are_not(name):
    assert find_target(name) is None


def test_a_rule_for_an_unknown_target_cannot_be_made():
    with pytest.raises(MappingError):
        Rule.plain("x", "nmae")


# Guessing


@pytest.mark.parametrize(
    ("header", "target"),
    [
        ("CustomerId", "external_id"), ("customer_number", "external_id"),
        ("Kundennr.", "external_id"), ("COMPANY", "company_name"),
        ("FirstName", "first_name"), ("First Name *", "first_name"), ("given-name", "first_name"),
        ("Vorname", "first_name"), ("Prénom", "first_name"), ("Fornavn", "first_name"),
        ("surname", "last_name"), ("Etternavn", "last_name"), ("USER-NAME", "username"),
        ("E-Mail", "email"), ("Email Address", "email"), ("e-post", "email"),
        ("customer_email", "email"), ("Email 2", "email_2"), ("Tel.", "phone"),
        ("Telefon", "phone"), ("Mobile Number", "mobile_phone"), ("Handy", "mobile_phone"),
        ("Fax", "other_phone"), ("Home Phone", "home_phone"), ("Street Address", "street"),
        ("Address Line 2", "street2"), ("Straße", "street"), ("PLZ", "postal_code"),
        ("PostalCode", "postal_code"), ("ZIP/Postal", "postal_code"), ("Poststed", "city"),
        ("Ort", "city"), ("Land", "country"), ("Country Code", "country"),
        ("Billing Address", "billing_street"), ("BillingPostalCode", "billing_postal_code"),
        ("ship_city", "shipping_city"), ("Lieferadresse PLZ", "shipping_postal_code"),
        ("DOB", "birth_date"), ("Date of Birth (dd/mm/yyyy)", "birth_date"),
        ("Geburtsdatum", "birth_date"), ("Fødselsdato", "birth_date"), ("VAT No.", "vat_number"),
        ("Newsletter", "consent_marketing"), ("Notes", "internal_note"), ("Tags", "tags"),
        ("Kd-Nr.", "external_id"), ("N° client", "external_id"), ("Geb.-Datum", "birth_date"),
        ("State/Region", "state"), ("Create Date", "created_at"),
        ("physical_address1", "home_street"), ("physical_postcode", "home_postal_code"),
        ("physical_country_id", "home_country"),
        ("Customer Since", "created_at"), ("first_name", "first_name"), ("No-Email", "no_email"),
    ],
)  # fmt: skip
def test_common_headers_are_understood(header, target):
    assert guess(header)[0][header] == target


@pytest.mark.parametrize(
    "header", ["Title", "SupportRepId", "Balance", "Total", "InvoiceId", "qwert"]
)
def test_headers_that_say_nothing_certain_are_named_and_not_guessed(header):
    columns, (unmapped,) = guess(header)

    assert columns == {}
    assert unmapped.column == header


def test_an_unknown_header_is_named_with_the_nearest_known_one():
    assert guess("email", "frist_nam")[1] == [("frist_nam", "first_name", "")]


@pytest.mark.parametrize("header", ["Password", "passwd", "password_hash", "Mot de passe"])
def test_a_password_is_never_mapped(header):
    columns, (unmapped,) = guess(header)

    assert columns == {}
    assert "never imported" in unmapped.reason


def test_the_second_column_for_one_target_is_named_with_the_reason():
    _, (unmapped,) = guess("City", "Town")

    assert unmapped == ("Town", None, "“City” already fills city")


def test_our_own_name_wins_over_a_word_that_sounds_like_it():
    assert guess("Town", "city")[0] == {"city": "city"}


def test_a_second_phone_takes_the_next_slot():
    assert guess("Phone", "Telephone")[0] == {"Phone": "phone", "Telephone": "phone_2"}


def test_an_id_is_the_key_where_there_is_no_customer_number():
    assert guess("id", "email")[0]["id"] == "external_id"
    assert guess("id", "Customer No", "email")[0] == {
        "Customer No": "external_id",
        "email": "email",
    }


def test_a_name_beside_a_first_name_is_the_last_name():
    assert guess("Name", "Vorname")[0] == {"Name": "last_name", "Vorname": "first_name"}
    assert guess("Prénom", "Nom")[0] == {"Prénom": "first_name", "Nom": "last_name"}


def test_a_contact_name_is_a_contact_person_of_a_company():
    columns, _ = guess("company_name", "contact_name")

    assert columns["contact_name"] == "contact_first_name/contact_last_name"


def test_a_contact_name_without_a_company_is_the_customer():
    assert guess("contact_name", "phone")[0]["contact_name"] == "name"


def test_customers_with_nothing_but_a_company_name_are_companies():
    found, _ = guess_mapping(["company", "phone"])

    assert found.apply(RawRow(2, {"company": "Acme"})).record == {
        "company_name": "Acme", "kind": "company",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("header", "street"), [("street_number", "5 Main"), ("Hausnummer", "Main 5")]
)
def test_a_house_number_is_joined_as_its_country_writes_it(header, street):
    found, unmapped = guess_mapping(["street", header])

    assert unmapped == []
    assert (
        found.apply(RawRow(2, {"street": "Main", header: "5"})).record["addresses"][0]["street"]
        == street
    )


def test_a_flag_for_active_customers_becomes_the_status():
    found, _ = guess_mapping(["name", "Active"])

    assert found.apply(RawRow(2, {"name": "Ada", "Active": "0"})).record["status"] == "blocked"


def test_a_form_of_address_that_says_nothing_about_gender_is_blank():
    found, _ = guess_mapping(["name", "Anrede"])

    assert found.apply(RawRow(2, {"name": "Ada", "Anrede": "Dr."})).record == {"name": "Ada"}
    assert found.apply(RawRow(2, {"name": "Ada", "Anrede": "Frau"})).record["gender"] == "female"


def test_the_match_key_is_the_strongest_one_that_the_file_has():
    assert guess_mapping(["email", "customer_id"])[0].match == "external_id"
    assert guess_mapping(["phone", "email"])[0].match == "email"
    assert guess_mapping(["name"])[0].match is None


def test_a_file_of_sales_does_not_name_customers():
    assert not guess_mapping(["InvoiceId", "CustomerId", "BillingCity", "Total"])[
        0
    ].names_customers()
    assert guess_mapping(["CustomerId", "LastName"])[0].names_customers()
