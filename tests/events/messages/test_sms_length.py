"""How an SMS is charged: by 160 or 70, and in parts by 153 or 67."""

import pytest

from events.messages.sms_length import sms_length


@pytest.mark.parametrize(
    ("text", "length", "parts", "alphabet"),
    [
        ("", 0, 1, "gsm"),
        ("a" * 160, 160, 1, "gsm"),
        ("a" * 161, 161, 2, "gsm"),
        ("a" * 306, 306, 2, "gsm"),
        ("a" * 307, 307, 3, "gsm"),
        ("blåbærsyltetøy", 14, 1, "gsm"),
        ("€" * 80, 160, 1, "gsm"),
        ("€" * 81, 162, 2, "gsm"),
        ("ж" * 70, 70, 1, "unicode"),
        ("ж" * 71, 71, 2, "unicode"),
        ("ж" * 135, 135, 3, "unicode"),
        ("😀" * 35, 70, 1, "unicode"),
        ("😀" * 36, 72, 2, "unicode"),
        ("a" * 80 + "ñ", 81, 1, "gsm"),
        ("a" * 80 + "ç", 81, 2, "unicode"),
    ],
)
def test_length_and_parts(text, length, parts, alphabet):
    told = sms_length(text)

    assert (told.length, told.parts, told.alphabet) == (length, parts, alphabet)


def test_a_character_of_two_units_is_not_cut_in_half():
    # 66 units, then one that takes two: it begins the next part, so that three are needed.
    assert sms_length("a" * 66 + "😀" + "ж" * 66).parts == 3
    assert sms_length("a" * 152 + "€" + "a" * 152).parts == 3
