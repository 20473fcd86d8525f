"""The one door to other servers: who is not spoken to, and what an answer may not do to us."""

import gzip
import socket
import threading
from ipaddress import ip_address

import httpcore
import httpx
import pytest
from django.conf import settings as django_settings

from events.outbound import (
    OutboundError,
    OutboundFailed,
    OutboundRefused,
    check_url,
    client,
    request,
    targets,
)
from tests.events.servers import TLS, answer, drip, hang

pytestmark = pytest.mark.usefixtures("names")

PUBLIC = "93.184.215.14"

# Each of them leads to this machine, to a private network, or to a secret of a cloud.
FORBIDDEN_HOSTS = {
    # this machine, spelled in many ways
    "127.0.0.1": "loopback",
    "127.1": "loopback, short",
    "127.0.1": "loopback, short",
    "127.255.255.254": "loopback, far end",
    "2130706433": "loopback, decimal",
    "0x7f000001": "loopback, hexadecimal",
    "0x7f.0x0.0x0.0x1": "loopback, hexadecimal parts",
    "0x7f.1": "loopback, mixed",
    "017700000001": "loopback, octal",
    "0177.0.0.1": "loopback, octal part",
    "0177.0.0.01": "loopback, octal parts",
    "127.0.0.1.": "loopback, with a final dot",
    "0": "this machine, short",
    "0.0.0.0": "this machine",
    "0.0.0.1": "this network",
    "localhost": "loopback by name",
    "LOCALHOST": "loopback by name, loud",
    "localhost.": "loopback by name, final dot",
    "localhost.example.com": "a name that leads to loopback",
    "[::1]": "IPv6 loopback",
    "[0:0:0:0:0:0:0:1]": "IPv6 loopback, long",
    "[::]": "IPv6 unspecified",
    "[::ffff:127.0.0.1]": "loopback in IPv6",
    "[::ffff:7f00:1]": "loopback in IPv6, hexadecimal",
    "[::127.0.0.1]": "loopback in the old compatible form",
    "[64:ff9b::127.0.0.1]": "loopback behind NAT64",
    "[64:ff9b:1::7f00:1]": "loopback behind local NAT64",
    "[2002:7f00:1::]": "loopback in 6to4",
    "[2001:0:7f00:1::]": "loopback in Teredo",
    # private networks
    "10.0.0.1": "private",
    "10.255.255.255": "private",
    "172.16.0.1": "private",
    "172.31.255.255": "private",
    "192.168.1.1": "private",
    "167772161": "private, decimal",
    "[fd00::1]": "unique local",
    "[fc00::1]": "unique local",
    "[fec0::1]": "site local",
    "[::ffff:10.0.0.1]": "private in IPv6",
    "[2002:a00:1::]": "private in 6to4",
    "intranet.example.com": "a name that leads to a private address",
    "both.example.com": "a name with a public and a private address",
    # clouds, carriers, links
    "169.254.169.254": "metadata",
    "0xa9fea9fe": "metadata, hexadecimal",
    "[::ffff:a9fe:a9fe]": "metadata in IPv6",
    "[fd00:ec2::254]": "metadata of AWS in IPv6",
    "168.63.129.16": "wire server of Azure, a public address",
    "100.100.100.200": "metadata of Alibaba",
    "192.0.0.192": "metadata of Oracle",
    "metadata.google.internal": "metadata of Google",
    "100.64.0.1": "carrier's network",
    "169.254.0.1": "link local",
    "[fe80::1]": "link local in IPv6",
    "[fe80::1%25eth0]": "link local with a zone",
    # nobody, or everybody
    "224.0.0.1": "multicast",
    "239.255.255.250": "multicast",
    "255.255.255.255": "broadcast",
    "240.0.0.1": "reserved",
    "[ff02::1]": "multicast in IPv6",
    "192.0.2.1": "for documents",
    "198.18.0.1": "for benchmarks",
    "198.51.100.7": "for documents",
    "203.0.113.7": "for documents",
    "192.88.99.1": "6to4 relay",
    "[2001:db8::1]": "for documents in IPv6",
    "[100::1]": "the bin",
}
FORBIDDEN_URLS = {
    "file:///etc/passwd": "scheme",
    "gopher://93.184.215.14:6379/_INFO": "scheme",
    "ftp://hooks.example.com/": "scheme",
    "//hooks.example.com/": "scheme",
    "hooks.example.com": "scheme",
    "": "scheme",
    "https://": "host",
    "https:///x": "host",
    "https://user:word@hooks.example.com/": "userinfo",
    "https://@hooks.example.com/": "userinfo",
    "https://hooks.example.com@127.0.0.1/": "userinfo",
    "https://hooks.example.com\\@127.0.0.1/": "url",
    "https://hooks.example.com:22/": "port",
    "https://hooks.example.com:6379/": "port",
    "https://hooks.example.com:99999/": "url",
    "https://hooks.example.com:-1/": "url",
    "https://hooks.example.com:0/": "url",
    "https://hooks example.com/": "url",
    "https://hooks.example.com/\r\nX-Evil: 1": "url",
    "https://hooks.example.com/\x00": "url",
    "https://①②⑦.⓪.⓪.①/": "url",
    "https://127。0。0。1/": "url",
    "https://%31%32%37.0.0.1/": "host",
    "https://hooks..example.com/": "host",
    "https://.example.com/": "host",
    "https://hooks.example.com/" + "x" * 2000: "url",
}


