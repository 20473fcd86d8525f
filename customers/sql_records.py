"""The record as PostgreSQL writes it: JSON text, to the byte what `records` and `json_bytes` make.

Python would spend ten times as long on making objects of columns and text of objects again. What
stands here is the same record once more, said to the database; a test compares the two on random
customers. The columns and their order are taken from the same lists.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from django.db import models

from customers.hooks import hooks
from customers.models import (
    Address,
    Avatar,
    ChargeAccount,
    Consent,
    ContactPerson,
    Customer,
    Device,
    Email,
    Label,
    Phone,
    StoreExtension,
    StoreProfile,
)
from customers.records import COLUMNS
from normalise import minor_unit_places
from tenancy.models import StaffMember, Store

# Of a child table: the rows of the wanted customers. Each statement names the tenant by itself.
OF_WANTED = "tenant_id = %(tenant)s AND customer_id = ANY(%(ids)s::uuid[])"
_INSTANT = """'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'"""
# Texts whose order Python has decided by code point.
_BY_CODE_POINT = 'COLLATE "C"'


@dataclass(frozen=True, slots=True)
class Writing:
    """How values are written: decimals as numbers or as texts, money with its decimal places."""

    texts: bool
    places: int

    def decimal(self, column: str, places: int) -> str:
        """The number that a count of its last decimal place stands for."""
        number = f"{column} * {'1' if places == 0 else '0.' + '1'.zfill(places)}"
        return f"({number})::text" if self.texts else f"({number})::numeric"

    def money(self, column: str) -> str:
        """An amount that is kept in the minor unit of the tenant's currency."""
        return self.decimal(column, self.places)


@dataclass(frozen=True, slots=True)
class SqlPart:
    """One name of the record: the JSON text of its value, and the joins to `c` that it needs.

    `unsure` is true, in SQL, of a customer for whom only Python knows the value.
    """

    name: str
    value: str
    join: str = ""
    unsure: str = ""


def instant(column: str) -> str:
    """A time as the API writes it: UTC, a fraction of six digits or none."""
    return f"replace(to_char({column} AT TIME ZONE 'UTC', {_INSTANT}), '.000000Z', 'Z')"


def table(model: type[models.Model]) -> str:
    """The quoted name of a model's table."""
    return f'"{model._meta.db_table}"'


def as_object(*pairs: tuple[str, str]) -> str:
    """A JSON object of (name, expression), in this order, without spaces."""
    columns = ", ".join(f'{expression} AS "{name}"' for name, expression in pairs)
    return f"(SELECT row_to_json(r) FROM (SELECT {columns}) AS r)"


def as_list(item: str, order: str) -> str:
    """A JSON list of the items of a group, as text."""
    return f"'[' || string_agg({item}::text, ',' ORDER BY {order}) || ']'"


def can_tell() -> bool:
    """Whether every app that adds to the record has said in SQL, too, what it adds."""
    return all(hook in hooks.records_in_sql for hook in hooks.records)


@lru_cache(maxsize=16)
def statement(currency: str, *, texts: bool = False) -> str:
    """The query for a batch, with the parameters `tenant`, `ids` and `now`.

    It answers one text: a line of JSON per customer, in the order of the ids; of whom only Python
    knows, the id alone. One text, because a row each costs the client more than its JSON. `texts`:
    decimals as texts.
    """
    writing = Writing(texts, minor_unit_places(currency))
    parts = [*_parts(writing), *(hooks.records_in_sql[one](writing) for one in hooks.records)]
    told = "".join(f""" || ',"{part.name}":' || {part.value}""" for part in parts)
    joins = "\n".join(part.join for part in parts if part.join)
    unsure = " OR ".join(part.unsure for part in parts if part.unsure) or "false"
    line = f"left({_own(writing)}::text, -1){told} || '}}'"
    return f"""
        SELECT string_agg(line, E'\\n') FROM (
        SELECT CASE WHEN {unsure} THEN c.id::text ELSE {line} END AS line
        FROM unnest(%(ids)s::uuid[]) WITH ORDINALITY AS wanted (id, n)
        JOIN {table(Customer)} AS c ON c.id = wanted.id AND c.tenant_id = %(tenant)s
        LEFT JOIN {table(Store)} AS home ON home.id = c.home_store_id
             AND home.tenant_id = %(tenant)s
        LEFT JOIN {table(StaffMember)} AS seller ON seller.id = c.seller_id
             AND seller.tenant_id = %(tenant)s
        LEFT JOIN {table(StaffMember._meta.get_field("user").related_model)} AS seller_user
             ON seller_user.id = seller.user_id
        {joins}
        ORDER BY wanted.n) AS lines"""  # noqa: S608


