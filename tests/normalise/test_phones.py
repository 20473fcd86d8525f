"""Phone numbers: kept as given, E.164 where that is certain."""

import phonenumbers
import pytest
from django.core.exceptions import ValidationError
from hypothesis import given, settings
from hypothesis import strategies as st

from normalise import (
    Phone,
    clean_phone,
    is_valid_e164,
    login_phone_key,
    national_digits,
    phone_digits,
    reversed_digits,
)
from normalise.phones import _e164_by_library, _e164_of_simple_number

EXAMPLES = [
    (region, number)
    for region in sorted(phonenumbers.SUPPORTED_REGIONS)
    for kind in range(8)
    if (number := phonenumbers.example_number_for_type(region, kind)) is not None
]


def refusal(*args, **kwargs):
    with pytest.raises(ValidationError) as caught:
        clean_phone(*args, **kwargs)
    assert all(caught.value.messages)
    return caught.value.code


@pytest.mark.parametrize(
    ("given_text", "country", "e164"),
    [
        ("22 44 12 34", "NO", "+4722441234"),
        ("22441234", "no", "+4722441234"),
        ("+47 22 44 12 34", "US", "+4722441234"),
        ("+47 22 44 12 34", "", "+4722441234"),
        ("+47-22.44.12.34", None, "+4722441234"),
        ("0047 22 44 12 34", "NO", "+4722441234"),
        ("0047 22 44 12 34", "US", "+4722441234"),
        ("00 47 22 44 12 34", None, "+4722441234"),
        ("4722441234", "NO", "+4722441234"),
        ("(02) 9876 5432", "AU", "+61298765432"),
        ("0400 123 456", "AU", "+61400123456"),
        ("0011 47 22 44 12 34", "AU", "+4722441234"),
        ("020 7946 0123", "GB", "+442079460123"),
        ("(212) 555-0199", "US", "+12125550199"),
        ("1-212-555-0199", "US", "+12125550199"),
        ("416 555 0199", "US", "+14165550199"),
        ("212 555 0199", "CA", "+12125550199"),
        ("06 1234 5678", "IT", "+390612345678"),
        ("8 (495) 123-45-67", "RU", "+74951234567"),
        ("11 98765-4321", "BR", "+5511987654321"),
        ("٢٢٤٤١٢٣٤", "NO", "+4722441234"),
        ("＋４７ ２２４４１２３４", None, "+4722441234"),
        ("\u202a+47 22 44 12 34\u202c", None, "+4722441234"),
        ("tel:+47-22-44-12-34", None, "+4722441234"),
        ("Tel. 22 44 12 34", "NO", "+4722441234"),
        ("1-800-FLOWERS", "US", "+18003569377"),
    ],
)
def test_a_number_becomes_e164_however_it_is_written(given_text, country, e164):
    phone = clean_phone(given_text, country=country)

    assert phone == Phone(given_text, e164, e164[1:], "")


def test_a_trunk_zero_after_the_country_code_goes_where_the_plan_has_one():
    assert clean_phone("+49 0711 2345678", country="DE").e164 == "+497112345678"
    assert clean_phone("+44 (0)20 7946 0123", country=None).e164 == "+442079460123"
    assert clean_phone("+39 06 1234 5678", country=None).e164 == "+390612345678"


def test_a_number_with_a_plus_needs_only_a_possible_length():
    assert clean_phone("+440000000", country="GB").e164 == "+440000000"
    assert not is_valid_e164("+440000000")


@pytest.mark.parametrize(
    ("given_text", "country", "digits"),
    [
        ("22 44 12 34", None, "22441234"),
        ("22 44 12 34", "", "22441234"),
        ("22 44 12 34", "XX", "22441234"),
        ("12 34", "NO", "1234"),
        ("22 44 12 345", "NO", "224412345"),
        ("000000000", "GB", "000000000"),
        ("+47", "NO", "47"),
        ("+999 123 4567", "NO", "9991234567"),
        ("+1 555 0199", None, "15550199"),
        ("+45 3331 99911234567890", "DK", "45333199911234567890"),
        ("22441234 / 90012345", "NO", "2244123490012345"),
        ("call after 5", "NO", "5"),
        ("()+-1", "NO", "1"),
    ],
)
def test_a_number_that_can_not_be_read_is_kept_as_given(given_text, country, digits):
    assert clean_phone(given_text, country=country) == Phone(given_text, "", digits, "")


@pytest.mark.parametrize(
    ("given_text", "code"),
    [
        ("", "invalid_phone"),
        ("   ", "invalid_phone"),
        ("none", "invalid_phone"),
        ("+", "invalid_phone"),
        ("()-.", "invalid_phone"),
        ("½²", "invalid_phone"),
        (None, "not_text"),
        (22441234, "not_text"),
        ("2244\x001234", "null_character"),
        ("2244\n1234", "line_break"),
        ("\ud8002244", "surrogate"),
        ("2" * 41, "max_length"),
        pytest.param("2" * 1_000_000, "max_length", id="bomb-1"),
    ],
)
def test_what_can_not_be_a_number_is_refused(given_text, code):
    assert refusal(given_text, country="NO") == code


