"""What `make run` does before Django is started."""

import socket
import stat
import subprocess
import sys

import pytest

from config import launch
from config.launch import (
    CannotStart,
    Kept,
    free_port,
    serve,
    server_command,
    stop,
    worker_command,
    write_secrets,
)


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


def python(code):
    return [sys.executable, "-c", code]


STAYS = python("import time; time.sleep(100)")
# It has heard of the signal before it says so.
STUBBORN = python(
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "print('ready', flush=True); time.sleep(100)"
)


@pytest.fixture
def processes(monkeypatch):
    """Every process that a test starts; none outlives it."""
    started = []
    popen = subprocess.Popen

    def start(*args, **options):
        started.append(popen(*args, **options))
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", start)
    yield started
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def side_by_side(monkeypatch, processes):
    """A function (server, worker) that serves with these command lines; the exit code."""

    def run(server, worker):
        monkeypatch.setattr(launch, "server_command", lambda port: server)
        monkeypatch.setattr(launch, "worker_command", lambda: worker)
        monkeypatch.setattr(launch, "answers", lambda port, process: True)
        monkeypatch.setattr(launch, "SECONDS_BETWEEN_LOOKS", 0.05)
        monkeypatch.setattr(launch, "SECONDS_BETWEEN_STARTS", 0)
        return serve(8000)

    return run


def test_the_worker_ends_with_the_server(side_by_side, processes):
    code = side_by_side(python("raise SystemExit(7)"), STAYS)

    assert code == 7
    assert [process.poll() is not None for process in processes] == [True, True]


def test_an_interruption_ends_both(side_by_side, processes, monkeypatch):
    def interrupt(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(Kept, "look_after", interrupt)

    with pytest.raises(KeyboardInterrupt):
        side_by_side(STAYS, STAYS)

    assert [process.poll() is not None for process in processes] == [True, True]


def test_a_worker_that_dies_is_started_again_with_a_word(side_by_side, processes, capsys, tmp_path):
    """The server ends when the third worker has left its mark."""
    mark = tmp_path / "mark"
    worker = f"open({str(mark)!r}, 'a').write('x'); raise SystemExit(3)"
    server = (
        "import os, time\n"
        f"while not os.path.exists({str(mark)!r}) or os.path.getsize({str(mark)!r}) < 3: "
        "time.sleep(0.02)"
    )

    assert side_by_side(python(server), python(worker)) == 0

    assert len(processes) >= 4
    assert capsys.readouterr().out.count("The worker has ended (3); starting it again ...") >= 2


def test_a_worker_that_dies_at_once_is_not_started_again_at_once(processes):
    kept = Kept(python("raise SystemExit(3)"))
    for _ in range(5):
        kept.process.wait()
        kept.look_after()

    assert len(processes) == 2


def test_whoever_does_not_listen_is_killed(processes, monkeypatch):
    monkeypatch.setattr(launch, "SECONDS_TO_STOP", 0.2)
    stubborn = subprocess.Popen(STUBBORN, stdout=subprocess.PIPE)
    stubborn.stdout.readline()

    stop(stubborn)

    assert stubborn.returncode == -9


def test_the_worker_beside_the_server_runs_the_jobs():
    assert worker_command()[1:] == ["manage.py", "run_jobs", "--threads", "2"]
