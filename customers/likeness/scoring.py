"""What the likeness of two records weighs, in points, and why.

Each field that both records fill in adds its weight or takes some away. A point is a bit of
evidence: how much more often (2, 4, 8 … times) two records of one person agree like this than two
records of two people. Weights are set by hand from how people err and how many share a value.

Whoever lives together shares a last name, an address, a telephone, often a mailbox. Together these
count for no more than one strong sign where the first names differ: else every couple would be one
person.
"""

import re
from dataclasses import dataclass
from itertools import product

from rapidfuzz.distance import OSA, JaroWinkler
from rapidfuzz.fuzz import ratio, token_set_ratio, token_sort_ratio

from customers.likeness.blocking import sound
from customers.likeness.persons import NICKNAMES, Home, company_core

# Two records with so many points or more may be the same person.
THRESHOLD = 10
LIKELY, VERY_LIKELY = 14, 20
# What the people of one household have in common counts for so much at most.
HOUSEHOLD_MOST = 11
HOUSEHOLD = ("last_name", "phone", "email", "street", "place")
# Unless they were born on the same day.
BORN_ALIKE = ("same", "close", "swapped")

WEIGHTS = {
    "first_name": {"same": 4, "nickname": 3, "close": 3, "part": 2, "initial": 1, "differs": -5},
    "last_name": {"same": 5, "close": 4, "part": 3, "initial": 1, "differs": -4},
    "names": {"swapped": 8},
    "company": {"same": 8, "close": 5, "differs": -8},
    "vat_number": {"same": 12, "differs": -8},
    "birth_date": {
        **{"same": 9, "close": 6, "swapped": 6, "without_year": 5, "part": 2, "differs": -4},
    },
    "email": {"same": 10, "close": 6, "differs": -1},
    "phone": {"same": 10, "close": 4, "differs": -1},
    "street": {"same": 5, "close": 4, "part": 2, "differs": -2},
    "place": {"same": 3, "close": 2, "city": 0, "differs": -1},
}
SHORTEST_PHONE = 7


@dataclass(frozen=True, slots=True)
class Likeness:
    """How much alike two records are: the points, and (field, level) of what they have to say."""

    points: int
    reasons: tuple

    def is_enough(self, threshold=THRESHOLD):
        return self.points >= threshold


def strength(points):
    """ "very_likely", "likely" or "possible"."""
    if points >= VERY_LIKELY:
        return "very_likely"
    return "likely" if points >= LIKELY else "possible"


def compare(one, other):
    """The Likeness of two Persons."""
    levels = {
        **_names(one, other),
        "vat_number": _plain(one.vat, other.vat),
        "birth_date": _birth(one.birth, other.birth),
        "email": _best(one.emails, other.emails, _email),
        "phone": _best(one.phones, other.phones, _phone),
        **_homes(one.homes, other.homes),
    }
    weighed = {name: WEIGHTS[name][level] for name, level in levels.items() if level}
    shared = sum(weighed.pop(name, 0) for name in HOUSEHOLD)
    if levels.get("first_name") == "differs" and levels["birth_date"] not in BORN_ALIKE:
        shared = min(shared, HOUSEHOLD_MOST)
    return Likeness(
        points=shared + sum(weighed.values()),
        reasons=tuple((name, level) for name, level in levels.items() if level),
    )


# --- Words -----------------------------------------------------------------------------------
def _plain(one, other):
    if not one or not other:
        return None
    return "same" if one == other else "differs"


def _is_close(one, other):
    """Whether a slip of a finger or of an ear lies between two words."""
    longest = max(len(one), len(other))
    if longest < 4:
        return False
    if OSA.distance(one, other) <= (1 if longest < 8 else 2):
        return True
    alike = JaroWinkler.similarity(one, other)
    return alike >= 0.9 or (alike >= 0.8 and sound(one) == sound(other))


def _word(one, other, *, nicknames=False):
    """The level of two names of a person."""
    if not one or not other:
        return None
    if one == other:
        return "same"
    ours, theirs = one.split(), other.split()
    if nicknames and any(_is_nickname(a, b) for a, b in product(ours, theirs)):
        return "nickname"
    if _is_close(one.replace(" ", ""), other.replace(" ", "")):
        return "close"
    if min(len(one), len(other)) == 1 and one[0] == other[0]:
        return "initial"
    if len(ours) + len(theirs) > 2 and any(
        a == b or _is_close(a, b) for a, b in product(ours, theirs) if len(a) > 2
    ):
        return "part"
    return "differs"


def _is_nickname(one, other):
    short, long = sorted((one, other), key=len)
    if NICKNAMES.get(one, one) == NICKNAMES.get(other, other):
        return True
    return len(short) >= 3 and long.startswith(short)


