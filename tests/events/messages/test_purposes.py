"""What kinds of message there are, and that each comes with texts that fit its words."""

from datetime import timedelta

import pytest

from events.messages import PURPOSES, register_purpose
from events.messages.purposes import CHANNELS, LANGUAGES
from events.messages.texts import compose

GOOD = {
    "title": "Test",
    "channels": ("sms",),
    "words": {"code": "123456"},
    "required": ("code",),
    "life": timedelta(minutes=1),
    "texts": {"en": {"sms": "{code}"}, "nb": {"sms": "{code}"}},
}


def test_the_messages_about_signing_in_are_there():
    assert {
        "activate_email",
        "activate_sms",
        "change_email",
        "change_phone",
        "reset_password",
    } <= set(PURPOSES)


@pytest.mark.parametrize("name", sorted(PURPOSES))
def test_every_text_of_ours_can_be_put_together_from_its_sample_words(name):
    purpose = PURPOSES[name]

    for channel in purpose.channels:
        assert channel in CHANNELS
        for language in LANGUAGES:
            subject, text = purpose.product_text(channel, language)
            composed = compose(purpose, channel, subject, text, purpose.words)
            assert "{" not in composed.subject + composed.text
            assert bool(composed.subject) == (channel == "email")
            assert composed.parts <= (2 if channel == "sms" else 1)


def test_a_name_is_taken_once(greeting):
    with pytest.raises(ValueError, match="registered already"):
        register_purpose("greeting", **GOOD)


@pytest.mark.parametrize(
    "change",
    [
        {"texts": {"en": {"sms": "{code}"}}},
        {"texts": {"en": {"sms": "{code}"}, "nb": {"sms": "{other}"}}},
        {"texts": {"en": {"sms": "{code}"}, "nb": {"sms": "kode"}}},
        {"channels": ("pigeon",)},
        {"channels": ("sms", "email")},
    ],
)
def test_texts_that_do_not_fit_are_refused_when_the_product_starts(change):
    with pytest.raises(ValueError, match="test"):
        register_purpose("test", **GOOD | change)

    assert "test" not in PURPOSES
