"""The wording of messages: ours or the tenant's own, and how words are put into it.

A text names its words in braces, `{business}`, and nothing else may stand in braces: no attribute,
no index, no format. Words are put in once, so that a word that holds braces stays as it is.
"""

from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

import normalise
from events.messages.purposes import EMAIL, LANGUAGES, PLACEHOLDER, PURPOSES, SMS
from events.messages.sms_length import sms_length
from events.models import MessageText
from events.services import build_history
from tenancy import clock
from tenancy.scoping import current_tenant

LONGEST_SUBJECT = 200
LONGEST = {EMAIL: 5_000, SMS: 1_000}
FALLBACK = "en"
# Who reads the one reads the other: Bokmål for Nynorsk and for plain Norwegian.
_ALSO_READ = {"nn": "nb", "no": "nb"}


class NoSuchText(Exception):
    """There is no such purpose, or it does not go by this way."""


@dataclass(frozen=True, slots=True)
class Wording:
    """The text of one purpose, way and language as it stands: `own` where the tenant wrote it.

    `product_subject` and `product_text` are ours, "" in a language that we have none in.
    """

    purpose: object
    channel: str
    language: str
    subject: str
    text: str
    own: bool
    product_subject: str
    product_text: str
    updated_at: object = None


@dataclass(frozen=True, slots=True)
class Composed:
    """A message put together; `length` and `parts` of an SMS as it is charged."""

    subject: str
    text: str
    length: int
    parts: int
    alphabet: str


# --- Reading -------------------------------------------------------------------------------------
def find_purpose(name, channel):
    """The Purpose of this name that goes by this channel. Raises NoSuchText."""
    purpose = PURPOSES.get(name)
    if purpose is None or channel not in purpose.channels:
        raise NoSuchText
    return purpose


def list_wordings():
    """Every Wording of the active tenant: each purpose and way in our languages and in those that
    the tenant has written in."""
    own = {(row.purpose, row.channel, row.language): row for row in MessageText.objects.all()}
    return [
        _wording(purpose, channel, language, own.get((purpose.name, channel, language)))
        for purpose in PURPOSES.values()
        for channel in purpose.channels
        for language in _languages_of(purpose, channel, own)
    ]


def _languages_of(purpose, channel, own):
    written = {language for name, way, language in own if (name, way) == (purpose.name, channel)}
    return [*LANGUAGES, *sorted(written - set(LANGUAGES))]


def get_wording(name, channel, language):
    """The Wording of one text; its subject and text are "" where neither we nor the tenant have
    one in this language. Raises NoSuchText, ValidationError for what is no language."""
    purpose = find_purpose(name, channel)
    language = clean_text_language(language)
    own = MessageText.objects.filter(purpose=name, channel=channel, language=language).first()
    return _wording(purpose, channel, language, own)


def _wording(purpose, channel, language, own):
    ours = purpose.product_text(channel, language) or ("", "")
    subject, text = (own.subject, own.text) if own else ours
    return Wording(
        purpose=purpose,
        channel=channel,
        language=language,
        subject=subject,
        text=text,
        own=own is not None,
        product_subject=ours[0],
        product_text=ours[1],
        updated_at=own.updated_at if own else None,
    )


def clean_text_language(language):
    """A language tag in its usual form. Raises ValidationError naming `language`."""
    try:
        tag = normalise.clean_language(language)
    except ValidationError as error:
        raise ValidationError({"language": error.error_list}) from error
    if not tag:
        required = ValidationError(_("This field is required."), code="required")
        raise ValidationError({"language": required})
    return tag


def languages_for(language, tenant):
    """The languages to look for a text in, best first: the wanted one, the tenant's, English."""
    wanted = []
    for tag in (language, tenant.setting("locale"), FALLBACK):
        base = tag.partition("-")[0]
        wanted += [tag, base, _ALSO_READ.get(base, base)]
    return [tag for tag in dict.fromkeys(wanted) if tag]


def choose_text(purpose, channel, language):
    """(language, subject, text) to send in the active tenant to somebody who reads `language`:
    in each language the tenant's own text before ours."""
    tenant = current_tenant()
    languages = languages_for(language, tenant)
    own = {
        row.language: (row.subject, row.text)
        for row in MessageText.objects.filter(
            purpose=purpose.name, channel=channel, language__in=languages
        )
    }
    for tag in languages:
        told = own.get(tag) or purpose.product_text(channel, tag)
        if told:
            return tag, *told
    raise NoSuchText


def compose(purpose, channel, subject, text, words):
    """The Composed message of a text and its words. Raises KeyError for a word that is lacking."""
    text = fill(text, words)
    told = sms_length(text) if channel == SMS else None
    return Composed(
        # A subject is one line: a line break in a word would begin another header.
        subject=" ".join(fill(subject, words).split()),
        text=text,
        length=told.length if told else len(text),
        parts=told.parts if told else 1,
        alphabet=told.alphabet if told else "unicode",
    )