def _names(one, other):
    if one.company and other.company and not (one.first and other.first):
        return {"company": _company(one.company, other.company)}
    straight = {
        "first_name": _word(one.first, other.first, nicknames=True),
        "last_name": _word(one.last, other.last),
    }
    if not all((one.first, one.last, other.first, other.last)):
        # One name alone may stand in either field.
        crossed = {_word(one.first, other.last), _word(one.last, other.first)} & {"same", "close"}
        if crossed and not {"same", "close"} & set(straight.values()):
            return {"last_name": "same" if "same" in crossed else "close"}
        return straight
    crossed = _word(one.first, other.last), _word(one.last, other.first)
    if all(level in ("same", "close") for level in crossed) and "differs" in straight.values():
        return {"names": "swapped"}
    return straight


def _company(one, other):
    one, other = company_core(one), company_core(other)
    if one == other:
        return "same"
    is_close = token_sort_ratio(one, other) >= 88 or token_set_ratio(one, other) >= 95
    return "close" if is_close else "differs"


# --- Dates -----------------------------------------------------------------------------------
def _birth(one, other):
    if one is None or other is None:
        return None
    if one == other:
        return "same"
    if not one[0] or not other[0]:
        return "without_year" if one[1:] == other[1:] else "differs"
    if one[0] == other[0] and one[1:] == other[:0:-1]:
        return "swapped"
    if OSA.distance("{:04d}{:02d}{:02d}".format(*one), "{:04d}{:02d}{:02d}".format(*other)) == 1:
        return "close"
    agreeing = sum(a == b for a, b in zip(one, other, strict=True))
    return "part" if agreeing == 2 else "differs"


# --- Contact points --------------------------------------------------------------------------
def _best(ours, theirs, level_of):
    """The best level of any of ours with any of theirs; None where either has none."""
    if not ours or not theirs:
        return None
    if ours & theirs:
        return "same"
    levels = {level_of(a, b) for a, b in product(ours, theirs)}
    return next(level for level in ("same", "close", "differs") if level in levels)


def _email(one, other):
    (box, _at, domain), (other_box, _at, other_domain) = (
        address.rpartition("@") for address in (one, other)
    )
    if box == other_box and len(box) >= SHORTEST_PHONE - 2:
        return "close"
    if _is_close(domain, other_domain) or domain == other_domain:
        if _only_numbers_differ(box, other_box):
            return "differs"
        near = len(box) >= 5 and OSA.distance(box, other_box) <= (1 if len(box) < 8 else 2)
        return "close" if near else "differs"
    return "differs"


def _only_numbers_differ(box, other_box):
    """Whether the same words stand in two mailboxes, with another number each: ada12 and ada47 are
    two people, of whom the second found the name taken."""
    numbers, other_numbers = (re.findall(r"\d+", one) for one in (box, other_box))
    words, other_words = (re.sub(r"\d+", "#", one) for one in (box, other_box))
    return words == other_words and numbers != other_numbers


def _phone(one, other):
    if one[-8:] == other[-8:] and min(len(one), len(other)) >= SHORTEST_PHONE:
        return "same"
    if min(len(one), len(other)) >= SHORTEST_PHONE and OSA.distance(one, other) == 1:
        return "close"
    return "differs"


# --- Addresses -------------------------------------------------------------------------------
def _homes(ours, theirs):
    """The levels of street and place, of the two addresses that are most alike."""
    best, points = {"street": None, "place": None}, None
    for one, other in product(ours, theirs):
        levels = {"street": _street(one, other), "place": _place(one, other)}
        weight = sum(WEIGHTS[name][level] for name, level in levels.items() if level)
        if points is None or weight > points:
            best, points = levels, weight
    return best


def _street(one: Home, other: Home):
    if not (one.street and other.street):
        # One line alone may stand in either.
        ours, theirs = one.street or one.more, other.street or other.more
        alike = max(_line(one.more, other.more), _line(ours, theirs))
        return "part" if alike >= 80 else None
    alike = _line(one.street, other.street)
    if alike < 80:
        return "part" if _line(one.more, other.more) >= 90 else "differs"
    if one.number and other.number and one.number != other.number:
        return "part"
    is_same = alike >= 97 and one.number == other.number
    return "same" if is_same else "close"


def _line(one, other):
    """0 to 100: how much alike two lines of an address are."""
    if not one or not other:
        return 0
    together = ratio(one.replace(" ", ""), other.replace(" ", ""))
    return max(token_set_ratio(one, other), together)


def _place(one: Home, other: Home):
    if one.postal_code and other.postal_code:
        if one.postal_code == other.postal_code:
            return "same"
        if len(one.postal_code) > 3 and OSA.distance(one.postal_code, other.postal_code) == 1:
            return "close"
    if one.city and other.city:
        if one.city == other.city or _is_close(one.city, other.city):
            return "city"
        return "differs"
    return "differs" if one.postal_code and other.postal_code else None
