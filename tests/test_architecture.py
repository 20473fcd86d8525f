"""The tower stands: who may import whom, proved for every file of the product.

Each app has two kinds of file. *Faces* show it to the outer world (admin, serializers, views and
so on); all others are its *core*. In between stands `api`, the plumbing that the faces of the
house API share. The order of the apps is the layers contract in pyproject.toml.
"""

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LINTER = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
# From the bottom up, so that a higher index may import a lower one.
TOWER = [layer.strip("()") for layer in reversed(LINTER["contracts"][0]["layers"])]
APPS = TOWER[: TOWER.index("dialects")]
FACES = {
    *("admin", "filters", "forms", "management"),
    *("serializers", "templatetags", "urls", "views"),
}
# Libraries that speak to the outer world; a core file works without any of them.
OF_THE_WIRE = {"rest_framework", "drf_spectacular", "django_filters", "unfold"}
# What opens connections to other servers: one door has it, where every target is judged.
TO_OTHER_SERVERS = re.compile(
    r"(httpx|httpcore|requests|urllib3|aiohttp|pycurl|ftplib|smtplib|telnetlib|xmlrpc"
    r"|urllib\.request|http\.client)(\.|\Z)"
)
# What went wrong can be named without opening anything.
FAILURES = re.compile(r"smtplib\.SMTP\w*(Error|Exception|Refused)\Z")
DOORS = {
    "events.outbound": "the door itself",
    "config.launch": "asks its own server on this machine whether it answers yet",
}
# Where the faces of all apps are put together.
ASSEMBLY = {"config.urls", "config.api"}
API_MAY_USE = {"normalise", "tenancy", "events"}
# The grammar that all dialects share; every other name below dialects is a vendor.
GRAMMAR = {"base", "problems", "urls"}


