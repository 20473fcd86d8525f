"""Open Loyalty's API in the hands of a test: forms with bracketed names, JSON, files."""

from urllib.parse import urlencode

from django.test import Client

FORM = "application/x-www-form-urlencoded"


class OpenLoyalty:
    """`api.post("customer/register", {"customer[firstName]": "Ada"})` below the tenant's code."""

    def __init__(self, token=None, *, code="DEFAULT", raises=True):
        self.token = token
        self.code = code
        self.client = Client(raise_request_exception=raises)

    def send(self, method, path, fields=None, *, headers=None, **options):
        """Send `fields` as a form; or `json`, or `files` with them as multipart."""
        path = path if path.startswith("/") else f"/api/{self.code}/{path}"
        own = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        headers = own | (headers or {})
        if "json" in options:
            options |= {"content_type": "application/json"}
            data = self.client._encode_json(options.pop("json"), "application/json")
        elif "files" in options:
            data = (fields or {}) | options.pop("files")
            return getattr(self.client, method.lower())(path, data, headers=headers, **options)
        else:
            data = fields if isinstance(fields, (str, bytes)) else urlencode(fields or {})
            options.setdefault("content_type", FORM)
        return self.client.generic(method, path, data, headers=headers, **options)

    def get(self, path, fields=None, **options):
        return self.send("GET", path, fields, **options)

    def post(self, path, fields=None, **options):
        return self.send("POST", path, fields, **options)

    def put(self, path, fields=None, **options):
        return self.send("PUT", path, fields, **options)

    def delete(self, path, fields=None, **options):
        return self.send("DELETE", path, fields, **options)


def customer(**fields):
    """A form of `customer[…]`; two underscores go one bracket deeper."""
    return {f"customer[{name.replace('__', '][')}]": value for name, value in fields.items()}


def errors_of(answer, path):
    """The sentences at a child of the form tree, such as `address.country`."""
    node = answer.json()["form"]
    for name in path.split("."):
        node = node["children"][name]
    return node.get("errors", [])


def all_errors(answer):
    """{child path: sentences} of a form tree, without the silent ones."""
    found = {}

    def walk(node, path):
        if node.get("errors"):
            found[path] = node["errors"]
        for name, child in node.get("children", {}).items():
            walk(child, f"{path}.{name}" if path else name)

    walk(answer.json()["form"], "")
    return found