@pytest.fixture
def canary(neighbour, settings):
    """A server that nobody may reach, and ports that would not keep anybody from it."""
    settings.OUTBOUND_ALLOW_HTTP = True
    bird = neighbour()
    settings.OUTBOUND_PORTS = [443, bird.port]
    return bird


@pytest.fixture
def known_names(names):
    names["localhost"] = names["LOCALHOST"] = names["localhost."] = [["127.0.0.1"]]
    names["localhost.example.com"] = [["127.0.0.1"]]
    names["intranet.example.com"] = [["192.168.7.7"]]
    names["both.example.com"] = [[PUBLIC, "127.0.0.1"]]
    names["metadata.google.internal"] = [["169.254.169.254"]]
    return names


@pytest.fixture
def dialled(monkeypatch):
    """The addresses to which a connection was begun; only this machine is really dialled."""
    seen = []
    dial = httpcore.SyncBackend.connect_tcp

    def connect_tcp(self, host, port, *args, **options):
        seen.append(host)
        if host != "127.0.0.1":
            raise httpcore.ConnectError("nobody of the outside in a test")
        return dial(self, host, port, *args, **options)

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect_tcp)
    return seen


# --- Who is not spoken to ----------------------------------------------------------------------
def test_there_are_sixty_and_more_of_them():
    assert len(FORBIDDEN_HOSTS) >= 60


@pytest.mark.parametrize("host", FORBIDDEN_HOSTS, ids=lambda host: FORBIDDEN_HOSTS[host])
def test_no_connection_is_even_begun_to(host, canary, known_names, dialled):
    with pytest.raises(OutboundRefused) as refusal:
        request("GET", f"http://{host}:{canary.port}/")

    assert refusal.value.kind in ("url", "host", "address")
    assert (dialled, canary.n_connections) == ([], 0)


def test_without_the_guard_the_canary_is_reached(canary, known_names, dialled, monkeypatch):
    monkeypatch.setattr(targets, "is_open", lambda address, **named: True)
    reached = 0

    for host in ("127.0.0.1", "localhost", "LOCALHOST", "localhost.", "localhost.example.com"):
        request("GET", f"http://{host}:{canary.port}/")
        reached += 1

    assert (reached, canary.n_connections) == (5, 5)


