"""One request to another server, within bounds."""

import json
import ssl
import time
from dataclasses import dataclass
from functools import lru_cache

import certifi
import httpcore
from django.conf import settings

from events.outbound import circuits
from events.outbound.errors import OutboundFailed
from events.outbound.targets import addresses_of, check_url, port_of

CONNECT_SECONDS = 2
READ_SECONDS = 5
DEADLINE_SECONDS = 10
LARGEST_ANSWER = 1_000_000
LARGEST_REQUEST = 1_000_000
PIECE = 16_384


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: `headers` by their names in small letters, `content` as it was sent."""

    status: int
    headers: dict
    content: bytes
    seconds: float

    @property
    def is_success(self):
        return 200 <= self.status < 300

    def json(self):
        """The content as JSON. Raises OutboundFailed (protocol) when it is none."""
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError) as error:
            raise OutboundFailed("protocol", "The answer is not JSON.") from error


def is_broken(answer):
    """Whether the status says that the server itself is in trouble."""
    return answer.status >= 500 or answer.status == 429


def request(method, url, *, circuit=None, fails=is_broken, **options):
    """Send one request and return the Answer, whatever its status; a redirect is an answer.

    `content` is bytes, `headers` a dict; `seconds` bounds everything from the look-up of the name
    to the last byte, `max_bytes` the answer's content, which `read=False` leaves unread. `circuit`
    names the target for the breaker (`events.outbound.circuits`); there an answer for which
    `fails(answer)` is true counts as a failure.

    Must not be called inside a transaction: its locks would be held as long as somebody else's
    server likes. Raises OutboundRefused for a target that we do not speak to, OutboundFailed for
    one that does not answer, CircuitOpen for one that is left alone for a while.
    """
    target = check_url(url)
    if circuit is None:
        return _send(method, target, **options)
    troubled = circuits.let_through(circuit)
    try:
        answer = _send(method, target, **options)
    except OutboundFailed:
        circuits.count_failure(circuit)
        raise
    if fails(answer):
        circuits.count_failure(circuit)
    elif troubled is not None:
        circuits.forget(circuit)
    return answer


def _send(
    method, target, *, content=b"", headers=None, seconds=DEADLINE_SECONDS,
    max_bytes=LARGEST_ANSWER, read=True,
):  # fmt: skip
    if len(content) > LARGEST_REQUEST:
        raise ValueError(f"at most {LARGEST_REQUEST} bytes can be sent")
    begun = time.monotonic()
    deadline = begun + seconds
    addresses = addresses_of(target.host, port_of(target), seconds=min(seconds, READ_SECONDS))
    own = {
        "Host": target.netloc.decode("ascii"),
        "User-Agent": f"Regulars/{settings.VERSION}",
        "Accept-Encoding": "identity",
        "Connection": "close",
    }
    try:
        with (
            httpcore.ConnectionPool(
                ssl_context=_tls(settings.OUTBOUND_CA_FILE),
                network_backend=_ToCheckedAddress(addresses, deadline),
                http2=False,
            ) as pool,
            pool.stream(
                method,
                httpcore.URL(
                    scheme=target.raw_scheme,
                    host=target.raw_host,
                    port=target.port,
                    target=target.raw_path,
                ),
                headers={**own, **(headers or {})},
                content=content,
                extensions={"timeout": {"connect": CONNECT_SECONDS, "read": READ_SECONDS}},
            ) as response,
        ):
            answered = _headers(response)
            body = _content(response, answered, max_bytes) if read else b""
    except httpcore.TimeoutException as error:
        raise OutboundFailed("timeout", "The answer did not come in time.") from error
    except _NoTrust as error:
        raise OutboundFailed("tls", "No trusted encryption came about.") from error
    except httpcore.ConnectError as error:
        raise OutboundFailed("connect", "Nobody answers at this address.") from error
    except (httpcore.NetworkError, OSError) as error:
        raise OutboundFailed("broken", "The connection broke off.") from error
    except httpcore.ProtocolError as error:
        raise OutboundFailed("protocol", "The answer is not HTTP.") from error
    return Answer(response.status, answered, body, time.monotonic() - begun)


def _headers(response):
    return {
        name.decode("ascii", "replace").lower(): value.decode("latin-1")
        for name, value in response.headers
    }


def _content(response, headers, max_bytes):
    """The content, read as far as it may go. It is never unpacked: we asked for it plain, and a
    few bytes can unpack to anything."""
    if headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise OutboundFailed("encoding", "The answer is packed, although plain was asked for.")
    pieces, n_bytes = [], 0
    for piece in response.iter_stream():
        n_bytes += len(piece)
        if n_bytes > max_bytes:
            raise OutboundFailed("too_large", f"The answer has more than {max_bytes} bytes.")
        pieces.append(piece)
    return b"".join(pieces)


@lru_cache(maxsize=4)
def _tls(ca_file):
    """How certificates are checked. Reading the list of authorities takes longer than a request,
    so it is done once."""
    context = ssl.create_default_context(cafile=ca_file or certifi.where())
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class _NoTrust(httpcore.ConnectError):
    """The connection stood, its encryption did not: mostly the certificate."""


class _ToCheckedAddress(httpcore.NetworkBackend):
    """Opens connections to the addresses that were judged, whatever the name says by now. The name
    of the URL stays in the Host header, in SNI, and in the check of the certificate."""

    def __init__(self, addresses, deadline):
        self.addresses = addresses
        self.deadline = deadline
        self.system = httpcore.SyncBackend()

    def connect_tcp(self, host, port, timeout=None, local_address=None, socket_options=None):
        failure = None
        for address in self.addresses:
            try:
                stream = self.system.connect_tcp(
                    address, port, _left(self.deadline, timeout), local_address, socket_options
                )
                return _Bounded(stream, self.deadline)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    def connect_unix_socket(self, path, timeout=None, socket_options=None):
        raise httpcore.ConnectError("no sockets of this machine")


class _Bounded(httpcore.NetworkStream):
    """A connection whose every step ends by one deadline: a sender that gives a byte now and then
    stays within the patience for a single step, but not within that for the whole."""

    def __init__(self, stream, deadline):
        self.stream = stream
        self.deadline = deadline

    def read(self, max_bytes, timeout=None):
        return self.stream.read(max_bytes, _left(self.deadline, timeout))

    def write(self, buffer, timeout=None):
        for start in range(0, len(buffer), PIECE):
            piece = buffer[start : start + PIECE]
            self.stream.write(piece, _left(self.deadline, timeout or READ_SECONDS))

    def close(self):
        self.stream.close()

    def start_tls(self, ssl_context, server_hostname=None, timeout=None):
        left = _left(self.deadline, timeout)
        try:
            stream = self.stream.start_tls(ssl_context, server_hostname, left)
        except httpcore.ConnectError as error:
            raise _NoTrust(str(error)) from error
        return _Bounded(stream, self.deadline)

    def get_extra_info(self, info):
        return self.stream.get_extra_info(info)


def _left(deadline, timeout):
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the deadline is over")
    return left if timeout is None else min(left, timeout)
