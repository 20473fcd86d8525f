"""In whose words a message is sent, and which texts are refused."""

import pytest
from django.core.exceptions import ValidationError

from events.messages import (
    NoSuchText,
    get_wording,
    list_wordings,
    preview_text,
    reset_message_text,
    set_message_text,
)
from events.messages.texts import choose_text, compose
from events.models import HistoryEntry, MessageText
from tenancy.scoping import in_tenant
from tenancy.services import update_tenant

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _greeting(greeting):
    """Every test speaks of it."""


def settle(tenant, **settings):
    tenant.settings = update_tenant(tenant, settings=settings).settings


def refusal(text, channel="email", subject="Hi"):
    with pytest.raises(ValidationError) as error:
        set_message_text("greeting", channel, "en", subject=subject, text=text)
    return {
        name: [inner.code for inner in errors] for name, errors in error.value.error_dict.items()
    }


# --- Which text is sent --------------------------------------------------------------------------
def chosen(greeting, language):
    tag, _subject, text = choose_text(greeting, "sms", language)
    return tag, text


def test_the_customers_language_decides(acme, greeting):
    assert chosen(greeting, "nb") == ("nb", "Du er {level}.")
    assert chosen(greeting, "en-GB") == ("en", "You are {level}.")


@pytest.mark.parametrize("language", ["nn", "no", "nb-NO", "nn-NO"])
def test_who_reads_norwegian_gets_the_norwegian_text(acme, greeting, language):
    assert chosen(greeting, language)[0] == "nb"


def test_a_language_without_a_text_falls_back_to_the_tenants_and_then_to_english(acme, greeting):
    assert chosen(greeting, "de")[0] == "en"
    settle(acme, locale="nb")

    assert chosen(greeting, "de")[0] == "nb"
    assert chosen(greeting, "")[0] == "nb"
    assert chosen(greeting, "en")[0] == "en"


def test_the_tenants_own_text_wins_in_its_language_alone(acme, greeting):
    set_message_text("greeting", "sms", "nb", text="Gratulerer med {level}")

    assert chosen(greeting, "nb") == ("nb", "Gratulerer med {level}")
    assert chosen(greeting, "en") == ("en", "You are {level}.")


def test_our_text_in_the_right_language_is_better_than_the_tenants_in_another(acme, greeting):
    settle(acme, locale="nb")
    set_message_text("greeting", "sms", "nb", text="Gratulerer med {level}")

    assert chosen(greeting, "en")[0] == "en"


def test_a_tenant_may_write_in_a_language_that_we_have_nothing_in(acme, greeting):
    set_message_text("greeting", "sms", "de", text="Sie sind {level}.")

    assert chosen(greeting, "de-AT") == ("de", "Sie sind {level}.")
    wording = get_wording("greeting", "sms", "de")
    assert (wording.own, wording.product_text) == (True, "")


def test_another_tenants_text_is_nobodys_here(acme, rival, greeting):
    with in_tenant(rival):
        set_message_text("greeting", "sms", "en", text="Rival says {level}")

    assert chosen(greeting, "en")[1] == "You are {level}."


# --- Writing -------------------------------------------------------------------------------------
def test_a_text_is_written_changed_and_taken_back_each_with_its_history(acme):
    set_message_text("greeting", "email", "en", subject="Hi", text="{level}!")
    set_message_text("greeting", "email", "en", subject="Hi", text="{level}!")
    set_message_text("greeting", "email", "en", subject="Hey", text="{level}!")
    reset_message_text("greeting", "email", "en")
    wording = reset_message_text("greeting", "email", "en")

    assert (wording.own, wording.subject) == (False, "Hello")
    assert not MessageText.objects.exists()
    told = [entry.changes for entry in HistoryEntry.objects.about("tenant", acme.pk)]
    assert told == [
        {
            "subject of greeting email en": ["Hey", None],
            "text of greeting email en": ["{level}!", None],
        },
        {"subject of greeting email en": ["Hi", "Hey"]},
        {
            "subject of greeting email en": [None, "Hi"],
            "text of greeting email en": [None, "{level}!"],
        },
    ]


