"""Taking customers out: ours in every form, COPY itself, Django REST framework, import-export.

    .venv/bin/python -m benchmarks.export [customers] [rounds]

Every customer has an e-mail, a phone and an address. The yardsticks on PostgreSQL: COPY of the
statement that writes our records, over all customers at once (the same bytes, no batches, no
Python), and COPY of the plain columns of the four tables joined. `ours over HTTP` goes through the
view of the house API, with rights and filters. The usual ways get fewer customers and are reckoned
per customer: a serializer over a queryset with its children fetched ahead, the same one customer
after the other, a loop that writes CSV, and django-import-export, both of these with the columns of
one contact point and address only. Then the memory of processes of their own. In a database of its
own beside the one that DATABASE_URL names, removed at the end; only the ratios mean anything
elsewhere.
"""

import csv
import io
import os
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from benchmarks.imports import ROOT, file_of, new_tenant, ours, say, set_up, timed

FEW = 2_000
SEEN_BY_DEFAULT = 20_000
PLAIN = (
    *("number", "external_id", "first_name", "last_name", "birth_year", "birth_month"),
    *("birth_day", "created_at", "updated_at"),
)

CHILDREN = ("emails", "phones", "addresses")


# --- Ours --------------------------------------------------------------------------------------
def exported(form):
    from customers.exports import pieces, select_customers

    return sum(map(len, pieces(select_customers(), form)))


def over_http(token, form, **query):
    from django.test import Client

    client = Client(SERVER_NAME="localhost", headers={"Authorization": f"Bearer {token}"})
    answer = client.get("/api/v1/customers/", {"format": form, **query})
    assert answer.status_code == 200, answer.content
    return sum(map(len, answer.streaming_content))


# --- Yardsticks --------------------------------------------------------------------------------
def copied(statement, parameters=None):
    from django.db import connection

    size = 0
    with connection.cursor() as cursor, cursor.copy(statement, parameters) as copy:
        for block in copy:
            size += len(block)
    return size


def copy_of_the_records(tenant):
    """The statement of our export without its batches: every customer of the tenant, by number."""
    from customers.sql_records import statement
    from tenancy import clock

    query = statement(tenant.currency)
    start, end = "SELECT string_agg(line, E'\\n') FROM (", ") AS lines"
    assert start in query
    query = query.replace(start, "").removesuffix(end)
    query = query.replace(
        "unnest(%(ids)s::uuid[]) WITH ORDINALITY AS wanted (id, n)",
        "(SELECT id, number AS n FROM customers_customer WHERE tenant_id = %(tenant)s) AS wanted",
    ).replace("= ANY(%(ids)s::uuid[])", "IS NOT NULL")
    assert "%(ids)s" not in query
    # JSON holds no raw control character: nothing is escaped.
    return copied(
        f"COPY ({query}) TO STDOUT (FORMAT csv, DELIMITER E'\\x02', QUOTE E'\\x01')",
        {"tenant": tenant.pk, "now": clock.now()},
    )


def copy_of_plain_columns(tenant):
    columns = ", ".join(f"c.{name}" for name in PLAIN)
    query = f"""SELECT {columns}, e.address, p.e164, a.street, a.postal_code, a.city, a.country
        FROM customers_customer c
        LEFT JOIN customers_email e ON e.customer_id = c.id
        LEFT JOIN customers_phone p ON p.customer_id = c.id
        LEFT JOIN customers_address a ON a.customer_id = c.id
        WHERE c.tenant_id = %(tenant)s ORDER BY c.number"""  # noqa: S608
    return copied(f"COPY ({query}) TO STDOUT (FORMAT csv)", {"tenant": tenant.pk})


# --- The usual ways ----------------------------------------------------------------------------
def with_children(few):
    from customers.models import Customer

    return Customer.objects.order_by("number").prefetch_related(*CHILDREN)[:few]


def serializers():
    """A serializer as it is usually written, nested, for the columns and the three lists."""
    from rest_framework import serializers

    from customers import models

    def of(model, names):
        meta = type("Meta", (), {"model": model, "fields": names})
        return type(f"{model.__name__}Plain", (serializers.ModelSerializer,), {"Meta": meta})

    names = [
        field.name
        for field in models.Customer._meta.concrete_fields
        if field.name not in ("tenant", "password", "search_text", "merged_into")
    ]
    body = {
        "emails": of(models.Email, ["id", *models.Email.FIELDS, "created_at"])(many=True),
        "phones": of(models.Phone, ["id", *models.Phone.FIELDS, "created_at"])(many=True),
        "addresses": of(
            models.Address,
            ["id", *(n for n in models.Address.FIELDS if "itude" not in n), "created_at"],
        )(many=True),
        "Meta": type(
            "Meta",
            (),
            {"model": models.Customer, "fields": [*names, "emails", "phones", "addresses"]},
        ),
    }
    return type("CustomerPlain", (serializers.ModelSerializer,), body)


def through_serializers(few):
    from rest_framework.renderers import JSONRenderer

    return len(JSONRenderer().render(serializers()(with_children(few), many=True).data))


def through_one_after_the_other(few):
    from rest_framework.renderers import JSONRenderer

    made = serializers()
    render = JSONRenderer().render
    rows = with_children(few).iterator(chunk_size=500)
    return sum(len(render(made(customer).data)) + 1 for customer in rows)


def rows_of(few):
    for customer in with_children(few):
        mail, phone = customer.emails.all()[0], customer.phones.all()[0]
        place = customer.addresses.all()[0]
        own = [getattr(customer, name) for name in PLAIN]
        yield [*own, mail.address, phone.e164, place.street, place.postal_code, place.city,
               place.country]  # fmt: skip


