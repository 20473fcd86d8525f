"""Serve this checkout with demonstration data: what `make run` does once .venv exists.

The server and a worker for the background jobs run side by side and end together.

Nothing here needs Django configured: each step is a process of its own, as an operator would
start it, and the settings come from the environment and the .env file that the first start writes.
"""

import contextlib
import http.client
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
DEFAULT_PORT = 8000
SECONDS_TO_ANSWER = 60
SECONDS_TO_STOP = 15
SECONDS_BETWEEN_LOOKS = 1
SECONDS_BETWEEN_STARTS = 10

STEPS = [
    ("Bringing the database up to date ...", ["migrate", "--no-input", "--verbosity", "0"]),
    ("Looking after the demonstration data ...", ["demo"]),
    ("Collecting static files ...", ["collectstatic", "--no-input", "--verbosity", "0"]),
]


class CannotStart(Exception):
    """The reason, in one line, why nothing was started."""


def main():
    """Set up, serve until stopped, and return the exit code: 0 when somebody stopped us."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    try:
        port = free_port(os.environ.get("PORT"))
        if write_secrets(ROOT / ".env"):
            say("Wrote a new secret key to .env ...")
        for text, command in STEPS:
            say(text)
            subprocess.run([sys.executable, "manage.py", *command], cwd=ROOT, check=True)
        return serve(port)
    except CannotStart as reason:
        say(str(reason))
        return 1
    except subprocess.CalledProcessError as failure:
        say(f"This step failed: {' '.join(failure.cmd[1:])}")
        return 1
    except KeyboardInterrupt:
        say("Stopped.")
        return 0


def interrupt(signum, frame):
    """Let a polite kill and a closed terminal end us like Ctrl-C does, in the background too."""
    raise KeyboardInterrupt


def say(text):
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def free_port(text):
    """Turn the value of PORT into a port on which we can listen; raises CannotStart if we cannot.

    Asked before anything else is done, because gunicorn would only notice at the very end.
    """
    try:
        port = int(text or DEFAULT_PORT)
    except ValueError:
        port = 0
    if not 1 <= port <= 65535:
        raise CannotStart(f"PORT must be a number from 1 to 65535, not {text!r}.")
    with socket.socket() as probe:
        # As gunicorn does it: a port whose last connections are still winding down counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise CannotStart(
                f"Cannot listen on {HOST}:{port} ({error.strerror.lower()});"
                " choose another port: make run PORT=8001"
            ) from error
    return port


def write_secrets(path):
    """Write the secrets that an installation needs, for its owner's eyes; True if it was done.

    A file that exists is left as it is: a new key would end every session, a new pepper every
    token.
    """
    content = (
        "# Written once by the first `make run`. Keep it secret; keep it with your backups.\n"
        f"SECRET_KEY={secrets.token_urlsafe(50)}\n"
        f"TOKEN_PEPPERS=1:{secrets.token_urlsafe(32)}\n"
    )
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(content)
    return True


def server_command(port):
    """The server's command line: threads, because requests wait for the database more than not."""
    return [
        *[sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", f"{HOST}:{port}"],
        *["--worker-class", "gthread", "--workers", "2", "--threads", "4"],
        *["--graceful-timeout", "10", "--log-level", "warning", "--no-control-socket"],
        # The longest it knows: a list with many filters and a cursor is a long address.
        *["--limit-request-line", "8190"],
    ]


def worker_command():
    """The worker's command line: a long job must not hold up the short ones."""
    return [sys.executable, "manage.py", "run_jobs", "--threads", "2"]


def serve(port):
    """Run the server and a worker until the server ends or we are interrupted; return the
    server's exit code.

    Both stay in our process group, so that whoever ends the group leaves nothing behind.
    """
    say("Starting the server ...")
    server = subprocess.Popen(server_command(port), cwd=ROOT)
    worker = Kept(worker_command())
    try:
        if answers(port, server):
            say(f"Regulars is at http://{HOST}:{port}/ - Ctrl-C ends it.")
        while server.poll() is None:
            worker.look_after()
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(SECONDS_BETWEEN_LOOKS)
        return server.returncode
    finally:
        stop(server, worker.process)


class Kept:
    """A process that is started again, with a word, whenever it ends."""

    def __init__(self, command):
        self.command = command
        self.process = subprocess.Popen(command, cwd=ROOT)
        self.pause_until = 0

    def look_after(self):
        """Start it again if it has ended; one that ends again and again waits in between."""
        now = time.monotonic()
        if self.process.poll() is None or now < self.pause_until:
            return
        self.pause_until = now + SECONDS_BETWEEN_STARTS
        say(f"The worker has ended ({self.process.returncode}); starting it again ...")
        self.process = subprocess.Popen(self.command, cwd=ROOT)


def answers(port, server):
    """Wait for the first answer, whatever it says; False if the server ended or took too long."""
    deadline = time.monotonic() + SECONDS_TO_ANSWER
    while server.poll() is None and time.monotonic() < deadline:
        connection = http.client.HTTPConnection(HOST, port, timeout=10)
        try:
            connection.request("GET", "/")
            connection.getresponse()
            return True
        except (OSError, http.client.HTTPException):
            time.sleep(0.1)
        finally:
            connection.close()
    return False


def stop(*processes):
    """End processes: ask all to finish what they are at, and insist where one does not."""
    for process in processes:
        if process.poll() is None:
            process.terminate()
    deadline = time.monotonic() + SECONDS_TO_STOP
    for process in processes:
        try:
            process.wait(max(0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


if __name__ == "__main__":
    sys.exit(main())
