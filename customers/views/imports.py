"""Imports of customer files: handed in, tried, run in the background, watched, undone."""

import uuid

import django_filters
from django.core.exceptions import ValidationError
from django.http import Http404
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    inline_serializer,
)
from rest_framework import serializers
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.response import Response

from api import problems
from api.filters import FilterSet, InstantFilter
from api.problems import BodyTooLarge
from api.renderers import CSVRenderer, JSONRenderer, NDJSONRenderer
from api.views import ViewSet
from customers.imports.ordering import FLAGS, cancel_import, order_import, repeat_import
from customers.imports.planning import BLANKS, DAY_ORDERS, FORMATS, POLICIES
from customers.imports.receiving import SealingHandler, UploadedIntake
from customers.imports.rejects import refused_rows
from customers.imports.report import OUTCOMES
from customers.imports.reviewing import accept_proposals, proposals_of
from customers.imports.runs import report_of
from customers.imports.storing import PIECE, Intake, TooLarge
from customers.imports.targets import MATCH_KEYS
from customers.imports.undoing import order_undo
from customers.models import ImportRun

# The import is in a state that forbids the deed; nothing is wrong with the request.
problems.CONFLICTS |= {"import_state"}
TRUE, FALSE = ("true", "1"), ("false", "0")
NAMES = {
    "text/csv": "import.csv",
    "application/json": "import.json",
    "application/x-ndjson": "import.jsonl",
    "application/xml": "import.xml",
    "text/xml": "import.xml",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "import.xlsx",
}


@problems.wording(TooLarge)
def _too_large(error):
    return problems.problem_of(BodyTooLarge(error.limit))


class FormParser(MultiPartParser):
    """A form with one file, which is sealed while it comes in."""

    def parse(self, stream, media_type=None, parser_context=None):
        request = parser_context["request"]._request
        request.upload_handlers = [SealingHandler(request)]
        return super().parse(stream, media_type, parser_context)


class RawParser(BaseParser):
    """The file itself as the body; the view reads it."""

    media_type = "*/*"

    def parse(self, stream, media_type=None, parser_context=None):
        return {}


class ImportSerializer(serializers.ModelSerializer):
    """An import: how far it is and what became of the lines so far."""

    counts = serializers.DictField(
        child=serializers.IntegerField(),
        help_text=f"lines, and what became of them: {', '.join(OUTCOMES)}. They add up.",
    )
    facts = serializers.DictField(help_text="How the file was read; columns that were not taken.")
    failure = serializers.DictField(
        allow_null=True, help_text="Why the file as a whole was refused: line, column, message."
    )
    undone = serializers.DictField(
        allow_null=True,
        help_text="Of an undo: how many were deleted and restored; `left` are the ids of those "
        "that were changed since.",
    )
    options = serializers.DictField()
    actor = serializers.CharField(source="actor_kind")

    class Meta:
        model = ImportRun
        fields = (
            "id", "file_name", "state", "dry_run", "options", "rows_total", "rows_done", "counts",
            "facts", "failure", "cancel_requested", "undone", "job_id", "actor", "actor_label",
            "created_at", "started_at", "finished_at",
        )  # fmt: skip
        read_only_fields = fields


class ImportErrorSerializer(serializers.Serializer):
    """One reason against one line of the file."""

    line = serializers.IntegerField(allow_null=True)
    column = serializers.CharField(allow_null=True)
    value = serializers.CharField(allow_null=True)
    message = serializers.CharField()


class ImportReportSerializer(serializers.Serializer):
    """What an import did; created, updated, unchanged, skipped and refused add up to lines."""

    lines = serializers.IntegerField()
    created = serializers.IntegerField()
    updated = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    skipped = serializers.IntegerField()
    to_review = serializers.IntegerField(help_text="Of the skipped: those that wait for staff.")
    refused = serializers.IntegerField()
    errors = ImportErrorSerializer(many=True)
    errors_left_out = serializers.IntegerField()
    rows = serializers.IntegerField()
    blank_lines = serializers.IntegerField()
    dry_run = serializers.BooleanField()
    format = serializers.CharField(allow_null=True)
    kind = serializers.CharField(allow_null=True)
    encoding = serializers.CharField(allow_null=True)
    delimiter = serializers.CharField(allow_null=True)
    match = serializers.CharField(allow_null=True)
    on_match = serializers.CharField(allow_null=True)
    unmapped = serializers.ListField(child=serializers.DictField())
    notes = serializers.ListField(child=serializers.CharField())