def csv_loop(few):
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows_of(few))
    return len(out.getvalue())


def import_export(few):
    from import_export import fields, resources

    from customers.models import Customer

    def first(of, name):
        def dehydrate(_resource, customer):
            found = getattr(customer, of).all()
            return getattr(found[0], name) if found else ""

        return dehydrate

    wanted = {"email": ("emails", "address"), "phone": ("phones", "e164")}
    wanted |= {name: ("addresses", name) for name in ("street", "postal_code", "city", "country")}
    body = {name: fields.Field(column_name=name) for name in wanted}
    body |= {f"dehydrate_{name}": first(*where) for name, where in wanted.items()}
    body["Meta"] = type("Meta", (), {"model": Customer, "fields": [*PLAIN, *wanted]})
    resource = type("CustomerResource", (resources.ModelResource,), body)
    return len(resource().export(with_children(few)).csv)


# --- Running -----------------------------------------------------------------------------------
def one_round(n, tenant, token, results):
    from django.db import connection

    from customers.exports import FORMATS

    few = min(n, FEW)
    ways = [(f"ours, {form}", n, exported, form) for form in FORMATS]
    ways += [(f"ours over HTTP, {form}", n, over_http, token, form) for form in ("ndjson", "csv")]
    if connection.vendor == "postgresql":
        # In between, so that a change of the machine's load meets both.
        ways.insert(1, ("COPY of the same records", n, copy_of_the_records, tenant))
        ways.insert(3, ("COPY of plain columns", n, copy_of_plain_columns, tenant))
    ways += [
        ("DRF, many=True", few, through_serializers, few),
        ("DRF, one by one", few, through_one_after_the_other, few),
        ("loop over a queryset, csv", few, csv_loop, few),
        ("django-import-export, csv", few, import_export, few),
    ]
    for name, number, deed, *arguments in ways:
        took, size = timed(deed, *arguments)
        results[name].append((number / took, size / number))


def filled(n):
    """A tenant with so many customers, and a token that may take them out."""
    from django.db import connection

    from tenancy.scoping import in_tenant
    from tenancy.services import create_token

    tenant = new_tenant()
    with in_tenant(tenant):
        report = ours(file_of(n))
        assert report.created == n
        scopes = ["customers:read", "customers:export"]
        token = create_token(tenant, holder="service", scopes=scopes)[1]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
    return tenant, token


def measure(n, rounds):
    from django.db import connection

    from tenancy.scoping import in_tenant

    tenant, token = filled(n)
    results = defaultdict(list)
    with in_tenant(tenant):
        over_http(token, "ndjson", limit="1")  # what the first request loads is not measured
        for _round in range(rounds):
            one_round(n, tenant, token, results)
    middle = {name: statistics.median(rate for rate, _ in found) for name, found in results.items()}
    say(f"{connection.vendor}, {n} customers, median of {rounds}:")
    limit = middle.get("COPY of the same records")
    plain = middle.get("COPY of plain columns")
    for name, rate in middle.items():
        told = f"  {name:28} {rate:9,.0f} customers/s  {results[name][0][1]:6.0f} bytes each"
        if limit:
            told += (
                f"  {rate / limit:6.3f} of COPY of the records  {rate / plain:6.3f} of plain COPY"
            )
        say(told)
    for mine, other in (
        ("ours, jsonl", "DRF, many=True"),
        ("ours, jsonl", "DRF, one by one"),
        ("ours over HTTP, ndjson", "DRF, many=True"),
        ("ours, csv", "loop over a queryset, csv"),
        ("ours, csv", "django-import-export, csv"),
    ):
        say(f"  {mine}: {middle[mine] / middle[other]:.1f} times {other}")


def resident():
    """The most memory of this process so far, in MB. (ru_maxrss would tell of the parent, too.)"""
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise OSError("no VmHWM")


def memory(n, form):
    """What an export of so many adds to the memory of a process, in MB: (before, at most)."""
    from django.db import connection

    ran = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "benchmarks.export", "--memory", str(n), form,
         str(connection.settings_dict["NAME"])],
        cwd=ROOT, check=True, capture_output=True, text=True, env=os.environ,
    )  # fmt: skip
    return tuple(map(float, ran.stdout.split()[-2:]))


def taken_in_memory(n, form, database):
    """In a process of its own: export the first `n` customers of the largest tenant."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    from django.db import connection

    connection.settings_dict["NAME"] = database
    from customers.exports import pieces, select_customers
    from tenancy.models import Tenant
    from tenancy.scoping import in_tenant

    with in_tenant(Tenant.objects.order_by("-pk").get(code__startswith="b")):
        sum(map(len, pieces(select_customers()[:10], form)))
        before = resident()
        sum(map(len, pieces(select_customers()[:n], form)))
    say(f"{before:.0f} {resident():.0f}")


def main():
    arguments = sys.argv[1:]
    if "--memory" in arguments:
        taken_in_memory(int(arguments[1]), arguments[2], arguments[3])
        return
    sizes = [int(one) for one in arguments if one.isdigit()]
    n = sizes[0] if sizes else SEEN_BY_DEFAULT
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("DATABASE_URL", f"sqlite:///{folder}/bench.sqlite3")
        is_sqlite = os.environ["DATABASE_URL"].startswith("sqlite")
        remove = set_up(f"{folder}/bench_test.sqlite3" if is_sqlite else None)
        try:
            measure(n, sizes[1] if len(sizes) > 1 else 3)
            for form in ("jsonl", "csv", "xlsx"):
                for size in sorted({min(n, 10_000), n // 2, n}):
                    before, most = memory(size, form)
                    say(f"memory, {form} of {size}: {before:.0f} MB before, {most:.0f} MB at most")
        finally:
            remove()


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
