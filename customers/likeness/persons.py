"""What of a customer is compared, folded so that capitals, accents and signs make no difference."""

import re
from dataclasses import dataclass, field

import normalise

# Short forms that do not begin like the name they stand for; those that do are found by that.
NICKNAMES = {
    short: full
    for full, shorts in {
        "alexander": "sasha sandy xander aleksander",
        "alexandra": "sasha sandra sandy",
        "andreas": "anders andrew andy",
        "anna": "anne ann annie anja",
        "anthony": "tony anton",
        "barbara": "babs",
        "christina": "kristin kirsten tina kristina stine",
        "christopher": "kit kristoffer topher",
        "edward": "ted teddy ned",
        "elizabeth": "betty beth bess bessie lisa liz lizzie elisabeth lise",
        "eleanor": "nell nora",
        "frances": "fanny",
        "francis": "frank",
        "frederick": "rick",
        "henry": "harry hank henrik",
        "james": "jim jimmy jamie",
        "johannes": "hans",
        "john": "jack johnny jon",
        "katherine": "kate kathy kitty cathy kari karin katrine kathrine catherine",
        "lawrence": "larry lars",
        "lucas": "luke",
        "margaret": "peggy maggie meg greta margrethe margit",
        "martha": "patty",
        "mary": "molly polly marie maria mia",
        "matthew": "matt mats",
        "michael": "mike mick mikael mikkel",
        "nicholas": "nick klaus nils niels",
        "nigel": "nige",
        "olaf": "ole ola olav",
        "patricia": "pat patty tricia trish",
        "peter": "petter per pete",
        "richard": "dick rick ricky",
        "robert": "bob bobby rob",
        "rebecca": "becky becca",
        "sarah": "sally sadie",
        "steven": "steve stefan stephen steffen",
        "susan": "sue suzy",
        "theodore": "ted teddy",
        "thomas": "tom tommy",
        "william": "bill billy will vilhelm wilhelm",
    }.items()
    for short in shorts.split()
}
# What a company is in law says little about which one it is.
LEGAL_FORMS = frozenset(
    {
        *("ab", "ag", "aps", "as", "asa", "bv", "co", "company", "corp", "da", "ans", "eurl"),
        *("gmbh", "inc", "kg", "limited", "llc", "llp", "ltd", "nuf", "nv", "oy", "oyj", "plc"),
        *("pty", "sa", "sarl", "sas", "sl", "spa", "srl", "the", "und", "and", "og", "of"),
    }
)
_NUMBER = re.compile(r"\d+")


@dataclass(slots=True)
class Home:
    """One address: the words of the street, those of its further lines, the house number, and
    where it is."""

    street: str = ""
    more: str = ""
    number: str = ""
    postal_code: str = ""
    city: str = ""


@dataclass(slots=True)
class Person:
    """One record, as it is compared. Whatever is not known is empty.

    `first` and `last` are folded names; a company has its name in `company`. `birth` is
    (year, month, day), the year 0 where it is unknown.
    """

    first: str = ""
    last: str = ""
    company: str = ""
    vat: str = ""
    birth: tuple | None = None
    emails: frozenset = frozenset()
    phones: frozenset = frozenset()
    homes: list = field(default_factory=list)


def person_of(row, *, emails=(), phones=(), addresses=()):
    """The Person of `row`, a dict of a customer's columns; `emails` are addresses, `phones` digits
    (of E.164 where it is known), `addresses` dicts of an address's columns."""
    first, last = normalise.fold(row["first_name"]), normalise.fold(row["last_name"])
    company = normalise.fold(row["company_name"])
    if not (first or last) and row["name"]:
        name = normalise.fold(row["name"])
        if row["kind"] == "company":
            company = company or name
        elif name != company:
            first, _blank, last = name.rpartition(" ")
    born = None
    if row["birth_month"]:
        born = (row["birth_year"] or 0, row["birth_month"], row["birth_day"])
    if row["login_email"]:
        emails = [*emails, row["login_email"]]
    if row["login_phone_key"]:
        phones = [*phones, row["login_phone_key"]]
    return Person(
        first=first,
        last=last,
        company=company,
        vat=re.sub(r"\W", "", row["vat_number"]).lower(),
        birth=born,
        emails=frozenset(normalise.email_key(address) for address in emails),
        phones=frozenset(filter(None, phones)),
        homes=[home for home in map(_home, addresses) if home != Home()],
    )


def company_core(name):
    """A folded company name without its legal form, its words in order of the alphabet."""
    words = [word for word in name.split() if word not in LEGAL_FORMS and len(word) > 1]
    return " ".join(sorted(words)) or name


def _home(address):
    street = normalise.fold(address["street"])
    more = normalise.fold(" ".join(filter(None, (address["street2"], address["street3"]))))
    numbers = _NUMBER.findall(street) or _NUMBER.findall(more)
    return Home(
        street=_words(street),
        more=_words(more),
        number=numbers[0] if numbers else "",
        postal_code=normalise.fold(address["postal_code"]).replace(" ", ""),
        city=normalise.fold(address["city"]),
    )


def _words(line):
    return " ".join(word for word in line.split() if not word.isdigit())
