"""What makes two records look like one person, and what does not."""

import pytest

from customers.likeness import KEYS, compare, keys_of, person_of
from customers.likeness.blocking import sound
from customers.likeness.scoring import WEIGHTS
from customers.likeness.wording import WORDS
from customers.models import LikenessKeys

BLANK = {
    **dict.fromkeys(
        ("name", "first_name", "last_name", "company_name", "vat_number", "login_email",
         "login_phone_key"), ""
    ),
    **dict.fromkeys(("birth_year", "birth_month", "birth_day")),
    "kind": "person",
}  # fmt: skip
HOME = {
    **dict.fromkeys(("street2", "street3"), ""),
    **{"street": "Storgata 1", "postal_code": "0155", "city": "Oslo"},
}


def person(first="", last="", born=None, *, emails=(), phones=(), homes=(), **columns):
    birth = dict(zip(("birth_year", "birth_month", "birth_day"), born or (None,) * 3, strict=True))
    row = BLANK | {"first_name": first, "last_name": last} | birth | columns
    return person_of(row, emails=emails, phones=phones, addresses=[HOME | home for home in homes])


def is_one(one, other):
    return compare(one, other).is_enough()


BORN = (1985, 12, 10)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        # the same name, written otherwise
        (person("Ada", "Lovelace", BORN), person("ADA", "Lovelace", BORN)),
        (person("Søren", "Müller", BORN), person("Soren", "Muller", BORN)),
        (person("Katharina", "Jensen", BORN), person("Catharina", "Jenssen", BORN)),
        (person("Ada", "Lovelace", BORN), person("Lovelace", "Ada", BORN)),
        (person("Robert", "Allen", BORN), person("Bob", "Allen", BORN)),
        (person("Anna Maria", "Berg", BORN), person("Anna", "Berg", BORN)),
        (person("Ada", "Lovelace", BORN), person("Ada", "Lovelace", (1985, 10, 12))),
        (person("Ada", "Lovelace", BORN), person("Ada", "Lovelace", (1985, 12, 11))),
        (person("Ada", "Lovelace", BORN), person("Ada", "Lovelace", (0, 12, 10))),
        (person(name="Ada Lovelace", born=BORN), person("Ada", "Lovelace", BORN)),
        # a contact point in common
        (person(phones=["4790000001"]), person("Ada", "Lovelace", phones=["90000001"])),
        (person("Ada", emails=["Ada@Example.org"]), person(emails=["ada@example.org"])),
        (
            person("Ada", "Lovelace", emails=["ada.lovelace@gmail.com"]),
            person("Ada", "Lovelace", emails=["ada.lovelace@gmial.com"]),
        ),
        # the same name at the same place
        (person("Ada", "Lovelace", homes=[{}]), person("Ada", "Lovelace", homes=[{"city": ""}])),
        (
            person("Ada", "Lovelace", homes=[{}]),
            person("Ada", "Lovlace", homes=[{"street": "Stor gata 1", "postal_code": "0156"}]),
        ),
        # a company
        (
            person(kind="company", company_name="Acme Norge AS", homes=[{}]),
            person(kind="company", company_name="ACME Norge A/S", homes=[{}]),
        ),
        (
            person(kind="company", company_name="Acme", vat_number="NO 999 999 999"),
            person(kind="company", company_name="Acme Ltd", vat_number="NO999999999"),
        ),
    ],
)
def test_records_of_one_person_are_found_to_be_alike(one, other):
    assert is_one(one, other)
    assert is_one(other, one)
    assert compare(one, other).points == compare(other, one).points


@pytest.mark.parametrize(
    ("one", "other"),
    [
        # a common name is shared by many
        (person("Jan", "Hansen"), person("Jan", "Hansen")),
        (person("Jan", "Hansen", homes=[{}]), person("Jan", "Hansen", homes=[
            {"street": "Parkveien 9", "postal_code": "5003", "city": "Bergen"}])),
        # a day of birth too
        (person("Anna", "Hansen", BORN), person("Anna", "Olsen", BORN)),
        (person("Anna", "Hansen", BORN), person("Kari", "Hansen", BORN)),
        # couples, parents and children share nearly everything
        (
            person("Ada", "Lovelace", phones=["22000001"], emails=["we@example.org"], homes=[{}]),
            person("Byron", "Lovelace", phones=["22000001"], emails=["we@example.org"], homes=[{}]),
        ),
        (
            person("Ada", "Lovelace", BORN, phones=["22000001"], homes=[{}]),
            person("Byron", "Lovelace", (2010, 1, 2), phones=["22000001"], homes=[{}]),
        ),
        # neighbours
        (person("Ada", "Berg", homes=[{}]), person("Ida", "Dahl", homes=[{}])),
        # nothing is known of either
        (person(), person()),
        (person("Ada"), person("Ada")),
        # another company in the same house
        (
            person(kind="company", company_name="Acme AS", homes=[{}]),
            person(kind="company", company_name="Rival AS", homes=[{}]),
        ),
    ],
)  # fmt: skip
def test_different_people_are_not_taken_for_one(one, other):
    assert not is_one(one, other)


def test_what_speaks_for_and_against_is_told_by_field():
    likeness = compare(
        person("Ada", "Lovelace", BORN, emails=["a@example.org"]),
        person("Ada", "Byron", BORN, emails=["a@example.org"]),
    )

    assert dict(likeness.reasons) == {
        "first_name": "same",
        "last_name": "differs",
        "birth_date": "same",
        "email": "same",
    }
    assert likeness.points == sum(WEIGHTS[name][level] for name, level in likeness.reasons)


def test_every_reason_that_can_be_given_has_words():
    reasons = {(name, level) for name, levels in WEIGHTS.items() for level in levels}

    assert set(WORDS) == reasons


def test_every_key_has_a_column():
    columns = {field.name for field in LikenessKeys._meta.concrete_fields}

    assert columns == {"tenant", "customer", "version", "rules", *KEYS}


@pytest.mark.parametrize(
    ("one", "other"),
    [("hansen", "hanson"), ("mcphail", "mcpahil"), ("catherine", "katherine"), ("rowe", "rwoe")],
)
def test_names_that_sound_alike_share_a_key(one, other):
    assert sound(one) == sound(other) != ""


def test_swapped_names_meet_in_every_key_that_holds_one():
    one, other = person("Ada", "Lovelace", BORN), person("Lovelace", "Ada", BORN)

    ours, theirs = keys_of(one), keys_of(other)

    assert ours["names"] == theirs["names"]
    assert ours["birth_first"] == theirs["birth_last"]


def test_companies_meet_by_their_name_without_the_legal_form():
    one = person(kind="company", company_name="Acme Norge AS")
    other = person(kind="company", name="acme norge a/s")

    assert keys_of(one)["names"] == keys_of(other)["names"]


def test_what_is_not_known_makes_no_key():
    assert keys_of(person()) == {}
    assert set(keys_of(person("Ada"))) == set()


def test_another_number_in_the_mailbox_is_no_slip_of_a_finger():
    one = person("Ada", "Hansen", emails=["ada.hansen12@example.org"])
    another = person("Ada", "Hansen", emails=["ada.hansen21@example.org"])
    slipped = person("Ada", "Hansen", emails=["ada.hansne12@example.org"])

    assert dict(compare(one, another).reasons)["email"] == "differs"
    assert not compare(one, another).is_enough()
    assert dict(compare(one, slipped).reasons)["email"] == "close"
