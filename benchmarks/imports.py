"""Bringing customers in: ours, COPY itself, bulk_create, django-import-export, a save loop.

    .venv/bin/python -m benchmarks.imports [customers] [rounds]

Every customer has an e-mail, a phone and an address. COPY is the yardstick: on PostgreSQL, every
row that our import has left behind (customer, contact points, loyalty account, history) copied once
more into the same tables with the same indexes. On SQLite the yardstick is one prepared INSERT per
table. `bulk_create` writes the four tables of the customer alone, without any rule. The slow ones
get fewer customers and are reckoned per customer. Then the same file again, and a messy one, with
the share of each stage; and the memory of processes of their own. In a database of its own beside
the one that DATABASE_URL names, removed at the end; only the ratios mean anything elsewhere.
"""

import csv
import io
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADER = (
    *("external_id", "first_name", "last_name", "email", "phone"),
    *("street", "postal_code", "city", "country", "birth_date"),
)
FEW = 500
SEEN_BY_DEFAULT = 20_000


# --- Data --------------------------------------------------------------------------------------
def rows(n, *, tag="x", messy=False):
    """So many customers, the same every time. Of the messy ones a third writes its phone or
    country another way, and one in fifty has an e-mail that is none."""
    chance = random.Random(f"{tag}{n}")
    first = ["Ada", "Grace", "Lars", "Kari", "Ole", "Anne", "Bjørn", "Åse", "Søren", "Zoë", "Maria"]
    last = ["Hansen", "Olsen", "Lovelace", "Nygård", "Müller", "Kowalski"]
    last += [f"{start}{end}" for start in ("Berg", "Dal", "Lund", "Moen", "Haug", "Vik")
             for end in ("", "e", "en", "um", "heim", "stad", "sen", "land")]  # fmt: skip
    for number in range(n):
        name, family = chance.choice(first), chance.choice(last)
        mail = f"{family.encode('ascii', 'ignore').decode().lower()}.{tag}{number}@example.com"
        phone = f"+47{chance.choice('49')}{chance.randrange(10**7):07d}"
        country = "NO"
        if messy and number % 3 == 0:
            phone = f" {phone[3:6]} {phone[6:8]} {phone[8:]}"
            country = chance.choice(("Norway", "norge", "NOR"))
        if messy and number % 50 == 0:
            mail = mail.replace("@", " at ")
        born = chance.randrange(1940, 2005), chance.randrange(1, 13), chance.randrange(1, 29)
        street, code = f"Storgata {chance.randrange(200)}", f"{chance.randrange(10_000):04d}"
        date = "{:04d}-{:02d}-{:02d}".format(*born)
        yield f"{tag}{number}", name, family, mail, phone, street, code, "Oslo", country, date


def write_file(out, n, **options):
    writer = csv.writer(out)
    writer.writerow(HEADER)
    writer.writerows(rows(n, **options))


def file_of(n, **options):
    out = io.StringIO(newline="")
    write_file(out, n, **options)
    return io.BytesIO(out.getvalue().encode())


def new_tenant():
    from tenancy.services import create_tenant

    code = f"b{uuid.uuid4().hex[:12]}"
    return create_tenant(code, country="NO", currency="NOK", timezone="Europe/Oslo")[0]


# --- What is compared --------------------------------------------------------------------------
def timed(deed, *args, **options):
    begun = time.perf_counter()
    result = deed(*args, **options)
    return time.perf_counter() - begun, result


def ours(file, **options):
    from customers.imports.engine import import_customers

    return import_customers(file, **options)


def tables_of_an_import():
    from customers.models import Address, Customer, Email, Phone
    from events.models import HistoryEntry
    from loyalty.models import LoyaltyAccount

    return [Customer, Email, Phone, Address, LoyaltyAccount, HistoryEntry]


def left_behind(tenant):
    """Every row that the import of this tenant left, as tuples ready for another tenant."""
    found = {}
    other = new_tenant()
    ids = defaultdict(uuid.uuid4)
    for model in tables_of_an_import():
        fields = [one for one in model._meta.concrete_fields if not one.primary_key
                  or one.get_internal_type() == "UUIDField"]  # fmt: skip
        names = [one.attname for one in fields]
        turned = []
        for row in model.objects.filter(tenant=tenant).values_list(*names):
            values = dict(zip(names, row, strict=True))
            values["tenant_id"] = other.pk
            for name in ("id", "customer_id", "subject_id"):
                if values.get(name) is not None:
                    values[name] = ids[values[name]]
            if values.get("level_id"):
                values["level_id"] = None
            turned.append(tuple(values[name] for name in names))
        found[model] = (fields, turned)
    return found


def yardstick(found):
    """COPY on PostgreSQL, one prepared INSERT per table on SQLite: one transaction."""
    from django.db import connection, transaction

    from tenancy import bulk, bulk_copy

    write = bulk_copy.copy_rows if connection.vendor == "postgresql" else bulk._execute_many
    with transaction.atomic():
        for model, (fields, turned) in found.items():
            write(model._meta.db_table, fields, turned)


