"""What another process needs to work on the database of this run."""

import os
from pathlib import Path

from django.conf import settings
from django.db import connection

ROOT = Path(__file__).resolve().parent.parent


def database_url():
    """The database of this run as DATABASE_URL names it."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    password = f":{database['PASSWORD']}" if database["PASSWORD"] else ""
    host = database["HOST"].replace("/", "%2F")
    port = database["PORT"] or 5432
    return f"postgres://{database['USER']}{password}@{host}:{port}/{database['NAME']}"


def surroundings(**more):
    """The environment of a process that reads and seals as this run does, and `more`."""
    return os.environ | {
        "DATABASE_URL": database_url(),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "SECRET_KEY": settings.SECRET_KEY,
        "TOKEN_PEPPERS": "",
        "LOG_LEVEL": "CRITICAL",
        "PYTHONPATH": str(ROOT),
        **more,
    }
