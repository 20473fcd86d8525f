"""The one normalised search column, and what a person types to find something in it.

Both sides go through `fold`, here and not in the database, so that SQLite and PostgreSQL find
the same people whatever their locale.
"""

import re
import unicodedata
from typing import NamedTuple

from .phones import clean_phone, national_digits, phone_digits

MAX_SEARCH_TEXT = 4000
MAX_TERMS = 8
MAX_QUERY = 200
FEWEST_DIGITS = 4

# Letters that have no decomposition in Unicode but have one in people's fingers.
_LETTERS = {
    "ø": "o",
    "ł": "l",
    "đ": "d",
    "ð": "d",
    "ħ": "h",
    "ŧ": "t",
    "æ": "ae",
    "œ": "oe",
    "ı": "i",
    "þ": "th",
}
# Left out altogether, so that O'Brien is found as obrien and as o brien.
_APOSTROPHES = "'`´’‘ʼʹʻ＇"
# How the same letters are spelt where the keyboard lacks them: Mueller, Soeren, Aase.
_SPELT_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})
_MEMOISED_CHARACTERS = 20_000


class _Folding(dict):
    """A `str.translate` table that works each character out once.

    It is bounded, so that a visitor who sends all of Unicode does not fill the memory.
    """

    def __missing__(self, code):
        folded = _fold_character(chr(code))
        if len(self) < _MEMOISED_CHARACTERS:
            self[code] = folded
        return folded


def _fold_character(character):
    if character in _LETTERS:
        return _LETTERS[character]
    if character in _APOSTROPHES:
        return None
    category = unicodedata.category(character)
    if category == "Cf" or unicodedata.combining(character):
        return None
    if category == "Nd":
        return str(unicodedata.decimal(character))
    # Other symbols stay: somebody's name may be an emoji.
    if category[0] in "PZ" or category in ("Sm", "Sc", "Sk", "Cc", "Cs", "Co"):
        return " "
    return character


_FOLDING = _Folding()
_ASCII = {
    code: None if chr(code) in _APOSTROPHES else " "
    for code in range(128)
    if not chr(code).isalnum()
}
_ASCII_EMAIL = {code: blank for code, blank in _ASCII.items() if chr(code) not in "@._+-"}
_EMAIL_FOLDING = _Folding({ord(character): character for character in "@._+-"})


def fold(text):
    """Return `text` as it is searched: words of plain lower-case letters and digits.

    Compatibility forms, accents and letter case go (NFKD, casefold), letters such as ø, ł, đ,
    æ, ß and ı become their nearest Latin ones, digits of all scripts ASCII. Apostrophes and
    invisible characters vanish, other punctuation becomes a blank, except `@ . _ + -` inside a
    word that holds an `@`; blanks collapse. Folding twice changes nothing.
    """
    if text.isascii():
        text = text.lower()
        if text.isalnum():
            return text
        plain, email = _ASCII, _ASCII_EMAIL
    else:
        # Case folding may bring out what has a decomposition, so the two take turns.
        text = unicodedata.normalize("NFKD", text).casefold()
        text = unicodedata.normalize("NFKD", text).casefold()
        plain, email = _FOLDING, _EMAIL_FOLDING
    if "@" not in text:
        return " ".join(text.translate(plain).split())
    words = []
    for word in text.translate(email).split():
        if "@" in word:
            words.append(word.strip("._+-"))
        else:
            words.extend(word.translate(plain).split())
    return " ".join(words)


