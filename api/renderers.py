"""Answers as JSON: exact decimals, instants that end in Z."""

from rest_framework.renderers import BaseRenderer

from normalise import json_bytes as dumps


class JSONRenderer(BaseRenderer):
    """The ordinary answer."""

    media_type = "application/json"
    format = "json"
    charset = None
    render_style = "binary"

    def render(self, data, accepted_media_type=None, renderer_context=None):
        return b"" if data is None else dumps(data)


class _StreamRenderer(BaseRenderer):
    """Stands for a format that a view streams itself, so that `Accept` and `format=` find it."""

    charset = "utf-8"

    def render(self, data, accepted_media_type=None, renderer_context=None):
        return dumps(data)


class NDJSONRenderer(_StreamRenderer):
    """One JSON object per line."""

    media_type = "application/x-ndjson"
    format = "ndjson"


class XLSXRenderer(_StreamRenderer):
    """A table as an Excel workbook."""

    media_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    format = "xlsx"
    charset = None


class CSVRenderer(_StreamRenderer):
    """A table for spreadsheets."""

    media_type = "text/csv"
    format = "csv"
