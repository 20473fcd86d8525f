"""What `make run` does before Django is started."""

import socket
import stat

import pytest

from config.launch import CannotStart, free_port, server_command, write_secrets


def test_secrets_are_written_for_the_owner_only(tmp_path):
    path = tmp_path / ".env"

    written = write_secrets(path)

    assert written
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    names = [line.partition("=")[0] for line in path.read_text().splitlines()[1:]]
    assert names == ["SECRET_KEY", "TOKEN_PEPPERS"]


def test_no_two_installations_get_the_same_secrets(tmp_path):
    write_secrets(tmp_path / "one")
    write_secrets(tmp_path / "two")

    assert (tmp_path / "one").read_text() != (tmp_path / "two").read_text()


def test_secrets_that_exist_are_left_alone(tmp_path):
    path = tmp_path / ".env"
    path.write_text("SECRET_KEY=kept\n")

    written = write_secrets(path)

    assert not written
    assert path.read_text() == "SECRET_KEY=kept\n"


@pytest.mark.parametrize("text", ["http", "0", "-1", "65536", "80.5"])
def test_a_port_that_is_none_is_refused(text):
    with pytest.raises(CannotStart, match="PORT must be a number from 1 to 65535"):
        free_port(text)


def test_a_busy_port_is_refused_in_one_line_that_names_another():
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]

        with pytest.raises(CannotStart) as refusal:
            free_port(str(port))

    assert "\n" not in str(refusal.value)
    assert f"127.0.0.1:{port} (address already in use)" in str(refusal.value)
    assert "make run PORT=" in str(refusal.value)


def test_a_free_port_is_taken_as_it_is():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]

    assert free_port(str(port)) == port


def test_the_server_listens_on_this_machine_only():
    assert "127.0.0.1:8123" in server_command(8123)
