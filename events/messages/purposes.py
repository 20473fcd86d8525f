"""What messages there are: each purpose with its channels, its words and the texts we bring along.

Apps register theirs from `AppConfig.ready`. The words of a purpose are what its texts may name in
braces; every one has a sample, so that a text can be shown before it is ever sent.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

EMAIL, SMS = "email", "sms"
CHANNELS = (EMAIL, SMS)
# The languages in which every purpose has a text of ours.
LANGUAGES = ("en", "nb")
PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")


class Suppressed(Exception):
    """This message is not sent, for good; `reason` is a key of events.messages.reasons."""

    def __init__(self, reason):
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a message turns out to be for, when its turn has come."""

    to: str
    customer_id: object = None
    language: str = ""


def _as_queued(message):
    return Recipient(message.to, message.customer_id, message.language)


def words_as_queued(message, recipient):
    return message.words


@dataclass(frozen=True, slots=True)
class Purpose:
    """One kind of message; see `register_purpose`."""

    name: str
    title: str
    channels: tuple
    words: dict
    required: tuple
    texts: dict
    life: timedelta
    limited: bool
    readdresses: bool
    find_recipient: Callable
    make_words: Callable

    def product_text(self, channel, language):
        """(subject, text) that we bring along, or None where there is none in this language."""
        return self.texts.get((channel, language))


PURPOSES = {}


def register_purpose(
    name,
    *,
    title,
    channels,
    words,
    texts,
    life,
    required=(),
    limited=False,
    readdresses=False,
    find_recipient=_as_queued,
    make_words=words_as_queued,
):
    """Add a purpose and return it.

    `channels` is a tuple of "email" and "sms". `words` maps each placeholder to a sample value; one
    called `business` is the tenant's name and need not be given. `required` are those without which
    a text would be useless. `texts` maps "en" and "nb" to {"email": (subject, text), "sms": text}.
    A message older than `life` (a timedelta) is not sent any more. `limited` purposes carry a
    secret: five a day to one place, also by mail.

    When the message's turn has come, outside any transaction, `find_recipient(message)` answers
    the Recipient and `make_words(message, recipient)` the words, for what must not be stored (a
    code) or is known only then; either may raise Suppressed. `readdresses` says that
    `find_recipient` needs no `message.to` where the customer is named, so that the message can be
    sent again after its address was blanked.

    Raises ValueError for a name that is taken and for texts that do not fit the words.
    """
    if name in PURPOSES:
        raise ValueError(f"the purpose {name!r} is registered already")
    purpose = Purpose(
        name=name,
        title=title,
        channels=tuple(channels),
        words=dict(words),
        required=tuple(required),
        texts=_flat(texts),
        life=life,
        limited=limited,
        readdresses=readdresses,
        find_recipient=find_recipient,
        make_words=make_words,
    )
    _insist(purpose)
    PURPOSES[name] = purpose
    return purpose


def _flat(texts):
    """{(channel, language): (subject, text)}; an SMS has no subject."""
    return {
        (channel, language): told if channel == EMAIL else ("", told)
        for language, by_channel in texts.items()
        for channel, told in by_channel.items()
    }


def _insist(purpose):
    wanted = {(channel, language) for channel in purpose.channels for language in LANGUAGES}
    if not set(purpose.channels) <= set(CHANNELS) or set(purpose.texts) != wanted:
        raise ValueError(f"{purpose.name} needs one text per channel and language: {wanted}")
    for subject, text in purpose.texts.values():
        named = set(PLACEHOLDER.findall(subject + text))
        if not named <= set(purpose.words) or not set(purpose.required) <= named:
            raise ValueError(f"a text of {purpose.name} does not fit its words")