def as_text(found):
    """The same as COPY reads it, made beforehand: what is measured is the database alone."""
    import json

    def cell(field, value):
        if value is None:
            return "\\N"
        if field.get_internal_type() == "JSONField":
            value = json.dumps(value, ensure_ascii=False)
        elif isinstance(value, bool):
            return "t" if value else "f"
        text = str(value)
        for plain, escaped in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r")):
            text = text.replace(plain, escaped)
        return text

    ready = {}
    for model, (fields, turned) in found.items():
        lines = ("\t".join(map(cell, fields, row)) + "\n" for row in turned)
        ready[model] = (fields, "".join(lines).encode())
    return ready


def copy_itself(ready):
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor:
        for model, (fields, text) in ready.items():
            columns = ", ".join(f'"{field.column}"' for field in fields)
            statement = f'COPY "{model._meta.db_table}" ({columns}) FROM STDIN'
            with cursor.copy(statement) as copy:
                for start in range(0, len(text), 1 << 18):
                    copy.write(text[start : start + (1 << 18)])


def unsaved(tenant, data):
    from customers.models import Address, Customer, Email, Phone

    for number, row in enumerate(data, 1):
        external_id, first, last, mail, phone, street, postal_code, city, country, born = row
        year, month, day = map(int, born.split("-"))
        customer = Customer(
            tenant=tenant, number=number, external_id=external_id, first_name=first,
            last_name=last, name=f"{first} {last}", birth_year=year, birth_month=month,
            birth_day=day, search_text=f" {first} {last} {mail} ".lower(),
        )  # fmt: skip
        yield (
            customer,
            Email(tenant=tenant, customer=customer, address=mail, address_key=mail, primary=True),
            Phone(tenant=tenant, customer=customer, given=phone, e164=phone, digits=phone[1:],
                  reversed_digits=phone[:0:-1], primary=True),
            Address(tenant=tenant, customer=customer, street=street, postal_code=postal_code,
                    city=city, country=country, primary=True),
        )  # fmt: skip


def bulk_created(tenant, data):
    from django.db import transaction

    with transaction.atomic():
        for model_rows in zip(*unsaved(tenant, data), strict=True):
            type(model_rows[0]).objects.bulk_create(model_rows, batch_size=1_000)


def saved(tenant, data):
    """What is usually written: one customer after the other, each in its transaction."""
    from django.db import transaction

    for made in unsaved(tenant, data):
        with transaction.atomic():
            for row in made:
                row.save(force_insert=True)


def through_import_export(tenant, data):
    import tablib
    from import_export import resources

    from customers.models import Address, Customer, Email, Phone

    counter = iter(range(1, len(data) + 1))

    class CustomerResource(resources.ModelResource):
        def before_save_instance(self, instance, row, **options):
            instance.tenant = tenant
            instance.number = next(counter)
            instance.name = f"{instance.first_name} {instance.last_name}"

        def after_save_instance(self, instance, row, **options):
            phone = row["phone"]
            mail = row["email"]
            Email.objects.create(
                tenant=tenant, customer=instance, address=mail, address_key=mail, primary=True
            )
            Phone.objects.create(
                tenant=tenant, customer=instance, given=phone, e164=phone, digits=phone[1:],
                reversed_digits=phone[:0:-1], primary=True,
            )  # fmt: skip
            Address.objects.create(
                tenant=tenant, customer=instance, street=row["street"], city=row["city"],
                postal_code=row["postal_code"], country=row["country"], primary=True,
            )  # fmt: skip

        class Meta:
            model = Customer
            fields = ("external_id", "first_name", "last_name")
            import_id_fields = ("external_id",)
            use_transactions = True

    result = CustomerResource().import_data(tablib.Dataset(*data, headers=HEADER))
    assert not result.has_errors(), result.row_errors()[:1]


