"""`englishquery`: what people type, with phrases that narrow by a field or a date.

The grammar is below; what each phrase means stands in docs/dialects/fieldpine.md. A text without
any phrase is words to look for, whatever they are; one with a phrase must be right as a whole.
"""

import re
from datetime import timedelta
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from lark import Lark, Transformer, v_args
from lark.exceptions import LarkError

import normalise
from customers.phrases import DATE, days_of, midnight
from tenancy import clock

# Times on this wire are UTC, and so are the days of a phrase.
ZONE = ZoneInfo("UTC")
LONGEST = 500
# Each level is a level of recursion for us and of a query for the database.
MOST_WORDS, MOST_LEVELS = 60, 5
LONGEST_SPAN = 36_500  # days
PHONE = re.compile(r"[+0-9 ()./\-]+")

MOMENTS = {
    **dict.fromkeys(("editdtu", "edited", "changed", "updated"), "updated_at"),
    **dict.fromkeys(("created", "registered"), "created_at"),
}
TEXTS = (
    *("firstname", "lastname", "companyname", "company", "name", "email"),
    *("phone", "mobile", "fax", "address", "city", "postcode", "customerid", "physkey"),
)
NUMBERS = ("cid", "creditlimit", "floorlimit")
FLAGS = ("eucitizen", "donotuse", "excludeloyalty")


def _words(names):
    return rf"/(?:{'|'.join(names)})(?![\w.@-])/i"


GRAMMAR = rf"""
    ?start: either
    ?either: all (_OR all)*
    ?all: part (_AND? part)*
    ?part: _NOT part -> without
         | "(" either ")"
         | clause
         | WORD -> word
         | QUOTED -> quoted

    ?clause: MOMENT SIDE when -> moment
           | MOMENT _BETWEEN when _AND when -> span
           | MOMENT _IS? when -> moment_on
           | MOMENT _IN_LAST WHOLE _DAYS -> recent
           | TEXT like value -> text
           | NUMBER compared value -> number
           | FLAG _IS value -> flag
           | account _IS value -> account_of
           | account WHOLE -> account_of
           | (_WITH)? _CHARGE_ACCOUNT -> has_account
           | _WITH _ACCOUNT -> has_account
           | _WITHOUT account -> no_account
    account: _CHARGE_ACCOUNT | _ACCOUNT
    like: _IS -> is_
        | _IS_NOT -> is_not
        | _CONTAINS -> contains
    compared: _IS -> is_
            | COMPARED
    value: WORD | QUOTED | WHOLE
    when: DAY | INSTANT

    MOMENT.5: {_words(MOMENTS)}
    TEXT.5: {_words(TEXTS)}
    NUMBER.5: {_words(NUMBERS)}
    FLAG.5: {_words(FLAGS)}
    _CHARGE_ACCOUNT.6: /charge[ -]account(?![\w.@-])/i
    _ACCOUNT.5: /account(?![\w.@-])/i
    SIDE.4: /(?:after|before|since|on)(?![\w.@-])/i
    _BETWEEN.4: /between(?![\w.@-])/i
    _IN_LAST.4: /(?:in )?(?:the )?last(?![\w.@-])/i
    _DAYS.4: /days?(?![\w.@-])/i
    _IS_NOT.5: /(?:!=|<>|(?:is )?not(?![\w.@-]))/i
    _IS.4: /(?:=|(?:is|equals)(?![\w.@-]))/i
    _CONTAINS.4: /(?:contains|like)(?![\w.@-])/i
    COMPARED.4: /[<>]=?/
    _WITH.4: /(?:with|has|having)(?= +(?:charge[ -])?account(?![\w.@-]))/i
    _WITHOUT.4: /(?:without|no)(?= +(?:charge[ -])?account(?![\w.@-]))/i
    _AND.4: /(?:and|&)(?![\w.@-])/i
    _OR.4: /or(?![\w.@-])/i
    _NOT.4: /not(?![\w.@-])/i
    INSTANT.3: /\d{{4}}-\d\d-\d\d[Tt]\d\d:\d\d[^\s()]*/
    DAY.2: /{DATE.replace("/", chr(92) + "/")}(?![\w-])/i
    WHOLE.1: /\d{{1,18}}(?![^\s()])/
    QUOTED: /"[^"]*"/
    WORD: /[^\s()"]+/
    %ignore /\s+/
"""
# Something that looks like a phrase: then nobody means plain words.
PHRASE = re.compile(
    rf"(?<!\S)(?:{'|'.join(MOMENTS)})\s+(?:after|before|since|on|between|=|(?:in\s+)?(?:the\s+)?last)\b"
    rf"|(?<!\S)(?:{'|'.join((*TEXTS, *NUMBERS, *FLAGS, *MOMENTS, 'account'))})\s*(?:[=<>]|!=)"
    rf"|(?<!\S)(?:{'|'.join(TEXTS)})\s+(?:is|equals|contains|like)\b",
    re.IGNORECASE,
)
COMPARISON = re.compile(r"[<>=]|!=")
UNKNOWN = re.compile(r"([A-Za-z_]\w*)(?:[<>]=?|!?=)")


