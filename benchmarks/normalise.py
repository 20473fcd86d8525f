"""Normalising one customer's name, e-mail and phone: ours beside the libraries alone.

    .venv/bin/python benchmarks/normalise.py [rows] [rounds]

Both sides see the same generated rows, interleaved, in one process; the figures are medians of
the rounds in µs per row, and the ratio says how many times less ours takes. Only the ratios mean
anything on another machine. The goal is at most 20 µs for a clean row of name, e-mail and phone.
"""

import random
import statistics
import sys
import time
import unicodedata
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import phonenumbers  # noqa: E402
from email_validator import validate_email  # noqa: E402

from normalise import (  # noqa: E402
    clean_email,
    clean_phone,
    clean_text,
    fold,
    search_text,
)

FIRST = ["Anna", "Bjørn", "Carla", "David", "Élise", "Farid", "Grace", "Hanna", "Ivan", "Jo"]
LAST = ["Hansen", "Müller", "Rossi", "Smith", "O'Brien", "Kowalski", "Nguyen", "Berg", "Lie"]
GOAL = 20


def rows(count):
    """Return (first, last, e-mail, phone, country) rows, the same every time."""
    random_ = random.Random(42)
    made = []
    for index in range(count):
        first, last = random_.choice(FIRST), random_.choice(LAST)
        country, number = random_.choice(
            [
                ("NO", f"9{random_.randrange(10**7):07d}"),
                ("NO", f"+47 22 {random_.randrange(10**6):06d}"),
                ("GB", f"07400 {random_.randrange(10**6):06d}"),
                ("DE", f"+49 171 {random_.randrange(10**7):07d}"),
                ("US", f"(212) 555-{random_.randrange(10**4):04d}"),
                ("AU", f"02 98{random_.randrange(10**6):06d}"),
            ]
        )
        made.append((first, last, f"Customer.{index}@Example.org", number, country))
    return made


def ours_names(row):
    clean_text(row[0], max_length=100)
    clean_text(row[1], max_length=100)


def plain_names(row):
    unicodedata.normalize("NFC", row[0]).strip()
    unicodedata.normalize("NFC", row[1]).strip()


def ours_email(row):
    clean_email(row[2])


def library_email(row):
    validate_email(row[2], check_deliverability=False, test_environment=True)


def ours_phone(row):
    clean_phone(row[3], country=row[4])


def library_phone(row):
    number = phonenumbers.parse(row[3], row[4])
    if phonenumbers.is_valid_number(number):
        phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def ours_row(row):
    ours_names(row)
    ours_email(row)
    ours_phone(row)


def library_row(row):
    plain_names(row)
    library_email(row)
    library_phone(row)


def ours_fold(row):
    fold(row[1])


def ours_search(row):
    search_text(names=row[:2], emails=row[2:3], phones=[row[3]], number=12345)


PAIRS = [
    ("two names", ours_names, plain_names),
    ("e-mail", ours_email, library_email),
    ("phone", ours_phone, library_phone),
    ("names, e-mail, phone", ours_row, library_row),
    ("fold one name", ours_fold, None),
    ("search column", ours_search, None),
]


def timed(function, sample):
    """Return µs per row of one pass over the sample."""
    start = time.perf_counter()
    for row in sample:
        function(row)
    return (time.perf_counter() - start) / len(sample) * 1e6


def main(count=20_000, rounds=5):
    sample = rows(count)
    ours_row(sample[0])
    out = sys.stdout.write
    out(f"{count} rows, median of {rounds} interleaved rounds, µs per row\n")
    out(f"{'piece':24}{'ours':>8}{'libraries':>11}{'ratio':>8}\n")
    whole_row = 0
    for label, ours, library in PAIRS:
        mine, theirs = [], []
        for _round in range(rounds):
            mine.append(timed(ours, sample))
            if library:
                theirs.append(timed(library, sample))
        us = statistics.median(mine)
        if ours is ours_row:
            whole_row = us
        if library:
            them = statistics.median(theirs)
            out(f"{label:24}{us:8.1f}{them:11.1f}{them / us:7.1f}x\n")
        else:
            out(f"{label:24}{us:8.1f}{'-':>11}{'-':>8}\n")
    verdict = "met" if whole_row <= GOAL else "missed"
    out(f"goal of {GOAL} µs for names, e-mail and phone: {verdict} ({whole_row:.1f})\n")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
