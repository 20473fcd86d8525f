"""Pictures: whatever comes in, only pixels go out."""

import io

import pytest
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from PIL import Image

from customers.models import Avatar, Customer
from customers.services import remove_avatar, set_avatar

MARK = b"planted-marker-4711"


def picture(format="PNG", size=(64, 48), **options):
    out = io.BytesIO()
    Image.new("RGB", size, "red").save(out, format, **options)
    return out.getvalue()


def exif():
    data = Image.Exif()
    data[0x010E] = MARK.decode()
    return data.tobytes()


def stored(customer):
    avatar = Avatar.objects.get(customer=customer)
    with avatar.file.open() as file:
        return avatar, file.read()


def avatar_files():
    return (
        set(default_storage.listdir("avatars")[1]) if default_storage.exists("avatars") else set()
    )


@pytest.mark.django_db
class TestAccepted:
    @pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF"])
    def test_known_formats_become_webp(self, ada, format):
        set_avatar(ada, io.BytesIO(picture(format)), original_name="me.png")

        avatar, data = stored(ada)
        assert (avatar.mime, avatar.original_name) == ("image/webp", "me.png")
        assert Image.open(io.BytesIO(data)).format == "WEBP"

    def test_metadata_and_comments_do_not_survive(self, ada):
        data = picture("JPEG", exif=exif(), comment=MARK) + b"<script>" + MARK
        assert MARK in data

        set_avatar(ada, io.BytesIO(data))

        assert MARK not in stored(ada)[1]

    def test_a_large_picture_is_made_small(self, ada):
        set_avatar(ada, io.BytesIO(picture("JPEG", size=(3000, 2000))))

        avatar = stored(ada)[0]
        assert (avatar.width, avatar.height) == (512, 341)

    def test_the_file_name_cannot_be_guessed_and_the_old_file_goes(
        self, ada, django_capture_on_commit_callbacks
    ):
        set_avatar(ada, io.BytesIO(picture()), original_name="../../etc/passwd")
        first = stored(ada)[0].file.name
        with django_capture_on_commit_callbacks(execute=True):
            set_avatar(ada, io.BytesIO(picture("JPEG")))

        second = stored(ada)[0].file.name
        assert "passwd" not in first
        assert first != second
        assert not default_storage.exists(first)
        assert default_storage.exists(second)

    def test_a_picture_moves_the_version_once(self, ada):
        set_avatar(ada, io.BytesIO(picture()))

        assert Customer.objects.get(pk=ada.pk).version == 2

    def test_removing_takes_row_and_file(self, ada, django_capture_on_commit_callbacks):
        set_avatar(ada, io.BytesIO(picture()))
        name = stored(ada)[0].file.name

        with django_capture_on_commit_callbacks(execute=True):
            assert remove_avatar(ada) is True

        assert not default_storage.exists(name)
        assert remove_avatar(ada) is False


@pytest.mark.django_db
class TestRefused:
    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"not a picture",
            b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>",
            b"<html><body>hello</body></html>",
            picture()[:60],
            b"GIF89a" + b"\0" * 20,
            picture("TIFF"),
            picture("BMP"),
        ],
        ids=["empty", "text", "svg", "html", "truncated", "gif", "tiff", "bmp"],
    )
    def test_what_is_not_a_picture_we_take(self, ada, data):
        with pytest.raises(ValidationError) as refusal:
            set_avatar(ada, io.BytesIO(data))

        assert set(refusal.value.error_dict) == {"file"}
        assert not Avatar.objects.exists()

    def test_more_than_five_megabytes(self, ada):
        with pytest.raises(ValidationError):
            set_avatar(ada, io.BytesIO(b"x" * (5 * 1024 * 1024 + 1)))

    def test_a_bomb_of_pixels_before_it_is_decoded(self, ada):
        bomb = picture("PNG", size=(6000, 6000))
        assert len(bomb) < 200_000

        with pytest.raises(ValidationError):
            set_avatar(ada, io.BytesIO(bomb))

    def test_a_failed_save_leaves_no_file(self, ada, monkeypatch):
        def fail(*args, **kwargs):
            raise RuntimeError("database gone")

        monkeypatch.setattr(Avatar, "save", fail)
        before = (
            set(default_storage.listdir("avatars")[1])
            if default_storage.exists("avatars")
            else set()
        )

        with pytest.raises(RuntimeError):
            set_avatar(ada, io.BytesIO(picture()))

        assert avatar_files() == before
