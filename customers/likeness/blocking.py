"""By which keys two records meet that may be the same person, so that nobody compares everybody.

A key is a number made of what stands in a record; records with the same key in the same place are
compared. Each key tolerates mistakes in what it is not made of, and names stand in it by their
sound, so that most slips of a finger leave it as it is. The first name and the last name have a
key each, which meet each other as well: names stand in the wrong field all the time.
"""

from hashlib import blake2b

from customers.likeness.persons import company_core

# Column -> the columns that it meets in.
KEYS = {
    "names": ("names",),
    "birth_first": ("birth_first", "birth_last"),
    "birth_last": ("birth_first", "birth_last"),
    "place_first": ("place_first", "place_last"),
    "place_last": ("place_first", "place_last"),
    "door": ("door",),
    "birth": ("birth",),
    "birth_place": ("birth_place",),
    "mailbox": ("mailbox",),
}
_SOUNDS = {
    letter: digit
    for digit, letters in enumerate(("bpfvw", "cgjkqsxz", "dt", "l", "mn", "r"), start=1)
    for letter in letters
}
LONGEST_SOUND = 4
SHORTEST_MAILBOX = 6


def sound(word):
    """A word as it roughly sounds: its consonants by kind, a 0 in front where it begins with none.

    "" for nothing; what holds no Latin letter sounds like itself.
    """
    word = word.replace(" ", "")
    if not word:
        return ""
    digits = [] if word[0] in _SOUNDS else [0]
    last = None
    for letter in word:
        digit = _SOUNDS.get(letter)
        if digit is not None and digit != last:
            digits.append(digit)
        last = digit
    if digits == [0] and not word.isascii():
        return word[:LONGEST_SOUND]
    return "".join(map(str, digits[:LONGEST_SOUND]))


def keys_of(person):
    """{column of KEYS: number}, of this person's keys; a column for which too little is known is
    left out."""
    first = sound(person.first)
    last = sound(person.last or person.company)
    home = person.homes[0] if person.homes else None
    place = home and (home.postal_code or home.city)
    born = person.birth and "{:04d}{:02d}{:02d}".format(*person.birth)
    street = sound(max(home.street.split(), key=len, default="")) if home else ""
    mailbox = _mailbox(person)
    # For each column its parts; it is a key where all of them are known.
    parts = {
        "names": _names(person, first, last),
        "birth_first": ("birth", born, first),
        "birth_last": ("birth", born, last),
        "place_first": ("place", place, first),
        "place_last": ("place", place, last),
        "door": ("door", place, street, home.number) if home else (),
        "birth": ("birth", born),
        "birth_place": ("birth_place", born, place),
        "mailbox": ("mailbox", mailbox),
    }
    return {
        column: _number("\0".join(told)) for column, told in parts.items() if told and all(told)
    }


def _names(person, first, last):
    if first and last:
        return ("names", *sorted((first, last)))
    return ("company", company_core(person.company)) if person.company else ()


def _mailbox(person):
    """What stands before the @, where it is long enough to be somebody's own."""
    boxes = sorted(address.partition("@")[0] for address in person.emails)
    return next((box for box in boxes if len(box) >= SHORTEST_MAILBOX), "")


def _number(text):
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