@pytest.mark.parametrize(
    ("given_text", "extension", "found"),
    [
        ("22 44 12 34 x123", None, "123"),
        ("+47 22441234 ext. 12", None, "12"),
        ("22441234;ext=7", None, "7"),
        ("22441234", "55", "55"),
        ("22441234 x1", "55", "55"),
        ("22441234 x1", " ", "1"),
        ("22441234", "", ""),
    ],
)
def test_an_extension_is_split_off(given_text, extension, found):
    phone = clean_phone(given_text, country="NO", extension=extension)

    assert (phone.e164, phone.extension) == ("+4722441234", found)


def test_an_extension_is_not_among_the_digits_of_a_number_that_can_not_be_read():
    phone = clean_phone("12 34 56 x789", country="NO")

    assert phone == Phone("12 34 56 x789", "", "123456", "789")


@pytest.mark.parametrize("extension", ["abc", "1 2", "1" * 21, 12, "1\x00"])
def test_an_extension_has_digits_only(extension):
    with pytest.raises(ValidationError):
        clean_phone("22441234", country="NO", extension=extension)


def test_a_phone_can_not_be_changed_by_accident():
    phone = clean_phone("22441234", country="NO")

    with pytest.raises(AttributeError):
        phone.e164 = "+1"


@st.composite
def numbers(draw):
    """A number near one that exists, in some writing, with some of its digits changed."""
    region, number = draw(st.sampled_from(EXAMPLES))
    text = list(phonenumbers.format_number(number, draw(st.sampled_from([0, 1, 2]))))
    for _change in range(draw(st.integers(0, 4))):
        text[draw(st.integers(0, len(text) - 1))] = draw(st.sampled_from("0123456789 ()-.+/"))
    return draw(st.sampled_from(["", "0", "00", "+"])) * draw(st.booleans()) + "".join(text), draw(
        st.sampled_from([region, region, "US", "NO", "", None])
    )


@settings(deadline=None, max_examples=500)
@given(numbers())
def test_the_fast_path_never_contradicts_the_library(number):
    text, country = number

    quick = _e164_of_simple_number(text, country)

    if quick is not None:
        assert quick == _e164_by_library(text, country)[0]


@pytest.mark.parametrize("text", ["42 34 56 78", "99", "123456789", "49 99 99 99"])
def test_the_fast_path_settles_what_is_no_number_of_the_country(text):
    assert _e164_of_simple_number(text, "NO") == ""
    assert _e164_by_library(text, "NO") == ("", "")


def test_the_fast_path_settles_most_numbers_that_exist():
    settled = [
        (region, number)
        for region, number in EXAMPLES
        if _e164_of_simple_number(phonenumbers.format_number(number, 2), region)
    ]

    assert len(settled) > 0.7 * len(EXAMPLES)


@settings(deadline=None, max_examples=500)
@given(st.sampled_from(EXAMPLES), st.integers(0, 9), st.integers(2, 20))
def test_validity_is_the_librarys(example, digit, place):
    e164 = phonenumbers.format_number(example[1], 0)
    e164 = e164[:place] + str(digit) + e164[place + 1 :]
    try:
        number = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        assert not is_valid_e164(e164)
        return
    # Parsing may take a trunk prefix off; then it is another number.
    if phonenumbers.format_number(number, 0) == e164:
        assert is_valid_e164(e164) == phonenumbers.is_valid_number(number)


@pytest.mark.parametrize("text", ["", "+", "4722441234", "+0", "+99912345", "+47x", "+٤٧"])
def test_what_is_not_e164_is_not_valid(text):
    assert not is_valid_e164(text)


def test_digits_of_every_script_are_digits():
    assert phone_digits("+47 (22) ٤٤-१२") == "47224412"
    assert phone_digits("no ② ½ digits") == ""
    assert reversed_digits("4722441234") == "4321442274"


def test_phones_that_sign_in_are_compared_by_their_digits():
    assert login_phone_key("+48 234 234 000") == login_phone_key("48234234000")


@pytest.mark.parametrize(
    ("e164", "national"),
    [
        ("+61298765432", "0298765432"),
        ("+4722441234", "22441234"),
        ("+12125550199", "2125550199"),
        ("+390612345678", "0612345678"),
        ("+74951234567", "84951234567"),
    ],
)
def test_a_number_is_dialled_with_the_trunk_prefix_of_its_country(e164, national):
    assert national_digits(e164) == national
