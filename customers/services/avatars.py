"""The customer's picture: decoded, turned upright, re-encoded; nothing of the upload survives."""

import io
import uuid
import warnings

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageOps

import normalise
from customers.models import Avatar
from customers.services.changes import open_change

MAX_BYTES = 5 * 1024 * 1024
MAX_PIXELS = 25_000_000
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
LONGEST_SIDE = 512


def set_avatar(customer, upload, *, original_name=""):
    """Store a picture (a file object) for a customer, replacing the one before; returns Avatar.

    Refuses by ValidationError naming `file`: more than 5 MB, more than 25 million pixels, another
    format than JPEG, PNG, WebP or GIF, or a file that does not decode. What is stored is WebP of
    at most 512 pixels, without any metadata, under a random name.
    """
    data, size = _reencode(upload)
    try:
        original_name = normalise.clean_text(original_name or "", max_length=255)
    except ValidationError:
        original_name = ""
    new_file = None
    try:
        with open_change(customer, deed="customer.updated") as change:
            avatar = Avatar.objects.filter(customer=change.customer).first()
            is_new = avatar is None
            if is_new:
                avatar = Avatar(tenant=change.customer.tenant, customer=change.customer)
            old_file = None if is_new else avatar.file.name
            avatar.original_name, avatar.mime = original_name, "image/webp"
            avatar.width, avatar.height = size
            avatar.file.save(f"{uuid.uuid4().hex}.webp", ContentFile(data), save=False)
            new_file = avatar.file
            avatar.save(force_insert=is_new)
            change.record("avatar", not is_new, str(_("new picture")))
            if old_file:
                transaction.on_commit(lambda: avatar.file.storage.delete(old_file))
    except BaseException:
        if new_file is not None:
            new_file.storage.delete(new_file.name)
        raise
    return avatar


def remove_avatar(customer):
    """Remove the picture; returns whether there was one."""
    with open_change(customer, deed="customer.updated") as change:
        avatar = Avatar.objects.filter(customer=change.customer).first()
        if avatar is None:
            return False
        delete_after_commit(avatar)
        avatar.delete()
        change.record("avatar", True, None)
        return True


def delete_after_commit(avatar):
    """Remove the file once the row is gone for good."""
    storage, name = avatar.file.storage, avatar.file.name
    transaction.on_commit(lambda: storage.delete(name))


def _refuse(message, code):
    raise ValidationError({"file": ValidationError(message, code=code)})


def _reencode(upload):
    raw = upload.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        _refuse(_("At most 5 MB."), "too_large")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(raw), formats=FORMATS) as image:
                if image.width * image.height > MAX_PIXELS:
                    _refuse(_("At most 25 million pixels."), "too_large")
                # JPEG only: decode near the size we keep.
                image.draft("RGB", (LONGEST_SIDE * 2, LONGEST_SIDE * 2))
                picture = ImageOps.exif_transpose(image)
                has_alpha = "A" in picture.getbands() or "transparency" in picture.info
                picture = picture.convert("RGBA" if has_alpha else "RGB")
    except ValidationError:
        raise
    except Exception:  # Pillow raises many kinds for hostile files; all mean the same here
        _refuse(_("This is not a picture in JPEG, PNG, WebP or GIF."), "invalid_image")
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    clean = Image.new(picture.mode, picture.size)
    clean.paste(picture)
    out = io.BytesIO()
    clean.save(out, "WEBP", quality=85, exif=b"", xmp=b"")
    return out.getvalue(), clean.size
