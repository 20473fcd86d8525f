"""`ETag` and `If-Match`: a change says which version it is based on.

The ETag of a record is its version in quotes. A body may name `version` instead of the header.
"""

import re

from rest_framework.exceptions import ValidationError

from api.problems import PreconditionRequired, Problem

_TAG = re.compile(r'(?:W/)?"([^"]*)"')
NO_VERSION = -1  # equals no version that a record can have


def etag(version):
    """The ETag of a version."""
    return f'"{version}"'


def expected_version(request, body=None, *, required=False, current=None):
    """The version that the caller has seen, or None where none was named.

    From If-Match, else from `version` in the body. A list of tags counts as the one that is
    `current`; `*` asks only that the record exists. Raises PreconditionRequired (428) when
    nothing is named but `required`, ValidationError (400) for contradictions.
    """
    header = request.headers.get("If-Match")
    named = body.get("version") if isinstance(body, dict) else None
    if named is not None and (isinstance(named, bool) or not isinstance(named, int)):
        raise ValidationError({"version": ["A whole number."]})
    if header is None:
        if named is None and required:
            raise PreconditionRequired
        return named
    if header.strip() == "*":
        return named
    tags = _TAG.findall(header)
    versions = [int(tag) if tag.isascii() and tag.isdigit() and len(tag) <= 9 else NO_VERSION
                for tag in tags] or [NO_VERSION]  # fmt: skip
    chosen = current if current in versions else versions[0]
    if named is not None and named != chosen:
        raise ValidationError({"version": ["If-Match names another version."]})
    return chosen


def changed_meanwhile(current):
    """The refusal of a change that is based on an old version, with the present ETag."""
    return Problem(
        412,
        "version_conflict",
        f"The record is at version {current} by now.",
        headers={"ETag": etag(current)},
    )