def search_text(*, names=(), emails=(), phones=(), identifiers=(), number=None):
    """Return the value of the search column: ` word word … `, each word once.

    `names`, `emails` and `identifiers` are texts (None and '' are skipped); `phones` are
    `Phone`s or anything with `given` and `e164`, or texts; `number` is the customer number.
    A phone appears as E.164 digits and as dialled inside its country, else as the digits
    given; an identifier with separators also without them; a name with ä, ö, ü, ø or å also
    spelt out. The blanks at both ends let a query ask for the beginning of a word. At most
    4,000 characters: what does not fit whole is left out, the least important last.
    """
    words = {}
    if number is not None:
        words[f"cust-{number}"] = words[str(number)] = None
    for name in names:
        if name:
            words.update(dict.fromkeys(fold(name).split()))
            if not name.isascii():
                composed = unicodedata.normalize("NFC", name).casefold()
                words.update(dict.fromkeys(fold(composed.translate(_SPELT_OUT)).split()))
    for email in emails:
        if email:
            words.update(dict.fromkeys(fold(email).split()))
    for phone in phones:
        if phone:
            words.update(dict.fromkeys(_phone_words(phone)))
    for identifier in identifiers:
        if identifier:
            parts = fold(identifier).split()
            words.update(dict.fromkeys(parts))
            if len(parts) > 1:
                words["".join(parts)] = None
    text = f" {' '.join(words)} " if words else ""
    return text if len(text) <= MAX_SEARCH_TEXT else _cut(words)


class Term(NamedTuple):
    """One thing to look for; `kind` is 'digits', 'email', 'number' or 'word'.

    `number` is a customer number named as such (CUST-123). `digits` may be a phone, a card, a
    postal code or a customer number. All terms of a query must match.
    """

    kind: str
    value: str


_PHONE = re.compile(r"\+?[0-9 ()./\-]+")
_CUSTOMER_NUMBER = re.compile(r"cust-?([0-9]{1,18})")
_INSIDE_EMAIL = re.compile(r"[._+\-]")
_TRUNK_ZERO = re.compile(r"\(0\)")


def search_terms(q):
    """Return the `Term`s in what a person typed, at most eight; [] for nothing.

    A query made of phone characters with four digits or more is one number, however it is
    grouped: `+47 900 00 001`, `0047 90000001`, `(02) 9876-5432`. With a country code it
    becomes the digits of E.164 once it is complete. Otherwise words in any order, folded like
    the search column: with an `@` an e-mail (or a part of one), `CUST-123` a customer number,
    four digits or more digits, the rest words.
    """
    if not isinstance(q, str):
        return []
    text = unicodedata.normalize("NFKC", q[:MAX_QUERY]).strip()
    if _PHONE.fullmatch(text):
        digits = _typed_phone(text)
        if len(digits) >= FEWEST_DIGITS:
            return [Term("digits", digits)]
    terms = {}
    for token in text.split():
        named = _CUSTOMER_NUMBER.fullmatch(token.lower())
        if named:
            terms[Term("number", str(int(named.group(1))))] = None
            continue
        for word in fold(token).split():
            terms[Term(_kind(word), word)] = None
    return list(terms)[:MAX_TERMS]


def email_part(q):
    """Return the `Term` of the part of an e-mail that `q` may be though it has no `@`, such as
    `n.york` of ann.york@example.org; None for what cannot be one alone."""
    text = q.strip() if isinstance(q, str) else ""
    if "@" in text or len(text) > MAX_QUERY or _CUSTOMER_NUMBER.fullmatch(text.lower()):
        return None
    folded = fold(f"{text}@").removesuffix("@")
    return Term("email", folded) if _INSIDE_EMAIL.search(folded) and " " not in folded else None


def _kind(word):
    if "@" in word:
        return "email"
    if word.isascii() and word.isdigit() and len(word) >= FEWEST_DIGITS:
        return "digits"
    return "word"


def _typed_phone(text):
    """Return the digits to look for: E.164's where a country code makes them certain."""
    digits = phone_digits(text)
    if not digits or len(text) > 40 or not text.startswith(("+", "00")):
        return digits
    phone = clean_phone(text, country=None)
    if phone.e164:
        return phone.digits
    return phone_digits(_TRUNK_ZERO.sub("", text)) if text[0] == "+" else digits


def _phone_words(phone):
    given = phone if isinstance(phone, str) else phone.given
    e164 = "" if isinstance(phone, str) else phone.e164
    if e164:
        return e164[1:], national_digits(e164)
    digits = phone_digits(given)
    return (digits,) if digits else ()


def _cut(words):
    kept, length = [], 2
    for word in words:
        if length + len(word) <= MAX_SEARCH_TEXT:
            kept.append(word)
            length += len(word) + 1
    return f" {' '.join(kept)} "
