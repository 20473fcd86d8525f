"""Pages: by cursor (the default: stable while rows change, as fast at the end as at the start), or
by number where a caller wants that.

A cursor is the place of a row in the list's total order, signed, so that nobody can make one up.
The next page is found by comparing whole rows of columns, `(updated_at, id) > (…, …)`, which both
databases answer from an index.
"""

from django.conf import settings
from django.core import signing
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.models import BooleanField, F, Func, Q, Value
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

SALT = "api.cursor"
DEEPEST_ROW = 10_000_000
PARAMETERS = ("cursor", "page", "page_size", "limit", "count")
TRUE, FALSE = ("true", "1"), ("false", "0", "")


class RowsAfter(Func):
    """`(a, b) > (x, y)` as a condition of `filter`; `<` where the order descends."""

    output_field = BooleanField()
    conditional = True

    def __init__(self, columns, values, *, operator=">"):
        super().__init__(*columns, *values)
        self.operator = operator

    def as_sql(self, compiler, connection):
        parts, params = [], []
        for expression in self.source_expressions:
            sql, more = compiler.compile(expression)
            parts.append(sql)
            params.extend(more)
        half = len(parts) // 2
        left, right = ", ".join(parts[:half]), ", ".join(parts[half:])
        return f"({left}) {self.operator} ({right})", params


class CursorOrPagePagination(BasePagination):
    """`cursor` (opaque), or `page` with `page_size`; `count=true` adds the number of all rows."""

    def __init__(self):
        self.next = self.previous = self.count = None

    # -- Django REST framework's two calls
    def paginate_queryset(self, queryset, request, view=None):
        rows = self.paginate(queryset, request.query_params)
        self.url = request.build_absolute_uri()
        return rows

    def get_paginated_response(self, data):
        document = {
            "results": data,
            "next": self._link(self.next),
            "previous": self._link(self.previous),
        }
        if self.count is not None:
            document["count"] = self.count
        return Response(document)

    # -- the work, for any source of parameters
    def paginate(self, queryset, parameters):
        """The rows of the page that `parameters` name; afterwards `next`, `previous` ((parameter,
        value) or None) and `count` are set. `queryset` must have a total order.

        Raises ValidationError (400) for a bad parameter.
        """
        size = page_size(parameters)
        if flag(parameters, "count"):
            self.count = queryset.order_by().count()
        if parameters.get("page") not in (None, ""):
            if parameters.get("cursor"):
                raise ValidationError({"page": ["Either page or cursor."]})
            return self._numbered(queryset, whole(parameters, "page", 1, DEEPEST_ROW), size)
        return self._by_cursor(queryset, parameters.get("cursor") or None, size)

    def _numbered(self, queryset, page, size):
        start = (page - 1) * size
        if start >= DEEPEST_ROW:
            raise ValidationError({"page": ["Too far in; page by cursor."]})
        rows = list(queryset[start : start + size + 1])
        if page > 1 and not rows:
            raise ValidationError({"page": ["There is no such page."]})
        self.next = ("page", page + 1) if len(rows) > size else None
        self.previous = ("page", page - 1) if page > 1 else None
        return rows[:size]

    def _by_cursor(self, queryset, cursor, size):
        order = list(queryset.query.order_by)
        backwards, values = _read_cursor(cursor, order, queryset.model) if cursor else (False, None)
        if backwards:
            queryset = queryset.order_by(*[_turned(term) for term in order])
        if values is not None:
            condition = _after([_turned(t) for t in order] if backwards else order, values)
            queryset = queryset.filter(condition(queryset.model))
        rows = list(queryset[: size + 1])
        more = len(rows) > size
        rows = rows[:size]
        if backwards:
            rows.reverse()
        has_next, has_previous = (True, more) if backwards else (more, values is not None)
        if rows:
            self.next = ("cursor", _cursor(order, rows[-1], False)) if has_next else None
            self.previous = ("cursor", _cursor(order, rows[0], True)) if has_previous else None
        return rows

    def _link(self, target):
        if target is None:
            return None
        url = remove_query_param(remove_query_param(self.url, "cursor"), "page")
        return replace_query_param(url, *target)

    # -- the schema
    def get_schema_operation_parameters(self, view):
        def parameter(name, schema, description):
            return {
                "name": name,
                "required": False,
                "in": "query",
                "description": description,
                "schema": schema,
            }

        largest = settings.API_MAX_PAGE_SIZE
        return [
            parameter("cursor", {"type": "string"}, "From `next` or `previous` of an answer."),
            parameter(
                "page",
                {"type": "integer", "minimum": 1},
                "The page by its number, instead of a cursor.",
            ),
            parameter(
                "page_size",
                {"type": "integer", "minimum": 1, "maximum": largest},
                f"Rows per page; {settings.API_PAGE_SIZE} unless named.",
            ),
            parameter("count", {"type": "boolean"}, "`true` adds `count`, the number of all rows."),
        ]

    def get_paginated_response_schema(self, schema):
        link = {"type": "string", "format": "uri", "nullable": True}
        return {
            "type": "object",
            "required": ["results", "next", "previous"],
            "properties": {
                "results": schema,
                "next": link,
                "previous": link,
                "count": {"type": "integer", "description": "Only with `count=true`."},
            },
        }