def test_the_list_holds_every_kind_in_our_languages_and_the_tenants(acme):
    set_message_text("greeting", "sms", "de", text="Sie sind {level}.")

    told = [
        (wording.channel, wording.language, wording.own)
        for wording in list_wordings()
        if wording.purpose.name == "greeting"
    ]
    assert told == [
        ("email", "en", False),
        ("email", "nb", False),
        ("sms", "en", False),
        ("sms", "nb", False),
        ("sms", "de", True),
    ]


@pytest.mark.parametrize(
    ("name", "channel"), [("nothing", "email"), ("greeting", "pigeon"), ("reset_password", "sms")]
)
def test_what_there_is_not_cannot_be_written(acme, name, channel):
    for deed in (get_wording, reset_message_text):
        with pytest.raises(NoSuchText):
            deed(name, channel, "en")
    with pytest.raises(NoSuchText):
        set_message_text(name, channel, "en", subject="x", text="{level}")


@pytest.mark.parametrize("language", ["", "xx-yy-zz", "English", None, 7])
def test_what_is_no_language_is_refused(acme, language):
    with pytest.raises(ValidationError) as error:
        set_message_text("greeting", "sms", language, text="{level}")

    assert set(error.value.error_dict) == {"language"}


# --- What may stand in braces ------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("{level} {name}", ["unknown_word"]),
        ("{level} {level.__class__}", ["brace"]),
        ("{level} {level[0]}", ["brace"]),
        ("{level} {level!r}", ["brace"]),
        ("{level} {level:>1000000}", ["brace"]),
        ("{level} {0}", ["brace"]),
        ("{level} {}", ["brace"]),
        ("{level} {{level}}", ["brace"]),
        ("{level} {", ["brace"]),
        ("{level} }", ["brace"]),
        ("{Level} {level}", ["brace"]),
        ("Hello", ["missing_word"]),
        ("{business}", ["missing_word"]),
    ],
)
def test_only_the_words_of_the_purpose_stand_in_braces(acme, text, codes):
    assert refusal(text) == {"text": codes}


def test_a_refusal_names_the_word(acme):
    with pytest.raises(ValidationError) as error:
        set_message_text("greeting", "sms", "en", text="{level} {nmae}")

    assert "{nmae}" in error.value.messages[0]
    assert "{level}" in error.value.messages[0]


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"text": ""}, {"text"}),
        ({"text": None}, {"text"}),
        ({"text": "{level}" + "x" * 5_000}, {"text"}),
        ({"text": "{level}", "subject": ""}, {"subject"}),
        ({"text": "{level}", "subject": "x" * 201}, {"subject"}),
        ({"text": "{level}", "subject": "Hi\r\nBcc: all@example.org"}, {"subject"}),
        ({"text": "{level}", "subject": "{nobody}"}, {"subject"}),
        ({"text": "{level}\0"}, {"text"}),
        ({"text": "{level}", "channel": "sms", "subject": "Hi"}, {"subject"}),
        ({"text": "{level}" + "x" * 1_000, "channel": "sms", "subject": ""}, {"text"}),
    ],
)
def test_a_text_that_cannot_be_sent_is_refused_by_field(acme, fields, names):
    assert set(refusal(**fields)) == names


def test_a_required_word_may_stand_in_the_subject(acme):
    set_message_text("greeting", "email", "en", subject="You are {level}", text="Hello")

    assert get_wording("greeting", "email", "en").subject == "You are {level}"


# --- Putting it together -----------------------------------------------------------------------
def test_words_are_put_in_once(greeting):
    words = {"business": "{level}", "level": "{business}"}

    assert (
        compose(greeting, "email", "Hi", "{business} {level}", words).text == "{level} {business}"
    )


def test_a_word_cannot_begin_another_header(greeting):
    words = {"business": "Acme\r\nBcc: all@example.org", "level": "Gold"}

    assert compose(greeting, "email", "{business}", "x", words).subject == (
        "Acme Bcc: all@example.org"
    )


def test_a_preview_shows_sample_words_with_the_tenants_name_and_the_length(acme):
    told = preview_text("greeting", "sms", text="{business}: {level} " + "x" * 160)

    assert told.text.startswith("Acme: Gold x")
    assert (told.length, told.parts, told.alphabet) == (171, 2, "gsm")
