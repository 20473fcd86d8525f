"""The endpoint of the change feed."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from api import problems
from api.pagination import page_size
from api.schema import ProblemSerializer
from api.views import ViewSet
from events.feed import FeedExpired, read_changes
from events.kinds import clean_patterns, subject_types
from events.serializers.feed import ChangesSerializer, change


@problems.wording(FeedExpired)
def _expired(error):
    return problems.Problem(
        410,
        "feed_expired",
        "The feed no longer reaches back to this cursor. Start again with a full list, then go on "
        "with the cursor that `cursor=latest` answered before it.",
    )


def _parameter(name, description, **options):
    return OpenApiParameter(
        name, options.pop("type", str), required=False, description=description, **options
    )


class ChangesViewSet(ViewSet):
    """What happened, in the order in which it can be relied on."""

    operation_prefix = "changes"
    list_actions = frozenset()
    parameters = {"list": ("cursor", "limit", "page_size", "events", "types")}
    pagination_class = None
    filter_backends = ()

    @extend_schema(
        parameters=[
            _parameter(
                "cursor",
                "Where you stopped; `latest`: from now on. Left out: the oldest event kept.",
            ),
            _parameter("limit", "Events at most in one answer.", type=int),
            _parameter("page_size", "Another word for `limit`.", type=int),
            _parameter("events", "Only these kinds: `customer.*,level.changed`."),
            _parameter("types", "Only about these: `customer,group`."),
        ],
        responses={
            200: ChangesSerializer,
            (410, problems.CONTENT_TYPE): ProblemSerializer,
        },
    )
    def list(self, request):
        """Events after a cursor, oldest first: each once, none left out, also when its change took
        long. Deleted, anonymised and merged customers are told here. Follow `next` until it is
        null, then keep `cursor` and ask again later; an answer may hold fewer events than `limit`,
        or none, and still have a `next`. 410: the cursor is older than the feed reaches back."""
        query = request.query_params
        page = read_changes(
            cursor=query.get("cursor") or None,
            limit=page_size(query),
            patterns=self.patterns(query.get("events")),
            subject_types=self.types(query.get("types")),
        )
        url = request.build_absolute_uri()
        return Response(
            {
                "results": [change(event) for event in page.events],
                "cursor": page.cursor,
                "next": replace_query_param(url, "cursor", page.cursor) if page.more else None,
            }
        )

    @staticmethod
    def patterns(text):
        """The kinds asked for. Raises ValidationError naming `events`."""
        try:
            return clean_patterns(text or "")
        except ValidationError as error:
            raise ValidationError({"events": error.error_list}) from error

    @staticmethod
    def types(text):
        """The types of subjects asked for. Raises ValidationError naming `types`."""
        wanted = list(filter(None, (one.strip() for one in (text or "").split(","))))
        known = subject_types()
        if set(wanted) - set(known):
            unknown = ValidationError(
                _("There are: %(names)s."), code="unknown", params={"names": ", ".join(known)}
            )
            raise ValidationError({"types": unknown})
        return wanted
