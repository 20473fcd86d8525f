"""How well duplicates are found in files whose duplicates are known: precision, recall, F1.

    .venv/bin/python -m benchmarks.duplicates_quality FILE --id rec_id --truth PAIRS \\
        --map first_name=given_name last_name=surname birth_date=date_of_birth
    .venv/bin/python -m benchmarks.duplicates_quality FILE --id unique_id --cluster cluster \\
        --map first_name last_name=surname birth_date=dob city email

FILE is a CSV. The truth is a CSV of two columns of ids, or a column of FILE that is the same for
all records of one person. `--map` says which of our fields stands in which column (several columns
joined by +). What is measured is what the product does: records that meet in no block are never
compared, and a block that is too large is left out. Without arguments nothing is done.
"""

import argparse
import csv
import sys
import time
from collections import defaultdict
from itertools import combinations
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from customers.likeness import KEYS, THRESHOLD, compare, keys_of, person_of  # noqa: E402

FIELDS = (
    *("first_name", "last_name", "company_name", "name", "kind", "vat_number", "birth_date"),
    *("email", "phone", "street", "street2", "street3", "postal_code", "city"),
)
LARGEST_BLOCK = 40


def arguments(argv):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("file")
    parser.add_argument("--id", default="id", help="the column that names a record")
    truth = parser.add_mutually_exclusive_group(required=True)
    truth.add_argument("--truth", help="a CSV of the pairs that are the same")
    truth.add_argument("--cluster", help="the column that is the same for the same person")
    parser.add_argument("--map", nargs="+", required=True, metavar="OURS[=THEIRS]")
    parser.add_argument("--show", type=int, default=0, help="so many mistakes of either kind")
    return parser.parse_args(argv)


def records(path, mapping):
    """The rows of a CSV as (row, Person)."""
    wanted = dict(entry.partition("=")[::2] for entry in mapping)
    if unknown := set(wanted) - set(FIELDS):
        raise SystemExit(f"not a field of ours: {', '.join(sorted(unknown))}")
    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            told = {
                name: " ".join(
                    (row[column] or "").strip() for column in (theirs or name).split("+")
                ).strip()
                for name, theirs in wanted.items()
            }
            yield row, _person(told)


def _person(told):
    digits = "".join(filter(str.isdigit, told.get("birth_date", "")))
    born = (int(digits[:4]), int(digits[4:6]), int(digits[6:])) if len(digits) == 8 else (None,) * 3
    row = {name: told.get(name, "") for name in FIELDS[:6]}
    row |= dict(zip(("birth_year", "birth_month", "birth_day"), born, strict=True))
    row |= {"login_email": "", "login_phone_key": ""}
    phone = "".join(filter(str.isdigit, told.get("phone", "")))
    return person_of(
        row,
        emails=[told["email"]] if "@" in told.get("email", "") else [],
        phones=[phone] if phone else [],
        addresses=[{name: told.get(name, "") for name in FIELDS[9:]}],
    )


def candidates(persons):
    """The pairs of indexes that meet in some block."""
    blocks = defaultdict(set)
    for index, person in enumerate(persons):
        for column, key in keys_of(person).items():
            blocks[KEYS[column], key].add(index)
        for address in person.emails:
            blocks["email", address].add(index)
        for digits in person.phones:
            blocks["phone", digits].add(index)
    met = set()
    for block in blocks.values():
        if 1 < len(block) <= LARGEST_BLOCK:
            met.update(combinations(sorted(block), 2))
    return met


def true_pairs(rows, options):
    index_of = {row[options.id]: index for index, row in enumerate(rows)}
    if options.truth:
        with open(options.truth, newline="", encoding="utf-8") as file:
            lines = list(csv.reader(file))[1:]
        return {tuple(sorted((index_of[one], index_of[other]))) for one, other, *_ in lines}
    clusters = defaultdict(list)
    for index, row in enumerate(rows):
        clusters[row[options.cluster]].append(index)
    return {pair for members in clusters.values() for pair in combinations(members, 2)}


def judged(found, truth):
    right = len(found & truth)
    precision = right / len(found) if found else 1.0
    recall = right / len(truth) if truth else 1.0
    total = precision + recall
    return precision, recall, 2 * precision * recall / total if total else 0.0


def main(argv):
    options = arguments(argv)
    rows, persons = zip(*records(options.file, options.map), strict=True)
    truth = true_pairs(rows, options)
    begun = time.perf_counter()
    met = candidates(persons)
    points = {pair: compare(persons[pair[0]], persons[pair[1]]).points for pair in met}
    seconds = time.perf_counter() - begun
    say(f"{len(rows)} records, {len(truth)} true pairs, {len(met)} compared in {seconds:.2f} s")
    say(f"of the true pairs {len(met & truth) / len(truth):.4f} meet in some block")
    for threshold in range(THRESHOLD - 6, THRESHOLD + 9):
        found = {pair for pair, weight in points.items() if weight >= threshold}
        precision, recall, f1 = judged(found, truth)
        mark = "  <- the product's" if threshold == THRESHOLD else ""
        say(
            f"threshold {threshold:3}: precision {precision:.4f} recall {recall:.4f} F1 {f1:.4f}"
            + mark
        )
    found = {pair for pair, weight in points.items() if weight >= THRESHOLD}
    for name, pairs in (("missed", truth - found), ("wrongly found", found - truth)):
        for one, other in sorted(pairs)[: options.show]:
            say(f"\n{name}: {compare(persons[one], persons[other])}")
            say(f"  {list(rows[one].values())}\n  {list(rows[other].values())}")


def say(text):
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(sys.argv[1:])
    else:
        say("nothing to measure: name a file whose duplicates are known (--help)")
