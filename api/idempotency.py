"""`Idempotency-Key`: the same POST sent again does its work once and gets the same answer.

The key belongs to the account, so that a renewed token keeps it. It is claimed in a transaction
of its own; the work and the stored answer are one transaction, so that a process that dies leaves
neither. Refusals are never stored: a failed attempt reserves nothing.
"""

import hashlib
import re

from django.db import transaction
from django.http import HttpResponse
from rest_framework.exceptions import ValidationError

from api.parsers import raw_body
from api.problems import Problem
from events.services import Claim, claim_key, complete_key, release_key

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
KEPT_HEADERS = ("Location", "ETag")
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


def key_of(request):
    """The request's key, or None; raises ValidationError (400) for one that cannot be one."""
    key = request.headers.get(HEADER)
    if key is None or request.method != "POST":
        return None
    if not _KEY.fullmatch(key):
        raise ValidationError({HEADER: ["1 to 255 printable ASCII characters, no blanks."]})
    return key


def once(view, request, owner, key, work):
    """Answer with `work()` or, when this key has done it before, with the stored answer.

    `work` must return a rendered response and raise nothing. Raises KeyInUse and KeyReused.
    """
    claim = claim_key(
        view.tenant,
        owner,
        key,
        method=request.method,
        path=request.path_info,
        body_hash=_body_hash(request),
    )
    if not isinstance(claim, Claim):
        return _replay(claim, request)
    stored = False
    try:
        with transaction.atomic():
            response = work()
            if response.status_code < 400:
                _store(claim, view, response)
                stored = True
            elif not getattr(getattr(response, "problem", None), "counted", False):
                transaction.set_rollback(True)
    finally:
        if not stored:
            release_key(claim)
    return response


def _store(claim, view, response):
    secret = view.answers_with_secrets
    complete_key(
        claim,
        status=response.status_code,
        content_type=response.headers.get("Content-Type", ""),
        body="" if secret else response.content.decode("utf-8"),
        headers={
            "secret": secret,
            **{name: response[name] for name in KEPT_HEADERS if name in response},
        },
        subject_id=view.subject_id,
    )


def _replay(row, request):
    headers = dict(row.headers)
    if headers.pop("secret", False):
        problem = Problem(
            409,
            "already_done",
            "This was done before. Its answer held a secret, which is shown once and not kept.",
        )
        response = problem.response(request._request)
    else:
        response = HttpResponse(row.body, status=row.status, content_type=row.content_type or None)
        if not row.content_type:
            del response["Content-Type"]
    for name, value in headers.items():
        response[name] = value
    response[REPLAYED] = "true"
    return response


def _body_hash(request):
    """A digest of what was sent: of the bytes, or of the parts where the body is multipart."""
    content_type = (request.content_type or "").partition(";")[0].strip().lower()
    if not content_type.startswith("multipart/"):
        return hashlib.sha256(raw_body(request)).hexdigest()
    digest = hashlib.sha256()
    data = request.data
    for name in sorted(data):
        for value in data.getlist(name):
            digest.update(repr((name, getattr(value, "name", None))).encode())
            if hasattr(value, "chunks"):
                for chunk in value.chunks():
                    digest.update(chunk)
                value.seek(0)
            else:
                digest.update(value.encode())
    return digest.hexdigest()
