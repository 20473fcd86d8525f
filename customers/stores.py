"""Stores as callers name them."""

import uuid

from tenancy.models import Store

CODE_LENGTH = 64


def find_store(reference):
    """The store that `reference` names by id or by code in any letter case, or None; any text is
    safe here."""
    text = str(reference)
    if not text or len(text) > CODE_LENGTH or not (text.isascii() and text.isprintable()):
        return None
    try:
        found = Store.objects.filter(pk=uuid.UUID(text)).first()
    except ValueError:
        found = None
    return found or Store.objects.filter(code__iexact=text).first()