@pytest.mark.parametrize(("url", "kind"), FORBIDDEN_URLS.items())
def test_an_address_in_a_bad_form_is_refused(url, kind, names):
    names["hooks.example.com"] = [[PUBLIC]]

    with pytest.raises(OutboundRefused) as refusal:
        check_url(url)

    assert refusal.value.kind == kind


def test_http_needs_the_operators_leave(settings):
    with pytest.raises(OutboundRefused) as refusal:
        check_url("http://hooks.example.com/")
    settings.OUTBOUND_ALLOW_HTTP = True

    assert refusal.value.kind == "scheme"
    assert check_url("http://hooks.example.com/").host == "hooks.example.com"


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.com",
        "https://hooks.example.com:8443/in?shop=7#part",
        "https://xn--bcher-kva.example/",
        "https://93.184.215.14/",
        "https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/",
        "https://3com.example/",
        "https://1.example.com/",
    ],
)
def test_a_public_address_may_be_named(url):
    assert check_url(url).scheme == "https"


@pytest.mark.parametrize(
    "address", ["8.8.8.8", PUBLIC, "::ffff:8.8.8.8", "2a00:1450:400f:80d::200e", "172.32.0.1"]
)
def test_a_public_address_is_open(address):
    assert targets.is_open(ip_address(address))


def test_a_name_is_asked_for_once_and_its_first_answer_dialled(canary, names, dialled):
    names["rebinding.example.com"] = [[PUBLIC], ["127.0.0.1"]]

    with pytest.raises(OutboundFailed):
        request("GET", f"http://rebinding.example.com:{canary.port}/")

    assert names.asked == ["rebinding.example.com"]
    assert (dialled, canary.n_connections) == ([PUBLIC], 0)


def test_a_client_that_asks_again_would_reach_the_canary(canary, names, monkeypatch):
    names["rebinding.example.com"] = [[PUBLIC], ["127.0.0.1"]]
    careless = httpcore.SyncBackend()
    monkeypatch.setattr(
        client._ToCheckedAddress,
        "connect_tcp",
        lambda self, host, port, *args, **options: careless.connect_tcp(host, port, 5),
    )

    request("GET", f"http://rebinding.example.com:{canary.port}/")

    assert canary.n_connections == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_and_not_followed(canary, neighbour, settings, status):
    there = f"http://[::ffff:127.0.0.1]:{canary.port}/"
    sly = neighbour(lambda request, connection: answer(status, b"", Location=there))
    settings.OUTBOUND_ALLOW = ["127.0.0.1"]

    answered = request("POST", sly.url, content=b"{}")

    assert answered.status == status
    assert not answered.is_success
    assert canary.n_connections == 0


def test_a_client_that_follows_would_reach_the_canary(canary, neighbour):
    sly = neighbour(lambda request, connection: answer(302, b"", Location=canary.url))

    httpx.get(sly.url, follow_redirects=True, trust_env=False)

    assert canary.n_connections == 1


def test_no_proxy_of_the_environment_is_asked(canary, neighbour, settings, monkeypatch):
    settings.OUTBOUND_ALLOW = ["127.0.0.1"]
    friend = neighbour()
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
        monkeypatch.setenv(name, canary.url)
    monkeypatch.delenv("NO_PROXY", raising=False)

    assert request("GET", friend.url).status == 200

    assert (friend.n_connections, canary.n_connections) == (1, 0)


# --- What the operator opens -------------------------------------------------------------------
def test_an_allowed_network_is_open_at_any_port(neighbour, trying_out):
    friend = neighbour()

    assert request("GET", friend.url).content == b"ok"


def test_an_allowed_name_may_lead_inside(neighbour, settings, names):
    friend = neighbour()
    settings.OUTBOUND_ALLOW, settings.OUTBOUND_ALLOW_HTTP = ["Registry.Internal"], True
    names["registry.internal"] = [["127.0.0.1"]]

    assert request("GET", f"http://registry.internal:{friend.port}/").status == 200
    with pytest.raises(OutboundRefused):
        request("GET", friend.url)


