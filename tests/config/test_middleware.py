"""What happens before any view."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/admin/login/", "/api/v1/session/", "/new-password/acme/token"])
def test_a_body_beyond_the_limit_is_refused_by_its_length(settings, path):
    settings.MAX_UPLOAD_BYTES = 10_000
    upload = SimpleUploadedFile("large.bin", b"x" * 10_001)

    response = Client().post(path, {"file": upload})

    assert response.status_code == 413
    assert response["X-Request-Id"]


def test_a_body_within_the_limit_reaches_its_view(settings):
    settings.MAX_UPLOAD_BYTES = 10_000

    response = Client().post("/admin/login/", {"username": "nobody@example.org", "password": "x"})

    assert response.status_code == 200