def fill(text, words):
    """The text with its words put in."""
    return PLACEHOLDER.sub(lambda match: str(words[match[1]]), text)


def sample_words(purpose, tenant):
    """A sample of every word of the purpose, with the tenant's own name."""
    told = dict(purpose.words)
    if "business" in told:
        told["business"] = tenant.name
    return told


def preview_text(name, channel, *, subject="", text):
    """The Composed message that this text would make, with sample words.

    Raises NoSuchText, or ValidationError naming `subject` or `text`.
    """
    purpose = find_purpose(name, channel)
    subject, text = check_text(purpose, channel, subject, text)
    words = sample_words(purpose, current_tenant())
    return compose(purpose, channel, subject, text, words)


# --- Checking ------------------------------------------------------------------------------------
def check_text(purpose, channel, subject, text):
    """(subject, text) clean. Raises ValidationError naming `subject` or `text`: too long, missing,
    a word that the purpose does not have (code unknown_word), a word without which it would be
    useless left out (missing_word), or a brace that belongs to no word (brace)."""
    errors = {}
    if channel == SMS and subject not in (None, ""):
        errors["subject"] = ValidationError(_("An SMS has no subject."), code="invalid")
    subject = _clean(errors, "subject", subject or "", LONGEST_SUBJECT, channel == EMAIL)
    text = _clean(errors, "text", text, LONGEST[channel], True, multiline=True)
    for name, told in (("subject", subject), ("text", text)):
        problems = list(_problems_of(purpose, told))
        if problems and name not in errors:
            errors[name] = problems
    lacking = [
        word for word in purpose.required if word not in set(PLACEHOLDER.findall(subject + text))
    ]
    if lacking and not errors:
        errors["text"] = [
            ValidationError(
                _("The text must contain {%(word)s}."), code="missing_word", params={"word": word}
            )
            for word in lacking
        ]
    if errors:
        raise ValidationError(errors)
    return subject, text


def _clean(errors, name, value, longest, required, *, multiline=False):
    try:
        value = normalise.clean_text(value, max_length=longest, multiline=multiline)
        if required and not value:
            raise ValidationError(_("This field is required."), code="required")
        return value
    except ValidationError as error:
        errors[name] = error.error_list
        return ""


def _problems_of(purpose, told):
    for word in sorted(set(PLACEHOLDER.findall(told)) - set(purpose.words)):
        yield ValidationError(
            _("There is no word {%(word)s} here. There are: %(known)s."),
            code="unknown_word",
            params={"word": word, "known": ", ".join(f"{{{name}}}" for name in purpose.words)},
        )
    rest = PLACEHOLDER.sub("", told)
    if "{" in rest or "}" in rest:
        yield ValidationError(
            _("Braces stand around the name of a word only, as in {%(word)s}."),
            code="brace",
            params={"word": next(iter(purpose.words), "word")},
        )


# --- Writing -------------------------------------------------------------------------------------
def set_message_text(name, channel, language, *, subject="", text):
    """Write the active tenant's own text and return its Wording; in the tenant's history.

    Raises NoSuchText, or ValidationError by field (`check_text`).
    """
    purpose = find_purpose(name, channel)
    language = clean_text_language(language)
    subject, text = check_text(purpose, channel, subject, text)
    tenant = current_tenant()
    key = {"tenant": tenant, "purpose": name, "channel": channel, "language": language}
    with transaction.atomic():
        before = _locked(**key)
        if before is None or (before.subject, before.text) != (subject, text):
            values = {"subject": subject, "text": text, "updated_at": clock.now()}
            MessageText.objects.update_or_create(**key, defaults=values)
            old = [before.subject, before.text] if before else [None, None]
            _record(tenant, f"{name} {channel} {language}", old, [subject, text])
    return get_wording(name, channel, language)


def reset_message_text(name, channel, language):
    """Go back to our text (or to none, in a language that we have none in); repeatable.

    Raises NoSuchText, ValidationError for what is no language.
    """
    find_purpose(name, channel)
    language = clean_text_language(language)
    tenant = current_tenant()
    with transaction.atomic():
        row = _locked(tenant=tenant, purpose=name, channel=channel, language=language)
        if row is not None:
            row.delete()
            told = f"{name} {channel} {language}"
            _record(tenant, told, [row.subject, row.text], [None, None])
    return get_wording(name, channel, language)


def _locked(**key):
    return MessageText.objects.select_for_update().filter(**key).first()


def _record(tenant, which, old, new):
    changes = {
        f"{part} of {which}": [before, after]
        for part, before, after in zip(("subject", "text"), old, new, strict=True)
        if (before or None) != (after or None)
    }
    build_history(tenant, "tenant", tenant.pk, deed="tenant.message_text", changes=changes).save(
        force_insert=True
    )