@pytest.mark.parametrize("address", ["169.254.169.254", "fe80::1", "0.0.0.0", "168.63.129.16"])
def test_an_allowed_name_does_not_lead_to_a_clouds_secrets(settings, names, dialled, address):
    settings.OUTBOUND_ALLOW = ["registry.internal"]
    names["registry.internal"] = [[address]]

    with pytest.raises(OutboundRefused):
        request("GET", "https://registry.internal/")

    assert dialled == []


def test_an_allowed_network_says_nothing_about_its_neighbours(settings):
    settings.OUTBOUND_ALLOW = ["10.20.0.0/16"]

    assert targets.is_open(ip_address("10.20.255.1"))
    assert targets.is_open(ip_address("::ffff:10.20.0.1"))
    assert not targets.is_open(ip_address("10.21.0.1"))


# --- What is sent ------------------------------------------------------------------------------
def test_a_request_arrives_as_it_was_meant(neighbour, trying_out):
    friend = neighbour(lambda request, connection: answer(201, b"made", X_Shop="7"))

    answered = request(
        "POST", f"{friend.url}in?a=%20b#part", content=b'{"a":1}', headers={"X-Key": "k"}
    )

    got = friend.requests[0]
    assert (answered.status, answered.content, answered.headers["x-shop"]) == (201, b"made", "7")
    assert (got.method, got.path, got.content) == ("POST", "/in?a=%20b", b'{"a":1}')
    assert got.headers["host"] == f"127.0.0.1:{friend.port}"
    assert got.headers["x-key"] == "k"
    assert got.headers["user-agent"] == f"Regulars/{django_settings.VERSION}"
    assert got.headers["accept-encoding"] == "identity"


def test_the_name_stays_in_host_sni_and_the_check_of_the_certificate(neighbour, settings, names):
    friend = neighbour(tls=True)
    names["hooks.example.com"] = [["127.0.0.1"]]
    settings.OUTBOUND_ALLOW, settings.OUTBOUND_CA_FILE = ["127.0.0.1"], str(TLS / "server.pem")
    settings.OUTBOUND_PORTS = [friend.port]

    answered = request("GET", f"https://hooks.example.com:{friend.port}/")

    assert answered.status == 200
    assert friend.sni == ["hooks.example.com"]
    assert friend.requests[0].headers["host"] == f"hooks.example.com:{friend.port}"


@pytest.mark.parametrize(
    ("host", "authority"),
    [
        ("another.example.com", str(TLS / "server.pem")),
        ("127.0.0.1", str(TLS / "server.pem")),
        ("hooks.example.com", None),
    ],
    ids=["another name", "no name", "nobody's authority"],
)
def test_a_certificate_that_does_not_fit_is_refused(neighbour, settings, names, host, authority):
    friend = neighbour(tls=True)
    names["hooks.example.com"] = names["another.example.com"] = [["127.0.0.1"]]
    settings.OUTBOUND_ALLOW, settings.OUTBOUND_CA_FILE = ["127.0.0.1"], authority
    settings.OUTBOUND_PORTS = [friend.port]

    with pytest.raises(OutboundFailed) as failure:
        request("GET", f"https://{host}:{friend.port}/")

    assert failure.value.kind == "tls"
    assert friend.requests == []


def test_more_than_a_request_may_hold_is_an_error_of_ours(trying_out):
    with pytest.raises(ValueError, match="bytes"):
        request("POST", "http://127.0.0.1:9/", content=b"x" * 1_000_001)


# --- What an answer may not do to us -----------------------------------------------------------
def failure_of(neighbour, behave, **options):
    with pytest.raises(OutboundFailed) as failure:
        request("GET", neighbour(behave).url, **options)
    return failure.value.kind


def test_a_name_that_leads_nowhere(names):
    with pytest.raises(OutboundFailed) as failure:
        request("GET", "https://nowhere.example.com/")

    assert failure.value.kind == "dns"


