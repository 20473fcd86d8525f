"""The search for a PostgreSQL server, without one."""

import socket

import pytest

from tests import postgres


@pytest.fixture
def silent_port():
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def test_an_address_where_nobody_listens_is_refused_in_one_line(silent_port):
    refusal = postgres.why_unusable(f"postgres://postgres@127.0.0.1:{silent_port}/postgres")

    assert "Connection refused" in refusal
    assert "\n" not in refusal


def test_a_server_that_somebody_chose_is_not_replaced_by_another(monkeypatch, silent_port):
    monkeypatch.setenv("TEST_DATABASE_URL", f"postgres://x@127.0.0.1:{silent_port}/postgres")

    with pytest.raises(postgres.NoPostgres, match="TEST_DATABASE_URL cannot be used"):
        postgres.postgres().__enter__()


def test_the_local_doors_are_tried_for_both_likely_users_on_the_port_of_the_environment(
    monkeypatch,
):
    monkeypatch.setenv("PGPORT", "5999")
    monkeypatch.setattr(postgres, "getuser", lambda: "ada lovelace")

    urls = [url for url, place in postgres.local_addresses()]

    assert urls[:2] == [
        "postgres://postgres@127.0.0.1:5999/postgres",
        "postgres://ada%20lovelace@127.0.0.1:5999/postgres",
    ]


def test_folders_that_a_server_opened_are_closed_again(tmp_path):
    home = tmp_path / "home"
    programs = home / "venv"
    programs.mkdir(parents=True)
    home.chmod(0o700)

    with postgres.unchanged_permissions(programs):
        home.chmod(0o755)

    assert home.stat().st_mode & 0o777 == 0o700
