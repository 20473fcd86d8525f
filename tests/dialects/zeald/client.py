"""Zeald's API in the hands of a test: XML out and in, whatever its namespace."""

from defusedxml import ElementTree
from django.test import Client

MOUNT = "/API/V3/"
PASSWORD = "PETERFOO123"
NODES = {"Customer", "UserCustomerGroup", "UserGroup", "Order"}


class Zeald:
    """`api.post("Customer", customer(username="a"))` with a token as a key."""

    def __init__(self, token=None, *, raises=True):
        self.token = token
        self.client = Client(raise_request_exception=raises)

    def send(self, method, path, body=None, *, content_type="text/xml", headers=None):
        path = path if path.startswith("/") else MOUNT + path
        own = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return self.client.generic(
            method, path, body or "", content_type=content_type, headers=own | (headers or {})
        )

    def get(self, path, **options):
        return self.send("GET", path, **options)

    def post(self, path, *nodes, **options):
        return self.send("POST", path, body(*nodes), **options)

    def put(self, path, *nodes, **options):
        return self.send("PUT", path, body(*nodes), **options)

    def delete(self, path, **options):
        return self.send("DELETE", path, **options)


# --- Out ---------------------------------------------------------------------------------------
def body(*nodes):
    return f"<ResultSet>{''.join(nodes)}</ResultSet>"


def node(name, *inside, **fields):
    """An element with fields, whose values must be XML already."""
    told = "".join(f"<{field}>{value}</{field}>" for field, value in fields.items())
    return f"<{name}>{told}{''.join(inside)}</{name}>"


def customer(*inside, **fields):
    return node("Customer", *inside, **fields)


def link(*inside, **fields):
    return node("UserCustomerGroup", *inside, **fields)


def group(**fields):
    return node("UserGroup", **fields)


# --- In ----------------------------------------------------------------------------------------
def tree(answer):
    return ElementTree.fromstring(answer.content)


def local(element):
    return element.tag.rpartition("}")[2]


def record(element):
    """The fields of a record; records in it are lists by the name of their node."""
    told = {}
    for child in element:
        if local(child) in NODES:
            told.setdefault(local(child), []).append(record(child))
        else:
            told[local(child)] = child.text or ""
    return told


def records(answer):
    root = tree(answer)
    assert local(root) == "ResultSet", answer.content
    return [record(element) for element in root]


def one(answer):
    (found,) = records(answer)
    return found


def counts(answer):
    """(startResultIndex, totalResults, totalResultsReturned)."""
    root = tree(answer)
    names = ("startResultIndex", "totalResults", "totalResultsReturned")
    return tuple(int(root.get(name)) for name in names)


def refusal(answer):
    """(status, message) of an `rsp`."""
    root = tree(answer)
    assert (local(root), root.get("stat"), root.get("version")) == ("rsp", "fail", "3.0")
    assert root.findtext("error/code") == str(answer.status_code)
    return answer.status_code, root.findtext("error/msg")