def _own(writing: Writing) -> str:
    """The customer's own columns as one object."""
    pairs = []
    for name in COLUMNS:
        if name.startswith("birth_") or name in ("home_store_id", "seller_id"):
            continue
        column = f'c."{name}"'
        if name in Customer.MONEY:
            column = writing.money(column)
        elif isinstance(Customer._meta.get_field(name), models.DateTimeField):
            column = instant(column)
        pairs.append((name, column))
    year, month, day = (
        f"lpad(c.birth_{part}::text, {n}, '0')"
        for part, n in (("year", 4), ("month", 2), ("day", 2))
    )
    year = f"CASE WHEN coalesce(c.birth_year, 0) = 0 THEN '-' ELSE {year} END"
    born = f"{year} || '-' || {month} || '-' || {day}"
    pairs += [("birth_date", born), ("home_store", "home.code"), ("seller", "seller_user.email")]
    return as_object(*pairs)


def _parts(writing: Writing) -> list[SqlPart]:
    """What `assemble` adds, in its order."""
    said = ("primary", "verified", "opted_out", "created_at")
    place = [(name, writing.decimal(f"x.{name}_micro", 6)) for name in ("latitude", "longitude")]
    address = [name for name in Address.FIELDS if name not in ("latitude", "longitude")]
    return [
        _list(Email, "emails", ("address", *said), reach="NOT x.opted_out"),
        _list(Phone, "phones", ("given", "e164", "kind", "extension", *said),
              reach="NOT x.opted_out AND x.e164 <> ''"),
        _list(Address, "addresses", (*address, "created_at"), place,
              reach="x.city <> '' AND (x.street <> '' OR x.street2 <> '' OR x.street3 <> '')"),
        _list(ContactPerson, "contact_persons", (*ContactPerson.FIELDS, "created_at")),
        _list(Label, "labels", Label.FIELDS),
        _list(Device, "devices", ("token", "created_at")),
        _store_profiles(),
        _consents(),
        _charge_account(),
        _avatar(),
        _reachable(),
        _merged_from(),
    ]  # fmt: skip


def _list(
    model: type[models.Model],
    name: str,
    names: Sequence[str],
    more: Sequence[tuple[str, str]] = (),
    *,
    reach: str = "",
) -> SqlPart:
    """A child table as a list of objects with these columns, in the order of its model. `reach`
    is true of a row that makes the customer reachable."""
    pairs = [(one, instant(f"x.{one}") if one == "created_at" else f'x."{one}"') for one in names]
    order = ", ".join(
        f'x."{one.removeprefix("-")}"{" DESC" if one[:1] == "-" else ""}'
        for one in model._meta.ordering
    )
    item = as_object(("id", "x.id"), *pairs, *more)
    reached = f", bool_or({reach}) AS reached" if reach else ""
    join = f"""LEFT JOIN (
        SELECT x.customer_id, {as_list(item, order)} AS told{reached}
        FROM {table(model)} AS x WHERE {OF_WANTED} GROUP BY x.customer_id
        ) AS {name} ON {name}.customer_id = c.id"""  # noqa: S608
    return SqlPart(name, f"coalesce({name}.told, '[]')", join)


