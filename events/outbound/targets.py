"""Which targets we speak to: the form of a URL, and the judgement of IP addresses."""

import ipaddress
import queue
import re
import socket
import threading
from functools import lru_cache
from urllib.parse import urlsplit

import httpx
from django.conf import settings

from events.outbound.errors import OutboundFailed, OutboundRefused

LONGEST_URL = 2000
HTTP_PORTS = (80, 8080)  # beside OUTBOUND_PORTS, where OUTBOUND_ALLOW_HTTP is on
# "127.1", "0x7f.1", "2130706433": an old library reads the like as an IPv4 address, so a host whose
# last part is a number is one in full, or none.
_NUMBER = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)\Z", re.IGNORECASE)

# Not for the outside, whatever a version of Python's `is_global` thinks of them.
_SPECIAL = [
    ipaddress.ip_network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24"),
        *("192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15"),
        *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        # Of the IPv6 addresses only 2000::/3 is the outside; in it Teredo, 6to4 and their like
        # carry another address within them, and some blocks are for documents only.
        *("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20"),
    )
]
_OUTSIDE_IPV6 = ipaddress.ip_network("2000::/3")
# Where clouds tell a machine its own secrets, and what is no single host: closed even where a name
# is allowed that leads there. Only the network itself, named in OUTBOUND_ALLOW, opens it.
_NEVER = [
    ipaddress.ip_network(text)
    for text in (
        *("0.0.0.0/8", "169.254.0.0/16", "168.63.129.16/32", "100.100.100.200/32"),
        *("192.0.0.192/32", "224.0.0.0/4", "255.255.255.255/32"),
        *("::/128", "fe80::/10", "ff00::/8", "fd00:ec2::/32", "fd20:ce::254/128"),
    )
]


def check_url(url):
    """The parsed URL (httpx.URL) of a target, judged by its form alone; no name is resolved.

    Raises OutboundRefused: kind url, scheme, userinfo, host, port or address.
    """
    parsed = _parsed(url)
    host = parsed.host
    if parsed.scheme not in ("https", "http"):
        raise OutboundRefused("scheme", "The address must begin with https://.")
    if parsed.scheme == "http" and not settings.OUTBOUND_ALLOW_HTTP:
        raise OutboundRefused("scheme", "The address must begin with https://, not http://.")
    if "@" in urlsplit(url).netloc:
        raise OutboundRefused("userinfo", "The address must not hold a name or password.")
    if not host or "%" in host or ".." in host or host.startswith("."):
        raise OutboundRefused("host", "The address names no host.")
    literal = _literal(host)
    if literal is not None:
        judge([str(literal)], host)
    if port_of(parsed) not in _ports() and not _is_allowed(literal, host):
        raise OutboundRefused("port", f"Port {port_of(parsed)} is not open for this.")
    return parsed


def _parsed(url):
    if not isinstance(url, str) or len(url) > LONGEST_URL:
        raise OutboundRefused("url", f"The address must be text of at most {LONGEST_URL} bytes.")
    if not url.isascii() or any(ord(letter) <= 32 or letter in "\\\x7f" for letter in url):
        raise OutboundRefused("url", "The address must be plain letters without spaces.")
    try:
        parsed = httpx.URL(url)
        if parsed.port is None or 0 < parsed.port < 65_536:
            return parsed
    except (httpx.InvalidURL, ValueError):
        pass
    raise OutboundRefused("url", "This is no address that can be called.")


def _literal(host):
    """The IP address that stands as the host, or None for a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    if ":" in host or _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]):
        raise OutboundRefused("host", "An IP address must be written in full.")
    return None


def port_of(url):
    """The port of a checked URL."""
    return url.port or {"https": 443, "http": 80}[url.scheme]


def _ports():
    return {*settings.OUTBOUND_PORTS, *(HTTP_PORTS if settings.OUTBOUND_ALLOW_HTTP else ())}


# --- What the operator opens -------------------------------------------------------------------
@lru_cache(maxsize=8)
def _read_allowed(entries):
    hosts, networks = set(), []
    for entry in entries:
        try:
            networks.append(ipaddress.ip_network(entry, strict=False))
        except ValueError:
            hosts.add(entry.lower().rstrip("."))
    return hosts, networks


def _allowed():
    return _read_allowed(tuple(settings.OUTBOUND_ALLOW))


def _is_allowed(address, host):
    """Whether OUTBOUND_ALLOW names the host, or a network with this address (may be None)."""
    hosts, networks = _allowed()
    if host.lower().rstrip(".") in hosts:
        return True
    return address is not None and _inside(_plain(address), networks)


# --- Addresses ---------------------------------------------------------------------------------
def addresses_of(host, port, *, seconds):
    """Every IP address of a host, as text, each of them judged.

    Raises OutboundFailed (dns) when the name has none or nobody tells within `seconds`,
    OutboundRefused (address) when a single one of them is not for the outside: an honest name has
    no such address beside its public ones.
    """
    literal = _literal(host)
    addresses = [str(literal)] if literal is not None else _resolve(host, port, seconds)
    judge(addresses, host)
    return addresses


def judge(addresses, host):
    """Refuse a host when one of its addresses is not for the outside."""
    named = host.lower().rstrip(".") in _allowed()[0]
    for text in addresses:
        address = ipaddress.ip_address(text.partition("%")[0])
        if not is_open(address, named=named):
            raise OutboundRefused("address", "This host is not on the public internet.")


def is_open(address, *, named=False):
    """Whether a connection to this address is allowed; `named` when OUTBOUND_ALLOW has the host."""
    address = _plain(address)
    if _inside(address, _allowed()[1]):
        return True
    if _inside(address, _NEVER):
        return False
    return named or _is_outside(address)


def _is_outside(address):
    if address.version == 6 and address not in _OUTSIDE_IPV6:
        return False
    return address.is_global and not address.is_multicast and not _inside(address, _SPECIAL)


def _plain(address):
    """The IPv4 address inside ::ffff:a.b.c.d, which sockets take for the same; else the address."""
    return getattr(address, "ipv4_mapped", None) or address


def _inside(address, networks):
    return any(address.version == one.version and address in one for one in networks)


def _resolve(host, port, seconds):
    """Ask the system, for `seconds` at most: its own patience may be half a minute."""
    told = queue.SimpleQueue()

    def ask():
        try:
            told.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError):
            told.put([])

    threading.Thread(target=ask, name="resolve", daemon=True).start()
    try:
        rows = told.get(timeout=max(seconds, 0))
    except queue.Empty:
        rows = []
    if not rows:
        raise OutboundFailed("dns", "The name of the host leads nowhere.")
    return list(dict.fromkeys(row[4][0] for row in rows))
