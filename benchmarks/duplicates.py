"""Finding duplicates among many customers: the first look, one changed customer, somebody typed.

    .venv/bin/python -m benchmarks.duplicates [customers]

Invented customers, one in twenty of them twice with a slip or two; the names are as unevenly spread
as people's are. Told are the seconds of the first look at everybody, how many of the twins it found
and how many other pairs it put into the queue (precision and recall at this size), then the
milliseconds of looking at one changed customer and of recognising somebody who is being typed. In
a database of its own, which is removed at the end, beside the one that DATABASE_URL names (SQLite
in a temporary folder without it).
"""

import os
import random
import statistics
import sys
import tempfile
import time
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BATCH = 5_000
TWINS = 20
STARTS = ("b", "d", "f", "g", "h", "j", "k", "l", "m", "n", "r", "s", "t", "v", "st", "br", "kr")
MIDDLES, ENDS = "aeiouyæøå", "nlrskmtd"


def words(pick, count):
    """So many invented names."""
    made = {}
    while len(made) < count:
        parts = [pick.choice(STARTS) + pick.choice(MIDDLES) for _ in range(pick.choice((1, 2, 2)))]
        made["".join([*parts, pick.choice(ENDS)]).title()] = None
    return list(made)


def uneven(pick, names):
    """One of them, the first ones far more often than the last."""
    return names[min(int(pick.paretovariate(0.6)) - 1, len(names) - 1)]


def slip(pick, text):
    """The text with one letter wrong, left out, doubled or exchanged with the next."""
    if len(text) < 3:
        return text
    at = pick.randrange(1, len(text) - 1)
    return pick.choice(
        (
            text[:at] + "e" + text[at + 1 :],
            text[:at] + text[at + 1 :],
            text[:at] + text[at] + text[at:],
            text[:at] + text[at + 1] + text[at] + text[at + 2 :],
        )
    )


def people(count):
    """Yield (person, twin of the index or None); a person is a dict of what is told of them."""
    pick = random.Random(8)
    firsts, lasts, streets = (words(pick, n) for n in (2_000, 20_000, 5_000))
    known = []
    for index in range(count):
        if known and index % TWINS == 0:
            of = pick.randrange(len(known))
            person, origin = dict(known[of][1]), known[of][0]
            for name in pick.sample(["first", "last", "street"], pick.choice((0, 1, 2))):
                person[name] = slip(pick, person[name])
            for name in pick.sample(["email", "phone", "born"], pick.choice((0, 1, 2))):
                person[name] = None
            if pick.random() < 0.1:
                person["first"], person["last"] = person["last"], person["first"]
            yield person, origin
            continue
        first, last = uneven(pick, firsts), uneven(pick, lasts)
        person = {
            "first": first,
            "last": last,
            "email": f"{first}.{last}{index}@example.org".lower() if pick.random() < 0.7 else None,
            "phone": f"47{40_000_000 + index}" if pick.random() < 0.7 else None,
            "born": (1940 + pick.randrange(65), pick.randrange(1, 13), pick.randrange(1, 29))
            if pick.random() < 0.6
            else None,
            "street": pick.choice(streets) + "gata",
            "number": pick.randrange(1, 120),
            "postal": f"{pick.randrange(1, 4_000):04d}",
        }
        if len(known) < 200_000:
            known.append((index, person))
        yield person, None


def make(count):
    """The tenant, the ids in order, and the true pairs."""
    from customers.models import Address, Customer, Email, Phone
    from customers.services.statistics import refresh_statistics
    from tenancy.scoping import in_tenant
    from tenancy.services import create_tenant

    tenant = create_tenant("bench-duplicates", country="NO")[0]
    ids, truth, rows = [], set(), []

    def write():
        Customer.objects.bulk_create([row[0] for row in rows])
        for position, model in enumerate((Email, Phone, Address), start=1):
            model.objects.bulk_create([row[position] for row in rows if row[position]])
        rows.clear()

    with in_tenant(tenant):
        for index, (person, origin) in enumerate(people(count)):
            year, month, day = person["born"] or (None,) * 3
            customer = Customer(
                id=uuid.uuid4(), tenant=tenant, number=index + 1, first_name=person["first"],
                last_name=person["last"], name=f"{person['first']} {person['last']}",
                birth_year=year, birth_month=month, birth_day=day,
            )  # fmt: skip
            own = {"tenant": tenant, "customer": customer}
            address, phone = person["email"], person["phone"]
            rows.append(
                (
                    customer,
                    address and Email(**own, address=address, address_key=address),
                    phone and Phone(**own, given=phone, digits=phone, reversed_digits=phone[::-1]),
                    Address(
                        **own, street=f"{person['street']} {person['number']}",
                        postal_code=person["postal"], city="Oslo", country="NO",
                    ),
                )
            )  # fmt: skip
            ids.append(customer.pk)
            if origin is not None:
                truth.add(tuple(sorted((ids[origin], customer.pk))))
            if len(rows) == BATCH:
                write()
        write()
        refresh_statistics()
    return tenant, ids, truth


def measure(count):
    from customers.models import Customer, LikenessKeys, PossibleDuplicate
    from customers.services import find_duplicates, possible_duplicates
    from tenancy.scoping import in_tenant

    tenant, ids, truth = make(count)
    with in_tenant(tenant):
        seconds, report = timed(find_duplicates)
        found = set(PossibleDuplicate.objects.values_list("first", "second"))
        right = len(found & truth)
        say(f"{count} customers: first look {seconds:.1f} s ({count / seconds:.0f} a second)")
        say(
            f"{len(truth)} twins, {len(found)} pairs found, recall {right / len(truth):.3f}, "
            f"precision {right / len(found):.3f} (two twins of one person count as wrong)"
        )
        say(f"nothing changed: {timed(find_duplicates)[0]:.2f} s")
        ones = []
        for customer_id in ids[:: max(1, count // 20)][:20]:
            LikenessKeys.objects.filter(customer=customer_id).update(version=0)
            since = Customer.objects.get(pk=customer_id).updated_at
            Customer.objects.filter(pk=customer_id).update(updated_at="2030-01-01T00:00:00Z")
            ones.append(timed(find_duplicates, changed_since="2029-01-01T00:00:00Z")[0])
            Customer.objects.filter(pk=customer_id).update(updated_at=since)
        say(f"one changed customer: {statistics.median(ones) * 1000:.1f} ms")
        typed = []
        for customer in Customer.objects.filter(pk__in=ids[:: max(1, count // 20)][:20]):
            words = {"first_name": customer.first_name, "last_name": customer.last_name}
            home = {"street": "", "postal_code": "0155"}
            typed.append(timed(possible_duplicates, words | {"addresses": [home]})[0])
        say(f"somebody is typed: {statistics.median(typed) * 1000:.1f} ms")


def timed(work, *args, **options):
    begun = time.perf_counter()
    answer = work(*args, **options)
    return time.perf_counter() - begun, answer


def say(text):
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ["DATABASE_STATEMENT_TIMEOUT"] = "0"
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("DATABASE_URL", f"sqlite:///{folder}/bench.sqlite3")
        import django

        django.setup()
        from django.db import connection

        database = connection.settings_dict
        if connection.vendor == "sqlite":
            database["TEST"]["NAME"] = f"{folder}/bench_test.sqlite3"
        else:
            database["TEST"]["NAME"] = f"bench_{uuid.uuid4().hex[:12]}"
        name = database["NAME"]
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        try:
            say(connection.vendor)
            measure(count)
        finally:
            connection.creation.destroy_test_db(name, verbosity=0)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
