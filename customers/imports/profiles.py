"""Remembered mappings: made once for a shop's file, found again by its columns."""

import json
import uuid
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

import normalise
from customers.models import ImportProfile
from events.services import build_history
from tenancy import clock
from tenancy.integrity import refusals
from tenancy.scoping import current_tenant

from .mapping import Mapping
from .ordering import clean_options

TAKEN = {"import_profile_name": ("name", _("There is a remembered mapping of this name."))}
SUBJECT = "import_profile"
# What belongs to one file alone.
NOT_REMEMBERED = ("mapping", "sheet")


def remember_profile(
    name: str, header_key: str, *, mapping: dict[str, Any] | None, options: dict[str, Any]
) -> ImportProfile:
    """Remember how files with these columns are read; one of the same name is replaced.

    `mapping` is the content of a mapping file, None for the files of a known program (`options`
    then name the format). Raises ValidationError by field, MappingError.
    """
    name = _clean_name(name)
    options = clean_options(options)
    if mapping is not None:
        Mapping.from_json(json.dumps(mapping))
    kept = {key: value for key, value in options.items() if key not in NOT_REMEMBERED}
    values = {"header_key": header_key, "mapping": mapping, "options": kept}
    with transaction.atomic(), refusals(TAKEN):
        profile = ImportProfile.objects.select_for_update().filter(name=name).first()
        deed = "updated" if profile else "created"
        if profile is None:
            profile = ImportProfile(id=uuid.uuid4(), tenant=current_tenant(), name=name)
        for key, value in values.items():
            setattr(profile, key, value)
        profile.updated_at = clock.now()
        profile.save()
        _tell(profile, f"{SUBJECT}.{deed}", {"name": [None, name]} if deed == "created" else {})
    return profile


def _clean_name(name: str) -> str:
    try:
        clean = normalise.clean_text(name, max_length=80)
    except ValidationError as error:
        raise ValidationError({"name": error.error_list}) from error
    if not clean:
        raise ValidationError({"name": ValidationError(_("Give it a name."), code="required")})
    return clean


def forget_profile(profile: ImportProfile) -> None:
    """Delete a remembered mapping; imports that used it keep their own copy."""
    with transaction.atomic():
        _tell(profile, f"{SUBJECT}.deleted", {"name": [profile.name, None]})
        ImportProfile.objects.filter(pk=profile.pk).delete()


def profile_for(header_key: str) -> ImportProfile | None:
    """What was remembered last for files with these columns."""
    return ImportProfile.objects.filter(header_key=header_key).order_by("-updated_at").first()


def _tell(profile: ImportProfile, deed: str, changes: dict[str, Any]) -> None:
    build_history(profile.tenant, SUBJECT, profile.pk, deed=deed, changes=changes).save(
        force_insert=True
    )
