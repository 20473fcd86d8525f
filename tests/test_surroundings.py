"""What tests/conftest.py promises every other test."""

import threading
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.contenttypes.models import ContentType
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection


@pytest.mark.django_db
def test_the_database_belongs_to_this_run():
    name = Path(str(connection.settings_dict["NAME"])).name

    assert name.startswith("test_regulars")


@pytest.mark.django_db
def test_sqlite_keeps_a_write_ahead_log_as_the_product_does():
    if connection.vendor != "sqlite":
        pytest.skip("a question for SQLite")

    with connection.cursor() as cursor:
        mode = cursor.execute("PRAGMA journal_mode").fetchone()

    assert mode == ("wal",)


@pytest.mark.django_db(transaction=True)
def test_what_one_thread_writes_another_reads():
    def write():
        ContentType.objects.create(app_label="surroundings", model="thread")
        connection.close()

    thread = threading.Thread(target=write)
    thread.start()
    thread.join()

    assert ContentType.objects.filter(app_label="surroundings").exists()


def test_files_stay_out_of_the_checkout():
    path = default_storage.save("note.txt", ContentFile("note"))

    assert settings.BASE_DIR not in Path(default_storage.path(path)).parents


def test_passwords_are_hashed_the_fast_way():
    assert make_password("secret").startswith("md5$")