class ProposalSerializer(serializers.Serializer):
    """A row of the file that would change a known customer."""

    line = serializers.IntegerField()
    customer = serializers.UUIDField()
    before = serializers.DictField(help_text="What is there of what would change.")
    after = serializers.DictField(help_text="What the file says.")


class ImportFilter(FilterSet):
    """Imports by how they stand."""

    state = django_filters.ChoiceFilter(choices=ImportRun.State.choices)
    dry_run = django_filters.BooleanFilter()
    created_after = InstantFilter(field_name="created_at", lookup_expr="gt")

    class Meta:
        model = ImportRun
        fields = ()


_ABOUT = {
    "format": ("How the file is written, or whose it is; found out when left out.", FORMATS),
    "match": ("The key by which known customers are found.", MATCH_KEYS),
    "on_match": ("What happens to a known customer.", POLICIES),
    "overwrites": ("The fields and lists to overwrite, with commas; the others are filled.", None),
    "blank": ("Whether a blank cell keeps or clears what is there.", BLANKS),
    "encoding": ("Found out when left out.", None),
    "delimiter": ("Found out when left out.", None),
    "dates": ("The order of day and month where no cell of a column shows it.", DAY_ORDERS),
    "sheet": ("Of a workbook; the first that is not hidden when left out.", None),
    "events": ("An event per customer too.", None),
    "create_groups": ("Make groups that do not exist; by default only for shops' files.", None),
    "mapping": ("The text of a mapping file (JSON).", None),
    "file_name": ("What to call the file; its ending says how it is written.", None),
    "dry_run": ("Find out what it would do; nothing is written.", None),
}
ASKED = tuple(_ABOUT)
_FORM = {
    "multipart/form-data": {
        "type": "object",
        "required": ["file"],
        "properties": {
            "file": {"type": "string", "format": "binary"},
            **{
                name: {
                    "type": "boolean" if name in (*FLAGS, "dry_run") else "string",
                    "description": about,
                    **({"enum": list(choices)} if choices else {}),
                }
                for name, (about, choices) in _ABOUT.items()
            },
        },
    },
    "text/csv": {"type": "string", "format": "binary"},
    "application/x-ndjson": {"type": "string", "format": "binary"},
}