# --- Stages ------------------------------------------------------------------------------------
def stages(tenant, n):
    """Where the time of a messy file goes: processor time of each stage, per row."""
    from customers.imports.engine import CHUNK, seldom_collecting
    from customers.imports.mapping import Mapping
    from customers.imports.plain_rows import PlainRows
    from customers.imports.planning import plan_import
    from customers.imports.validating import Validator

    took = {}

    def stage(name, deed):
        begun = time.process_time()
        found = deed()
        took[name] = (time.process_time() - begun) / n * 1e6
        return found

    file = file_of(n, tag="s", messy=True)
    plan = stage("look through the file", lambda: plan_import(file))
    raw = stage("read", lambda: list(plan.source))
    validator = Validator(tenant, plan.mapping)
    plain = PlainRows(plan.mapping, validator)
    left = []

    def short_way():
        for start in range(0, n, CHUNK):
            chunk = raw[start : start + CHUNK]
            found = zip(chunk, plain.candidates(chunk), strict=True)
            left.extend(row for row, candidate in found if candidate is None)

    with seldom_collecting():  # as the engine does it, and chunk by chunk
        stage("validate, the short way", short_way)
    assert isinstance(plan.mapping, Mapping)
    stage(
        "validate, the long way",
        lambda: [validator.validate(plan.mapping.apply(row)) for row in left],
    )
    begun = time.process_time()
    wall, report = timed(ours, file)
    cpu = (time.process_time() - begun) / n * 1e6
    assert report.refused == -(-n // 50)
    known = sum(took.values())
    say(f"a messy file of {n}: {report.created} in, {report.refused} refused, "
        f"{wall / n * 1e6:.0f} us a row")  # fmt: skip
    for name, us in took.items():
        say(f"  {name:26} {us:6.1f} us of processor a row")
    say(f"  {'match, build and write':26} {max(0.0, cpu - known):6.1f} us of processor a row")
    say(f"  {'waiting for the database':26} {max(0.0, wall / n * 1e6 - cpu):6.1f} us a row")
    clean = took["validate, the short way"] * n / (n - len(left))
    say(f"  {len(left) / n:.1%} of the rows went the long way; a clean row costs at most "
        f"{clean:.1f} us of validation")  # fmt: skip


# --- Running -----------------------------------------------------------------------------------
def say(line):
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def one_round(n, results):
    from django.db import connection

    from tenancy.scoping import all_tenants, in_tenant

    tenant = new_tenant()
    file = file_of(n)
    with in_tenant(tenant):
        took, report = timed(ours, file)
        assert report.created == n, report.errors[:3]
        results["ours, first load"].append(n / took)
        file.seek(0)
        took, report = timed(ours, file)
        assert report.unchanged == n
        results["ours, the same file again"].append(n / took)
        found = left_behind(tenant)
    with all_tenants():
        if connection.vendor == "postgresql":
            ready = as_text(found)
            results["COPY of every row"].append(n / timed(copy_itself, ready)[0])
        else:
            results["COPY of every row"].append(n / timed(yardstick, found)[0])
    for name, deed, few in (
        ("bulk_create, four tables", bulk_created, min(n, 20_000)),
        ("django-import-export", through_import_export, min(n, FEW)),
        ("save loop", saved, min(n, FEW)),
    ):
        other = new_tenant()
        data = list(rows(few))
        with in_tenant(other):
            results[name].append(few / timed(deed, other, data)[0])


def peak():
    """The most memory that this process has had, in MB. Not `getrusage`: its figure is inherited
    from whoever started the process."""
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def memory(n):
    """The most memory of a process of its own that imports so many, in MB."""
    ran = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "benchmarks.imports", "--memory", str(n)],
        cwd=ROOT, check=True, capture_output=True, text=True, env=os.environ,
    )  # fmt: skip
    return float(ran.stdout.split()[-1])


def measure(n, rounds):
    from django.db import connection

    from tenancy.scoping import in_tenant

    results = defaultdict(list)
    for _round in range(rounds):
        one_round(n, results)
    middle = {name: statistics.median(found) for name, found in results.items()}
    copied = middle["COPY of every row"]
    say(f"{connection.vendor}, {n} customers, median of {rounds}:")
    for name, rate in middle.items():
        say(f"  {name:28} {rate:9,.0f} customers/s   {rate / copied:6.3f} of COPY")
    first = middle["ours, first load"]
    for name in ("bulk_create, four tables", "django-import-export", "save loop"):
        say(f"  ours, first load: {first / middle[name]:.1f} times {name}")
    tenant = new_tenant()
    with in_tenant(tenant):
        stages(tenant, min(n, 20_000))


def set_up(name=None):
    """A test database beside the configured one; returns how to remove it."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    from django.db import connection

    own = connection.settings_dict
    before = own["NAME"]
    own["TEST"]["NAME"] = name or f"bench_{uuid.uuid4().hex[:12]}"
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    return lambda: connection.creation.destroy_test_db(before, verbosity=0)


def main():
    arguments = sys.argv[1:]
    sizes = [int(one) for one in arguments if one.isdigit()]
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("DATABASE_URL", f"sqlite:///{folder}/bench.sqlite3")
        is_sqlite = os.environ["DATABASE_URL"].startswith("sqlite")
        name = f"{folder}/bench_test.sqlite3" if is_sqlite else None
        remove = set_up(name)
        try:
            if "--memory" in arguments:
                from tenancy.scoping import in_tenant

                path = Path(folder) / "file.csv"
                with path.open("w", encoding="utf-8", newline="") as out:
                    write_file(out, sizes[0])  # in memory it would be larger than the import
                with in_tenant(new_tenant()):
                    ours(path)
                say(f"{peak():.0f}")
                return
            n = sizes[0] if sizes else SEEN_BY_DEFAULT
            measure(n, sizes[1] if len(sizes) > 1 else 3)
        finally:
            remove()
    small, large = 1_000, max(n, 10_000)
    say(f"memory: {memory(small):.0f} MB for {small}, {memory(large):.0f} MB for {large}")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
