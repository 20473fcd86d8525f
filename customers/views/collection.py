"""What is asked of all customers at once: search, check, registrations."""

from difflib import get_close_matches

from django_filters.utils import translate_validation
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from api.ordering import StableOrderingFilter, total
from api.pagination import PARAMETERS, CursorOrPagePagination, whole
from customers.filters import CustomerFilter
from customers.records import COLUMNS, assemble
from customers.registrations import INTERVALS, registrations
from customers.serializers import CustomerSerializer
from customers.views.base import CustomerPartViewSet
from customers.views.customers import ORDERING

# What `check` may be asked about.
CHECKED = (
    *("email", "phone", "external_id", "username", "card_number", "number"),
    *("login_email", "login_phone"),
)
CHECKED_PARAMETERS = [
    OpenApiParameter(name, str, description="The value to look for.") for name in CHECKED
]
COUNTS = inline_serializer(
    "CheckAnswer", {name: serializers.IntegerField(required=False) for name in CHECKED}
)


class CollectionViewSet(CustomerPartViewSet):
    """Questions about all customers. What names people goes in a body: URLs end up in logs."""

    operation_prefix = "customers"
    operations = {"check_get": "customers.check"}
    ordering = ("-created_at",)
    ordering_fields = ORDERING
    list_actions = frozenset()
    reading_actions = frozenset({"search", "check"})
    parameters = {"check_get": CHECKED, "registrations": ("interval", "last")}

    @extend_schema(
        request=inline_serializer(
            "CustomerSearch",
            {
                "q": serializers.CharField(required=False),
                "ordering": serializers.CharField(required=False),
                "page_size": serializers.IntegerField(required=False),
                "cursor": serializers.CharField(required=False),
                "count": serializers.BooleanField(required=False),
            },
        ),
        responses=inline_serializer(
            "CustomerSearchAnswer",
            {
                "results": CustomerSerializer(many=True),
                "next": serializers.CharField(allow_null=True, help_text="For `cursor`."),
                "previous": serializers.CharField(allow_null=True, help_text="For `cursor`."),
                "count": serializers.IntegerField(required=False),
            },
        ),
        summary="Search customers",
        filters=False,
    )
    def search(self, request):
        """The customer list with its filters in the body, every one under its own name; `next` and
        `previous` are cursors for the next body."""
        parameters = _texts(self.body())
        filterset = CustomerFilter(parameters, queryset=self.get_queryset())
        _check_names(parameters, {*filterset.filters, *PARAMETERS, "ordering"})
        if not filterset.is_valid():
            raise translate_validation(filterset.errors)
        customers = filterset.qs
        order = StableOrderingFilter().terms(parameters.get("ordering"), self)
        customers = customers.order_by(*total(order or customers.query.order_by or self.ordering))
        pages = CursorOrPagePagination()
        rows = pages.paginate(customers.values(*COLUMNS), parameters)
        answer = {
            "results": [self.shown(record) for record in assemble(rows)],
            "next": pages.next and str(pages.next[1]),
            "previous": pages.previous and str(pages.previous[1]),
        }
        if pages.count is not None:
            answer["count"] = pages.count
        return Response(answer)

    @extend_schema(
        request=inline_serializer(
            "Check", {name: serializers.CharField(required=False) for name in CHECKED}
        ),
        responses=COUNTS,
        summary="Check whether customers are known",
    )
    def check(self, request):
        """How many customers have each of the given values."""
        return self._check(_texts(self.body()))

    @extend_schema(
        parameters=CHECKED_PARAMETERS,
        responses=COUNTS,
        summary="Check whether customers are known",
        filters=False,
    )
    def check_get(self, request):
        """The same, for values that may stand in a URL."""
        own = {name: request.query_params[name] for name in CHECKED if name in request.query_params}
        return self._check(own)

    def _check(self, values):
        _check_names(values, set(CHECKED))
        values = {name: value for name, value in values.items() if value.strip()}
        if not values:
            raise ValidationError([f"Name at least one of: {', '.join(CHECKED)}."])
        counts = {}
        for name, value in values.items():
            filterset = CustomerFilter({name: value}, queryset=self.get_queryset())
            if not filterset.is_valid():
                raise translate_validation(filterset.errors)
            counts[name] = filterset.qs.count()
        return Response(counts)

    @extend_schema(
        parameters=[
            OpenApiParameter("interval", enum=list(INTERVALS), description="day unless named."),
            OpenApiParameter("last", int, description="How many periods; 30 unless named."),
        ],
        responses=inline_serializer(
            "Registrations",
            {
                "interval": serializers.CharField(),
                "timezone": serializers.CharField(),
                "total": serializers.IntegerField(),
                "results": inline_serializer(
                    "RegistrationPeriod",
                    {
                        "period": serializers.DateField(help_text="Its first day."),
                        "count": serializers.IntegerField(),
                    },
                    many=True,
                ),
            },
        ),
        summary="Count registrations",
        filters=False,
    )
    def registrations(self, request):
        """Registrations per day, month or year in the tenant's time zone, the present period last,
        periods without any as 0."""
        interval = request.query_params.get("interval") or "day"
        if interval not in INTERVALS:
            raise ValidationError({"interval": [f"One of: {', '.join(INTERVALS)}."]})
        last = 30
        if request.query_params.get("last"):
            last = whole(request.query_params, "last", 1, INTERVALS[interval])
        last = min(last, INTERVALS[interval])
        counted = registrations(
            self.get_queryset(), interval=interval, last=last, timezone=self.tenant.timezone
        )
        return Response(
            {
                "interval": interval,
                "timezone": self.tenant.timezone,
                "total": sum(n for _day, n in counted),
                "results": [{"period": day, "count": n} for day, n in counted],
            }
        )


def _texts(body):
    """The values of a body as query parameters would bring them."""
    texts, errors = {}, {}
    for name, value in body.items():
        if value is None:
            continue
        if isinstance(value, bool):
            value = "true" if value else "false"
        if isinstance(value, (dict, list)):
            errors[name[:100]] = ["Text, a number, true or false."]
        elif len(str(value)) > (4000 if name == "cursor" else 1000):
            errors[name[:100]] = ["At most 1000 characters."]
        else:
            texts[name] = str(value)
    if errors:
        raise ValidationError(errors)
    return texts


def _check_names(values, known):
    errors = {}
    for name in values:
        if name not in known:
            close = get_close_matches(name, sorted(known), n=1)
            hint = f" Did you mean {close[0]}?" if close else ""
            errors[name[:100]] = [f"Unknown field.{hint}"]
    if errors:
        raise ValidationError(errors)