class Refused(ValidationError):
    """The text holds a phrase that is none."""

    def __init__(self, message):
        super().__init__({"englishquery": ValidationError(message, code="invalid_query")})


def read(text):
    """The meaning of a text, as nested tuples: ("words", text), ("all", […]), ("any", […]),
    ("not", meaning), ("moment", column, from, past, until), ("text", field, value, whole),
    ("number", field, comparison, value), ("flag", field, truth), ("account", number or None); None
    for an empty text. Raises Refused.
    """
    try:
        text = normalise.clean_text(text, max_length=LONGEST)
    except ValidationError as error:
        raise Refused(error.messages[0]) from error
    if not text:
        return None
    if PHONE.fullmatch(text):
        return "words", text
    nested = max(text.count("("), len(re.findall(r"\bnot\b", text, re.IGNORECASE)))
    if len(text.split()) > MOST_WORDS or nested > MOST_LEVELS:
        raise Refused(_("This is too much for one question."))
    try:
        tree = PARSER.parse(text)
    except LarkError as error:
        if PHRASE.search(text):
            where = getattr(error, "column", None) or len(text)
            here = text[where - 1 :][:30] if where > 0 else ""
            raise Refused(
                _("This phrase cannot be understood near “%(here)s”; see the documentation.")
                % {"here": here}
            ) from error
        return "words", text
    try:
        return MEANING.transform(tree)
    except Exception as error:
        # Lark wraps what is raised inside.
        refusal = getattr(error, "orig_exc", error)
        raise refusal from None


def holds_words(meaning):
    """Whether something is looked for by words."""
    if meaning[0] in ("all", "any"):
        return any(map(holds_words, meaning[1]))
    return holds_words(meaning[1]) if meaning[0] == "not" else meaning[0] == "words"


def names_field(meaning, name):
    """Whether a phrase names this field."""
    if meaning[0] in ("all", "any"):
        return any(names_field(one, name) for one in meaning[1])
    return names_field(meaning[1], name) if meaning[0] == "not" else meaning[1] == name


@v_args(inline=True)
class _Meaning(Transformer):
    def either(self, *parts):
        return "any", list(parts)

    def all(self, *parts):
        # Words that stand together are one text: what is typed may be a phone in groups.
        joined = []
        for part in parts:
            if part[0] == "words" and joined and joined[-1][0] == "words":
                joined[-1] = ("words", f"{joined[-1][1]} {part[1]}")
            else:
                joined.append(part)
        return joined[0] if len(joined) == 1 else ("all", joined)

    def without(self, part):
        return "not", part

    def word(self, word):
        if unknown := UNKNOWN.match(word):
            raise Refused(_("There is no field “%(name)s”.") % {"name": unknown[1]})
        if COMPARISON.match(word):
            raise Refused(_("Before “%(sign)s” a field is missing.") % {"sign": word[:20]})
        return "words", str(word)

    def quoted(self, text):
        return "words", text[1:-1]

    def value(self, text):
        return text[1:-1] if text.type == "QUOTED" else str(text)

    def when(self, text):
        try:
            if text.type == "INSTANT":
                instant = normalise.parse_instant(str(text), tz=ZONE)
                return instant, instant + timedelta(microseconds=1)
            first, last = days_of(text.lower(), ZONE)
        except ValidationError as error:
            raise Refused(error.messages[0]) from error
        return midnight(first, ZONE), midnight(last + timedelta(days=1), ZONE)

    def moment(self, name, side, when):
        begin, end = when
        column, side = MOMENTS[name.lower()], side.lower()
        if side == "before":
            return "moment", column, None, None, begin
        if side == "after":
            return "moment", column, None, begin, None
        return "moment", column, begin, None, end if side == "on" else None

    def moment_on(self, name, when):
        return "moment", MOMENTS[name.lower()], when[0], None, when[1]

    def span(self, name, first, last):
        return "moment", MOMENTS[name.lower()], first[0], None, last[1]

    def recent(self, name, days):
        if int(days) > LONGEST_SPAN:
            raise Refused(_("This is too much for one question."))
        begin = clock.now() - timedelta(days=int(days))
        return "moment", MOMENTS[name.lower()], begin, None, None

    def is_(self):
        return "="

    def is_not(self):
        return "!="

    def contains(self):
        return "contains"

    def compared(self, sign):
        return str(sign)

    def text(self, name, how, value):
        meaning = ("text", name.lower(), value, how != "contains")
        return ("not", meaning) if how == "!=" else meaning

    def number(self, name, sign, value):
        return "number", name.lower(), sign, value

    def flag(self, name, value):
        try:
            return "flag", name.lower(), normalise.clean_bool(value)
        except ValidationError as error:
            raise Refused(error.messages[0]) from error

    def account(self):
        return None

    def account_of(self, _account, number):
        return "account", str(number)

    def has_account(self):
        return "account", None

    def no_account(self, _account):
        return "not", ("account", None)


MEANING = _Meaning()
PARSER = Lark(GRAMMAR, parser="lalr", lexer="contextual", start="start")