class ImportViewSet(ViewSet):
    """Customer files on their way in."""

    operation_prefix = "imports"
    serializer_class = ImportSerializer
    filterset_class = ImportFilter
    ordering = ("-created_at", "-id")
    ordering_fields = ("created_at",)
    parameters = {"create": ASKED}

    def get_parsers(self):
        # Which action it is nobody has said yet when the parsers are asked for.
        makes = "create" in self.action_map.values()
        return [FormParser(), RawParser()] if makes else super().get_parsers()

    def get_renderers(self):
        if getattr(self, "action", None) == "refused":
            return [JSONRenderer(), CSVRenderer(), NDJSONRenderer()]
        return super().get_renderers()

    def get_queryset(self):
        return ImportRun.objects.all()

    def get_object(self):
        try:
            key = uuid.UUID(self.kwargs["import_id"])
        except ValueError as error:
            raise Http404 from error
        run = self.get_queryset().select_related("file").filter(pk=key).first()
        if run is None:
            raise Http404
        return run

    def list(self, request):
        """All imports, the newest first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(ImportSerializer(page, many=True).data)

    def retrieve(self, request, import_id):
        """One import: ask again while it is `waiting` or `running`."""
        return Response(ImportSerializer(self.get_object()).data)

    @extend_schema(
        request=_FORM,
        parameters=[
            OpenApiParameter(name, str, enum=choices and list(choices), description=about)
            for name, (about, choices) in _ABOUT.items()
        ],
        responses={202: ImportSerializer},
        summary="Import a file",
    )
    def create(self, request):
        """Hand in a file of customers, as a form with the field `file` or as the body itself; the
        options are fields of the form, or query parameters. It is imported in the background.

        The file is kept sealed for a week at most. The same file with the same options is on its
        way only once (409 `unique`).
        """
        form = (request.content_type or "").startswith("multipart/")
        asked = self._asked(request, form)
        name, dry_run = asked.pop("file_name", ""), asked.pop("dry_run", False)
        if form:
            upload = request.FILES.get("file")
            name = name or (upload.name if upload else "")
        else:
            upload = self._read_body(request)
            name = name or NAMES.get((request.content_type or "").partition(";")[0].strip(), "")
        if upload is None or not upload.intake.n_bytes:
            raise ValidationError(
                {"file": ValidationError(_("Send one file that is not empty."), "required")}
            )
        try:
            # What is wrong with an option is said before the file is kept.
            run = order_import(upload.intake.finish, file_name=name, dry_run=dry_run, options=asked)
        finally:
            upload.close()
        return Response(ImportSerializer(run).data, status=202)

    def _asked(self, request, form):
        given = {name: request.query_params[name] for name in ASKED if name in request.query_params}
        errors = {}
        if form:
            for name in request.data:
                if name in ASKED:
                    given[name] = request.data[name]
                elif name != "file":
                    errors[name[:100]] = ValidationError(_("Unknown field."), code="unknown")
        for name in (*FLAGS, "dry_run"):
            word = str(given.get(name, "")).lower()
            if word in (*TRUE, *FALSE):
                given[name] = word in TRUE
            elif word:
                errors[name] = ValidationError(_("Must be true or false."), code="invalid")
        if given.get("overwrites"):
            names = str(given["overwrites"]).split(",")
            given["overwrites"] = [name.strip() for name in names if name.strip()]
        if errors:
            raise ValidationError(errors)
        return given

    def _read_body(self, request):
        intake = Intake()
        while chunk := request._request.read(PIECE):
            intake.feed(chunk)
        return UploadedIntake(intake, "")

    @extend_schema(responses=ImportReportSerializer, summary="Read the report")
    def report(self, request, import_id):
        """What became of every line so far; the first 10,000 reasons, for a week."""
        return Response(report_of(self.get_object()).as_dict())

    @extend_schema(
        responses={(200, "text/csv"): OpenApiResponse(OpenApiTypes.STR)},
        summary="Download the refused rows",
    )
    def refused(self, request, import_id):
        """The refused rows as a file of the same form with the column `refused_because`, to be
        mended and sent again: CSV for CSV, else JSON lines. Empty when none was refused or the
        week is over."""
        run = self.get_object()
        is_table = run.facts.get("kind", "csv") == "csv"
        pieces = (piece.encode() for piece in refused_rows(run))
        return self.stream(
            pieces,
            content_type="text/csv; charset=utf-8" if is_table else "application/x-ndjson",
            filename="refused.csv" if is_table else "refused.jsonl",
        )

    @extend_schema(responses=ProposalSerializer(many=True), summary="List what waits for staff")
    def review(self, request, import_id):
        """With `on_match=review`: each row that would change a known customer, old and new, for a
        week; the first 10,000."""
        found = list(proposals_of(self.get_object()))
        return Response({"results": found, "next": None, "previous": None})

    @extend_schema(
        request=inline_serializer(
            "ReviewRequest",
            {"lines": serializers.ListField(child=serializers.IntegerField(), required=False)},
        ),
        responses={202: ImportSerializer},
        summary="Take over rows that wait",
    )
    def accept(self, request, import_id):
        """Import the rows on these `lines` after all (left out: all of them), overwriting. Answers
        the new import."""
        run, body = self.get_object(), self.body()
        if unknown := sorted(set(body) - {"lines"}):
            wrong = ValidationError(_("Unknown field."), code="unknown")
            raise ValidationError({name[:100]: wrong for name in unknown})
        lines = body.get("lines")
        if lines is not None and not (
            isinstance(lines, list) and all(type(line) is int for line in lines)
        ):
            wrong = ValidationError(_("Must be a list of line numbers."), code="invalid")
            raise ValidationError({"lines": wrong})
        return Response(ImportSerializer(accept_proposals(run, lines)).data, status=202)

    @extend_schema(request=None, responses={202: ImportSerializer}, summary="Import it again")
    def repeat(self, request, import_id):
        """Import the same file with the same options, for real: after a dry run, or after one that
        was cancelled. 409 `import_state` where the file is no longer kept."""
        return Response(ImportSerializer(repeat_import(self.get_object())).data, status=202)

    @extend_schema(request=None, responses=ImportSerializer, summary="Cancel an import")
    def cancel(self, request, import_id):
        """One that waits ends at once, one that runs after the chunk it is at; what is in stays
        in. 409 `import_state` for one that has ended."""
        return Response(ImportSerializer(cancel_import(self.get_object())).data)

    @extend_schema(request=None, responses={202: ImportSerializer}, summary="Undo an import")
    def undo(self, request, import_id):
        """Delete the customers that it made and give the others back what it changed, in the
        background; whoever was changed since is left and named. Consents and levels stay."""
        return Response(ImportSerializer(order_undo(self.get_object())).data, status=202)