def _store_profiles() -> SqlPart:
    profile = as_object(
        ("store", "s.code"),
        ("pos_ref", "p.pos_ref"),
        ("note", "coalesce(p.note, '')"),
        ("extensions", "coalesce(e.codes, '[]')"),
    )
    join = f"""LEFT JOIN (
        SELECT coalesce(p.customer_id, e.customer_id) AS customer_id,
               {as_list(profile, f"s.code {_BY_CODE_POINT}")} AS told
        FROM (SELECT * FROM {table(StoreProfile)} WHERE {OF_WANTED}) AS p
        FULL JOIN (
            SELECT customer_id, store_id, to_json(array_agg(code ORDER BY code)) AS codes
            FROM {table(StoreExtension)} WHERE {OF_WANTED} GROUP BY customer_id, store_id
        ) AS e ON e.customer_id = p.customer_id AND e.store_id = p.store_id
        LEFT JOIN {table(Store)} AS s ON s.id = coalesce(p.store_id, e.store_id)
        GROUP BY 1
        ) AS store_profiles ON store_profiles.customer_id = c.id"""  # noqa: S608
    return SqlPart("store_profiles", "coalesce(store_profiles.told, '[]')", join)


def _consents() -> SqlPart:
    consent = as_object(
        ("purpose", "x.purpose"),
        ("granted", "x.granted"),
        ("at", instant("x.at")),
        ("store", "s.code"),
        ("source", "x.source"),
        ("wording_version", "x.wording_version"),
    )
    join = f"""LEFT JOIN (
        SELECT x.customer_id, {as_list(consent, f"x.purpose {_BY_CODE_POINT}")} AS told,
               bool_or(x.purpose = '{Consent.MARKETING}' AND x.granted) AS marketing
        FROM (
            SELECT DISTINCT ON (customer_id, purpose) *
            FROM {table(Consent)} WHERE {OF_WANTED} ORDER BY customer_id, purpose, version DESC
        ) AS x
        LEFT JOIN {table(Store)} AS s ON s.id = x.store_id
        GROUP BY x.customer_id
        ) AS consents ON consents.customer_id = c.id"""  # noqa: S608
    return SqlPart("consents", "coalesce(consents.told, '[]')", join)


def _charge_account() -> SqlPart:
    told = as_object(("number", "account.number"), ("retired", "account.retired"))
    value = f"CASE WHEN account.customer_id IS NULL THEN 'null' ELSE {told}::text END"
    join = (
        f"LEFT JOIN {table(ChargeAccount)} AS account "
        "ON account.customer_id = c.id AND account.tenant_id = %(tenant)s"
    )
    return SqlPart("charge_account", value, join)


def _avatar() -> SqlPart:
    join = (
        f"LEFT JOIN {table(Avatar)} AS avatar "
        "ON avatar.customer_id = c.id AND avatar.tenant_id = %(tenant)s"
    )
    return SqlPart("avatar", "(avatar.customer_id IS NOT NULL)::text", join)


def _reachable() -> SqlPart:
    """The rule of `CustomerQuerySet.reachable`, from the lists that are joined already."""
    ways = [
        ("email", "emails.reached AND NOT c.no_email"),
        ("sms", "phones.reached"),
        ("post", "addresses.reached"),
    ]
    told = ", ".join(f"CASE WHEN {reached} THEN '\"{name}\"' END" for name, reached in ways)
    asked = f"c.status = '{Customer.Status.ACTIVE}' AND c.anonymised_at IS NULL"
    value = (
        f"CASE WHEN consents.marketing AND {asked} THEN '[' || concat_ws(',', {told}) || ']' "
        "ELSE '[]' END"
    )
    return SqlPart("reachable", value)


def _merged_from() -> SqlPart:
    # Asked once per batch, because few tenants merge: looking for each customer's costs more than
    # half of its addresses do.
    join = f"""LEFT JOIN (
        SELECT merged_into_id, to_json(array_agg(id ORDER BY number, id))::text AS told
        FROM {table(Customer)}
        WHERE (SELECT EXISTS (
            SELECT FROM {table(Customer)}
            WHERE tenant_id = %(tenant)s AND merged_into_id IS NOT NULL
        )) AND tenant_id = %(tenant)s AND merged_into_id = ANY(%(ids)s::uuid[])
        GROUP BY merged_into_id
        ) AS merged ON merged.merged_into_id = c.id"""  # noqa: S608
    return SqlPart("merged_from", "coalesce(merged.told, '[]')", join)
