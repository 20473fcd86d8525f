"""Likeness in words: why two records stand in the queue."""

from django.utils.translation import gettext_lazy

from customers.likeness.scoring import strength

# (field, level) -> what a clerk reads.
WORDS = {
    ("first_name", "same"): gettext_lazy("same first name"),
    ("first_name", "nickname"): gettext_lazy("first name and its short form"),
    ("first_name", "close"): gettext_lazy("similar first name"),
    ("first_name", "part"): gettext_lazy("first names that share a part"),
    ("first_name", "initial"): gettext_lazy("same initial"),
    ("first_name", "differs"): gettext_lazy("another first name"),
    ("last_name", "same"): gettext_lazy("same last name"),
    ("last_name", "close"): gettext_lazy("similar last name"),
    ("last_name", "part"): gettext_lazy("last names that share a part"),
    ("last_name", "initial"): gettext_lazy("last name with the same initial"),
    ("last_name", "differs"): gettext_lazy("another last name"),
    ("names", "swapped"): gettext_lazy("first and last name swapped"),
    ("company", "same"): gettext_lazy("same company"),
    ("company", "close"): gettext_lazy("similar company name"),
    ("company", "differs"): gettext_lazy("another company"),
    ("vat_number", "same"): gettext_lazy("same VAT number"),
    ("vat_number", "differs"): gettext_lazy("another VAT number"),
    ("birth_date", "same"): gettext_lazy("same birth date"),
    ("birth_date", "close"): gettext_lazy("birth date with one digit different"),
    ("birth_date", "swapped"): gettext_lazy("birth date with day and month swapped"),
    ("birth_date", "without_year"): gettext_lazy("same birthday, a year unknown"),
    ("birth_date", "part"): gettext_lazy("birth date partly the same"),
    ("birth_date", "differs"): gettext_lazy("another birth date"),
    ("email", "same"): gettext_lazy("same e-mail"),
    ("email", "close"): gettext_lazy("similar e-mail"),
    ("email", "differs"): gettext_lazy("another e-mail"),
    ("phone", "same"): gettext_lazy("same phone"),
    ("phone", "close"): gettext_lazy("phone with one digit different"),
    ("phone", "differs"): gettext_lazy("another phone"),
    ("street", "same"): gettext_lazy("same street and number"),
    ("street", "close"): gettext_lazy("similar street"),
    ("street", "part"): gettext_lazy("partly the same street"),
    ("street", "differs"): gettext_lazy("another street"),
    ("place", "same"): gettext_lazy("same postal code"),
    ("place", "close"): gettext_lazy("similar postal code"),
    ("place", "city"): gettext_lazy("same town"),
    ("place", "differs"): gettext_lazy("another place"),
}

STRENGTHS = {
    "very_likely": gettext_lazy("very likely"),
    "likely": gettext_lazy("likely"),
    "possible": gettext_lazy("possible"),
}


def reason_in_words(name, level):
    """A reason as a clerk reads it."""
    return str(WORDS.get((name, level), f"{name}: {level}"))


def strength_in_words(points):
    """How sure the points make it."""
    return str(STRENGTHS[strength(points)])


def speaks_for(level):
    """Whether a reason of this level speaks for one person, rather than against."""
    return level != "differs"
