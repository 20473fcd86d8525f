"""Servers of the neighbourhood for tests: on this machine, well-behaved or not."""

import contextlib
import socket
import socketserver
import ssl
import threading
import time
from pathlib import Path

# A certificate for hooks.example.com that nobody trusts but who is told to.
TLS = Path(__file__).parent / "tls"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def answer(status=200, content=b"ok", **headers):
    """The bytes of an answer; in names of headers an underscore stands for a hyphen."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(content)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


class Request:
    """One request as a server got it."""

    def __init__(self, head, content):
        first, *rest = head.decode("latin-1").split("\r\n")
        self.method, self.path, _version = first.split(" ")
        pairs = (line.partition(":") for line in rest if line)
        self.headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        self.content = content


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, request, client_address):
        """A caller who hangs up is no failure of a test."""


class Neighbour:
    """A server that remembers what it got and answers by `behave(request, connection)`, which
    returns bytes to send, or None when it has sent what it wanted to.

    `n_connections` counts whoever knocked, `requests` holds what was asked.
    """

    def __init__(self, behave=lambda request, connection: OK, *, tls=False):
        self.behave = behave
        self.requests = []
        self.n_connections = 0
        self.closing = threading.Event()
        self.sni = []
        outer = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                outer._serve(self.request)

        self.server = _Server(("127.0.0.1", 0), Handler)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(TLS / "server.pem", TLS / "server.key")
            context.sni_callback = lambda sock, name, context: self.sni.append(name)
            self.tls = context
        else:
            self.tls = None
        self.port = self.server.server_address[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}/"

    def _serve(self, connection):
        self.n_connections += 1
        connection.settimeout(10)
        with contextlib.suppress(OSError, ValueError):
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
            request = self._read(connection)
            self.requests.append(request)
            told = self.behave(request, connection)
            if told:
                connection.sendall(told)
            # Said good-bye first, so that nothing unread turns the answer into a reset.
            connection.shutdown(socket.SHUT_WR)
        with contextlib.suppress(OSError):
            connection.close()

    @staticmethod
    def _read(connection):
        seen = b""
        while b"\r\n\r\n" not in seen:
            piece = connection.recv(65536)
            if not piece:
                raise ValueError("no request")
            seen += piece
        head, _, content = seen.partition(b"\r\n\r\n")
        request = Request(head, content)
        missing = int(request.headers.get("content-length", 0)) - len(content)
        while missing > 0:
            piece = connection.recv(65536)
            missing -= len(piece)
            request.content += piece
        return request

    def __enter__(self):
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *error):
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


# --- Bad manners -------------------------------------------------------------------------------
def drip(content, *, every=0.05):
    """A behaviour: sends `content` a byte at a time for as long as somebody listens."""

    def behave(request, connection):
        for byte in content:
            connection.sendall(bytes([byte]))
            time.sleep(every)

    return behave


def hang(neighbour):
    """Wait until the test is over."""
    neighbour.closing.wait(30)