def imports(module, source, is_package=False):
    """Yield (line, dotted name) of everything that this source imports, wherever it stands.

    `from a import b` counts as a.b: whether b is a module or a name in one, the first two parts
    say whose it is and which kind of file it comes from.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = module.split(".")
            if node.level:
                parents = parents[: len(parents) - node.level + is_package]
            base = [*(parents if node.level else []), *([node.module] if node.module else [])]
            yield from ((node.lineno, ".".join([*base, alias.name])) for alias in node.names)


def violations(module, source, is_package=False):
    """List what this source breaks, one sentence for each import that should not be there."""
    return [
        f"{module} line {line}: {problem} ({target})"
        for line, target in imports(module, source, is_package)
        if (problem := problem_with(module, target))
    ]


def problem_with(module, target):
    """Say which rule an import breaks; None when it is allowed."""
    package, kind = parts(module)
    owner, target_kind = parts(target)
    is_face = package in APPS and kind in FACES
    opens = TO_OTHER_SERVERS.match(target) and not FAILURES.match(target)
    if opens and f"{package}.{kind}" not in DOORS:
        return "only events.outbound speaks to other servers"
    if owner in OF_THE_WIRE:
        return "a core file knows the wire" if package in APPS and not is_face else None
    if owner in {"tests", "benchmarks"}:
        return "the product imports its tests"
    if owner not in {*TOWER, "api"} or package not in {*TOWER, "api"}:
        return None
    if owner == "config":
        return None if package == "config" else "config is imported from below"
    if package == owner and (is_face or package == "api"):
        return None
    if package == owner == "dialects":
        return problem_between_dialects(module, kind, target_kind)
    if owner == "dialects":
        return None if package == "config" else "a dialect is imported from below"
    if owner in APPS and target_kind in FACES:
        return problem_with_face(module, kind, owner, target_kind, is_face)
    if package == "config" or is_face:
        return None
    if owner == "api":
        return None if package == "dialects" and kind in GRAMMAR else "only faces may use api"
    if package == "api":
        return None if owner in API_MAY_USE else "api knows only what is below customers"
    if TOWER.index(owner) > TOWER.index(package):
        return "a core file imports upwards"
    return None


def problem_with_face(module, kind, owner, target_kind, is_face):
    """A face belongs to its app; config puts them together, and the admins share one base."""
    shares_admin = is_face and kind == "admin" and (owner, target_kind) == ("tenancy", "admin")
    return None if module in ASSEMBLY or shares_admin else "a face is imported"


def problem_between_dialects(module, kind, target_kind):
    """A vendor knows itself and the grammar; in the grammar only the routes know the vendors."""
    if target_kind in GRAMMAR - {"urls"} or kind == target_kind or module == "dialects.urls":
        return None
    return "a dialect meets another" if kind not in GRAMMAR else "the grammar knows a dialect"


def parts(dotted):
    """The package of a module, and the kind of file in it."""
    package, _, rest = dotted.partition(".")
    return package, rest.partition(".")[0]


def product_files():
    for package in [*TOWER, "api"]:
        yield from sorted((ROOT / package).rglob("*.py"))


def test_every_import_of_the_product_is_allowed():
    found = []

    for path in product_files():
        dotted = path.relative_to(ROOT).with_suffix("").parts
        is_package = dotted[-1] == "__init__"
        module = ".".join(dotted[:-1] if is_package else dotted)
        found += violations(module, path.read_text("utf-8"), is_package)

    assert found == []


def test_the_files_of_the_product_are_found():
    assert ROOT / "config" / "settings.py" in product_files()


@pytest.mark.parametrize(
    ("module", "source", "problem"),
    [
        ("tenancy.services", "from customers.models import Customer", "imports upwards"),
        ("customers.models.person", "import loyalty", "imports upwards"),
        ("customers.services", "from loyalty import services", "imports upwards"),
        ("normalise.phones", "from tenancy.models import Store", "imports upwards"),
        ("events.models", "def f():\n    from groups.models import Group", "imports upwards"),
        ("groups.migrations.0001_first", "import loyalty.models", "imports upwards"),
        ("customers.services", "from customers.serializers import X", "a face is imported"),
        ("customers.services", "from . import views", "a face is imported"),
        ("customers.admin.panel", "from loyalty.admin import X", "a face is imported"),
        ("customers.views", "from tenancy.admin import X", "a face is imported"),
        ("customers.admin.panel", "from tenancy.views import X", "a face is imported"),
        ("customers.services", "from tenancy.admin import X", "a face is imported"),
        ("groups.urls", "from customers import views", "a face is imported"),
        ("config.checks", "from customers.management.commands import x", "a face is imported"),
        ("api.problems", "from tenancy.serializers import X", "a face is imported"),
        ("dialects.acme.views", "from customers.filters import X", "a face is imported"),
        ("customers.models", "from rest_framework import status", "knows the wire"),
        ("tenancy.permissions", "import rest_framework.permissions", "knows the wire"),
        ("loyalty.querysets", "from django_filters import FilterSet", "knows the wire"),
        ("customers.services", "from api.problems import Problem", "only faces may use api"),
        ("dialects.acme.views", "from api import pagination", "only faces may use api"),
        ("api.views", "from customers.models import Customer", "api knows only"),
        ("customers.views", "from config.api import router", "config is imported from below"),
        ("loyalty.services", "from config import settings", "config is imported from below"),
        ("api.views", "from config.urls import x", "config is imported from below"),
        ("customers.admin", "from dialects.base import X", "a dialect is imported from below"),
        ("api.problems", "import dialects", "a dialect is imported from below"),
        ("dialects.acme.views", "from dialects.other.views import X", "meets another"),
        ("dialects.acme.views", "from ..other import serializers", "meets another"),
        ("dialects.acme.views", "from dialects import other", "meets another"),
        ("dialects.base", "from dialects.acme import views", "the grammar knows a dialect"),
        ("customers.services", "from tests.factories import X", "imports its tests"),
        ("customers.services", "import requests", "only events.outbound speaks"),
        ("customers.views", "from httpx import Client", "only events.outbound speaks"),
        ("events.messages", "from urllib import request", "only events.outbound speaks"),
        ("events.messages.mail", "from smtplib import SMTP", "only events.outbound speaks"),
        ("events.messages.mail", "import smtplib", "only events.outbound speaks"),
        ("config.settings", "import http.client", "only events.outbound speaks"),
    ],
)
def test_a_forbidden_import_is_seen(module, source, problem):
    found = violations(module, source)

    assert len(found) == 1
    assert problem in found[0]


def test_a_forbidden_import_is_seen_from_a_package_by_relative_name():
    found = violations("customers", "from .views import X", is_package=True)

    assert found == ["customers line 1: a face is imported (customers.views.X)"]


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("customers.services", "from tenancy.models import Tenant\nfrom events import services"),
        ("customers.services", "from customers.models import Customer\nfrom . import hooks"),
        ("loyalty.querysets", "from customers.querysets import X\nimport groups.models"),
        ("customers.admin.panel", "from loyalty.querysets import with_balance"),
        ("customers.admin.panel", "from tenancy.admin import TenantAdmin"),
        ("customers.management.commands.demo", "from loyalty.services import award_points"),
        ("customers.views", "from api.views import ViewSet\nfrom .serializers import X"),
        ("customers.views", "from rest_framework import viewsets"),
        ("api.views", "from tenancy.services import x\nfrom events.models import y\nimport api.z"),
        ("api.views", "from rest_framework import viewsets"),
        ("config.urls", "from customers.urls import routes\nfrom dialects import urls"),
        ("config.api", "from customers.views import X\nfrom api import problems"),
        ("config.checks", "from tenancy.services import x"),
        ("dialects.acme.views", "from dialects.base import X\nfrom .serializers import Y"),
        ("dialects.acme.views", "from loyalty.services import x\nfrom ..problems import Y"),
        ("dialects.problems", "from api.problems import Problem"),
        ("dialects.urls", "from dialects.acme import urls"),
        ("events.outbound.client", "import httpcore\nimport httpx"),
        ("config.launch", "import http.client"),
        ("events.messages.mail", "from smtplib import SMTPException, SMTPDataError"),
        ("customers.services", "from urllib.parse import urlsplit\nfrom http import HTTPStatus"),
    ],
)
def test_an_import_that_the_tower_allows_passes(module, source):
    assert violations(module, source) == []


def test_the_contract_excuses_exactly_the_faces():
    excused = {pattern.split(".")[1].split()[0] for pattern in layers_contract_exceptions()}

    assert excused == FACES


def layers_contract_exceptions():
    return LINTER["contracts"][0]["ignore_imports"]


def test_every_package_of_the_product_has_its_floor():
    ours = {path.parent.name for path in ROOT.glob("[a-z]*/__init__.py")}

    assert ours - {"tests", "benchmarks"} <= {*TOWER, "api"}


def test_the_contract_covers_every_package_there_is():
    present = {name for name in [*TOWER, "api"] if (ROOT / name / "__init__.py").exists()}

    assert present <= set(LINTER["root_packages"])