def test_a_resolver_that_never_tells_is_not_waited_for(names, monkeypatch):
    waiting = threading.Event()
    monkeypatch.setattr("socket.getaddrinfo", lambda *args, **options: waiting.wait(30) or [])

    with pytest.raises(OutboundFailed) as failure:
        request("GET", "https://slow.example.com/", seconds=0.05)
    waiting.set()

    assert failure.value.kind == "dns"


def test_a_closed_port(trying_out):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        with pytest.raises(OutboundFailed) as failure:
            request("GET", f"http://127.0.0.1:{taken.getsockname()[1]}/")

    assert failure.value.kind == "connect"


def test_the_next_address_is_tried_where_one_is_dead(neighbour, names, settings, dialled):
    friend = neighbour()
    settings.OUTBOUND_ALLOW, settings.OUTBOUND_ALLOW_HTTP = ["127.0.0.1"], True
    settings.OUTBOUND_PORTS = [friend.port]
    names["hooks.example.com"] = [[PUBLIC, "127.0.0.1"]]

    assert request("GET", f"http://hooks.example.com:{friend.port}/").status == 200

    assert dialled == [PUBLIC, "127.0.0.1"]


def test_a_server_that_hangs(neighbour, trying_out):
    lame = neighbour()
    lame.behave = lambda request, connection: hang(lame)

    with pytest.raises(OutboundFailed) as failure:
        request("GET", lame.url, seconds=0.2)

    assert failure.value.kind == "timeout"


@pytest.mark.parametrize(
    "content",
    [
        b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 10_000,
        b"HTTP/1.1 100 Continue\r\n\r\n" * 500,
        b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n" + b"x" * 10_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 2_000,
    ],
    ids=["head", "hints", "content", "chunks"],
)
def test_a_server_that_drips_is_held_to_the_deadline(neighbour, trying_out, content):
    assert failure_of(neighbour, drip(content), seconds=0.3) == "timeout"


def test_too_long_an_answer_is_not_read(neighbour, trying_out):
    def flood(request, connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65_536)

    assert failure_of(neighbour, flood) == "too_large"


def test_a_packed_answer_is_not_unpacked(neighbour, trying_out):
    bomb = gzip.compress(b"\0" * 50_000_000)

    def behave(request, connection):
        return answer(200, bomb, Content_Encoding="gzip")

    assert len(bomb) < 100_000
    assert failure_of(neighbour, behave) == "encoding"


@pytest.mark.parametrize(
    "told",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 999999 What\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000 + b"\r\n\r\n",
        b"\x00" * 1000,
    ],
    ids=["ssh", "status", "length", "broken off", "long head", "nothing"],
)
def test_what_is_not_http_is_a_failure(neighbour, trying_out, told):
    assert failure_of(neighbour, lambda request, connection: told) in ("protocol", "broken")


def test_a_server_that_closes_at_once(neighbour, trying_out):
    assert failure_of(neighbour, lambda request, connection: None) in ("protocol", "broken")


def test_the_content_can_be_left_unread(neighbour, trying_out):
    def endless(request, connection):
        connection.sendall(b"HTTP/1.1 204 OK\r\n\r\n")
        hang(lame)

    lame = neighbour(endless)

    answered = request("GET", lame.url, read=False)

    assert (answered.status, answered.content) == (204, b"")


def test_json_is_read_and_anything_else_a_failure(neighbour, trying_out):
    friend = neighbour(lambda request, connection: answer(200, b'{"a": 1}'))
    strange = neighbour(lambda request, connection: answer(200, b"[" * 100_000))

    assert request("GET", friend.url).json() == {"a": 1}
    with pytest.raises(OutboundFailed):
        request("GET", strange.url).json()


def test_both_kinds_of_trouble_are_one_for_who_does_not_care():
    assert issubclass(OutboundRefused, OutboundError)
    assert issubclass(OutboundFailed, OutboundError)