# --- Parameters --------------------------------------------------------------------------------
def page_size(parameters):
    """How many rows a page shall have. `limit` is another word for `page_size`."""
    name = "page_size" if parameters.get("page_size") not in (None, "") else "limit"
    if parameters.get(name) in (None, ""):
        return settings.API_PAGE_SIZE
    return whole(parameters, name, 1, settings.API_MAX_PAGE_SIZE)


def whole(parameters, name, lowest, highest):
    """A parameter as a whole number within bounds; raises ValidationError (400)."""
    value = parameters.get(name)
    text = str(value)
    plain = text.isascii() and text.isdigit() and len(text) <= 12 and not isinstance(value, bool)
    if not plain or not lowest <= int(text) <= highest:
        raise ValidationError({name: [f"A whole number from {lowest} to {highest}."]})
    return int(text)


def flag(parameters, name):
    """A parameter as a truth value; raises ValidationError (400)."""
    word = str(parameters.get(name) or "").lower()
    if word not in TRUE + FALSE:
        raise ValidationError({name: ["true or false."]})
    return word in TRUE


# --- Places in an order ------------------------------------------------------------------------
def _turned(term):
    return term[1:] if term.startswith("-") else f"-{term}"


def _cursor(order, row, backwards):
    values = []
    for term in order:
        name = term.removeprefix("-")
        value = row[name] if isinstance(row, dict) else getattr(row, name)
        values.append(value if isinstance(value, (int, str)) else _text(value))
    # Compressed, because servers and proxies cut addresses off at 4,000 to 8,000 characters and a
    # name of 250 emoji takes 3,000 as JSON.
    return signing.dumps([order, int(backwards), values], salt=SALT, compress=True)


def _text(value):
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _read_cursor(cursor, order, model):
    try:
        its_order, backwards, texts = signing.loads(str(cursor), salt=SALT)
        fields = [model._meta.get_field(term.removeprefix("-")) for term in order]
        if its_order != order:
            raise ValueError
        values = [field.to_python(text) for field, text in zip(fields, texts, strict=True)]
    except (signing.BadSignature, ValueError, TypeError, DjangoValidationError) as error:
        raise ValidationError(
            {"cursor": ["This cursor does not belong to this list and order."]}
        ) from error
    return bool(backwards), values


def _after(order, values):
    """A function (model) -> condition for the rows behind `values` in `order`."""
    directions = {term.startswith("-") for term in order}
    names = [term.removeprefix("-") for term in order]

    def condition(model):
        if len(directions) == 1:
            wrapped = [
                Value(value, output_field=model._meta.get_field(name))
                for name, value in zip(names, values, strict=True)
            ]
            return RowsAfter(
                [F(name) for name in names], wrapped, operator="<" if True in directions else ">"
            )
        # Mixed directions have no row comparison. The first column's bound, though it says
        # nothing new, lets the database start there.
        first = "lte" if order[0].startswith("-") else "gte"
        behind = Q()
        for position, (term, value) in enumerate(zip(order, values, strict=True)):
            same = dict(zip(names[:position], values[:position], strict=True))
            operator = "lt" if term.startswith("-") else "gt"
            behind |= Q(**same, **{f"{names[position]}__{operator}": value})
        return Q(**{f"{names[0]}__{first}": values[0]}) & behind

    return condition
