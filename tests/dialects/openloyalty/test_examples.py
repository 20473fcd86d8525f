"""Every example of the vendor's document, replayed, and what it answers compared key by key.

The requests and answers are recorded in payloads/openloyalty/examples.json, bodies as they stand in
the document (forms in which nothing is encoded). Pictures and files, which it sends as names,
come as multipart. What must differ (ids, times of storing) must have the documented form.
"""

import io
import json
import re
from datetime import datetime
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from customers.models import Customer
from tenancy.clock import frozen
from tenancy.scoping import in_tenant
from tenancy.services import update_tenant
from tests.dialects.openloyalty.client import customer
from tests.dialects.openloyalty.test_newcomers import code_in, link_in
from tests.dialects.openloyalty.test_points import sale, transfer
from tests.factories import PASSWORD, StoreFactory

pytestmark = pytest.mark.django_db

PAYLOADS = Path(__file__).parent.parent / "payloads" / "openloyalty"
EXAMPLES = json.loads((PAYLOADS / "examples.json").read_text("utf-8"))
# Ours by nature: compared by their form alone.
OURS = {"customerId", "levelId", "id", "posId", "object", "updatedAt", "version"}
UUID = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}")
# In the samples, but only where levels are looked at again after some days.
SOMETIMES = {"lastLevelRecalculation"}
# What the samples of lists, which are of an older version, do not show.
NEWER = {
    *("address", "gender", "level", "labels", "status", "firstPurchaseAt", "sellerId"),
    *("posId", "posIdentifier"),
}


def at(text):
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z")


def differences(documented, ours, path=""):
    """What of an answer is not as documented, by path."""
    key = path.rpartition(".")[2]
    if isinstance(documented, dict) and isinstance(ours, dict):
        for name in documented.keys() - ours.keys() - SOMETIMES:
            yield path, f"{name} is missing"
        newer = {"levelId"} if path.endswith(".level.levelId") else NEWER
        for name in ours.keys() - documented.keys() - newer:
            yield path, f"{name} is too much"
        for name in documented.keys() & ours.keys():
            yield from differences(documented[name], ours[name], f"{path}.{name}")
    elif isinstance(documented, list) and isinstance(ours, list):
        if len(documented) != len(ours):
            yield path, f"{len(ours)} instead of {len(documented)}"
        for one, other in zip(documented, ours, strict=False):
            yield from differences(one, other, f"{path}.")
    elif key in OURS and type(documented) is type(ours):
        for form in (UUID, MOMENT):
            if isinstance(ours, str) and bool(form.fullmatch(documented)) != bool(
                form.fullmatch(ours)
            ):
                yield path, f"{ours} has another form than {documented}"
    elif documented != ours or isinstance(documented, bool) != isinstance(ours, bool):
        yield path, f"{ours!r} instead of {documented!r}"


def picture():
    data = io.BytesIO()
    Image.new("RGB", (4, 4), "red").save(data, "JPEG")
    return data.getvalue()


@pytest.fixture
def scene(shop, admin, seller, nobody, levels, as_):
    """What the document takes for granted: (the callers, what stands for its ids and tokens)."""
    update_tenant(shop, settings={"points_expire": "after_x_days", "points_days": 30})
    names = {"level": str(levels["level1"].pk)}
    with in_tenant(shop):
        names["pos"] = str(StoreFactory(tenant=shop, code="pos2").pk)

    def register(moment, **fields):
        with frozen(at(moment)):
            answer = admin.post("customer/register", customer(agreement1="1", **fields))
        return answer.json()["customerId"]

    born = {"gender": "male", "birthDate": "1990-09-11", "createdAt": "2016-08-08 10:53:14"}
    names["john"] = register(
        "2018-02-02T11:00:00+0100",
        **{"firstName": "John", "lastName": "Doe", "email": "user@example.com"},
        **{"phone": "+48234234000", "loyaltyCardNumber": "47834433524"},
        **born,
    )
    jane = {"street": "Bagno", "address1": "1", "province": "Mazowieckie"}
    jane |= {"city": "Warszawa", "postal": "00-000", "country": "PL"}
    register(
        "2018-02-02T11:00:00+0100",
        **{"firstName": "Jane", "lastName": "Doe", "email": "user-temp@example.com"},
        **{"phone": "111112222", "loyaltyCardNumber": "0000"},
        **{f"address__{name}": value for name, value in jane.items()},
        **born,
    )
    for n, moment, phone in ((2, "37:00", "899000333"), (3, "38:19", ""), (4, "39:17", "")):
        names["other"] = register(
            f"2018-02-02T11:{moment}+0100",
            **{"firstName": "test", "lastName": "test", "email": f"test{n}@example.com"},
            phone=phone,
        )
    for day, points in (("02-01", "88"), ("03-15", "58"), ("03-16", "116.9"), ("03-18", "12")):
        with frozen(at(f"2019-{day}T12:00:00+0100")):
            fields = transfer(customer=names["john"], points=points)
            assert admin.post("points/transfer/add", fields).status_code == 200
    with frozen(at("2019-03-19T12:00:00+0100")):
        admin.post("points/transfer/spend", transfer(customer=names["john"], points="25"))
        for number, amount, whose, moment in (
            ("1", "3", "0000", "2018-02-03 11:23:21"),
            ("2", "1", "47834433524", "2019-03-16 12:53:23"),
        ):
            more = {"transactionData][purchaseDate": moment}
            admin.post("transaction", sale(number, amount, whose, "loyaltyCardNumber", **more))
    with frozen(at("2019-03-20T11:55:00+0100")):
        more = {"transactionData][purchaseDate": "2019-03-20 11:52:56"}
        admin.post("transaction", sale("3", "2", "47834433524", "loyaltyCardNumber", **more))
        with in_tenant(shop):
            john = as_("customer", customer=Customer.objects.get(pk=names["john"]))
    return {"admin": admin, "seller": seller, "nobody": nobody, "john": john}, names


def replay(api, example, names):
    """Send an example as it stands."""

    def named(text):
        for name, value in names.items():
            text = text.replace("{" + name + "}", value)
        return text

    path = named(example["path"])
    if "file" in example:
        content = example["content"]
        data = picture() if content == "avatar.jpg" else (PAYLOADS / content).read_bytes()
        return api.post(path, files={example["file"]: SimpleUploadedFile(content, data)})
    return api.send(example["method"], path, named(example["body"]))


def alone(api, **fields):
    john = {"firstName": "A", "lastName": "B", "agreement1": "1", "plainPassword": PASSWORD}
    return api.post("customer/self_register", customer(**john | fields))


def test_every_example_of_the_document(scene, shop, sent_mail, sent_sms):
    callers, names = scene
    wrong = []
    with frozen(at("2019-03-20T12:00:00+0100")):
        for example in EXAMPLES:
            prepare(example, names, callers, shop, sent_mail, sent_sms)
            answer = replay(callers[example["as"]], example, names)
            wrong += told(example, answer)
    assert not wrong, "\n".join(map(str, wrong))


def prepare(example, names, callers, shop, sent_mail, sent_sms):
    """Have the token sent that an example names."""
    nobody, wanted = callers["nobody"], example["path"] + example["body"]
    if "{link}" in wanted:
        alone(nobody, email="link@example.org")
        names["link"] = link_in(sent_mail()[-1])
    elif "{code}" in wanted:
        update_tenant(shop, settings={"activation_method": "sms"})
        alone(nobody, phone="+48600700801")
        names["code"] = code_in(sent_sms()[-1])
        update_tenant(shop, settings={"activation_method": "email"})
    elif "{waiting}" in wanted:
        alone(nobody, email="wait@example.org", phone="+48600700803")
        names["waiting"] = "+48600700803"
    elif "{change}" in wanted:
        form = customer(phone="+48600700804")
        assert callers["john"].put(f"customer/{names['john']}", form).status_code == 200
        names["change"] = code_in(sent_sms()[-1])


def told(example, answer):
    """What an answer says otherwise than documented."""
    name = example["name"]
    if answer.status_code != example["status"]:
        return [(name, answer.status_code, answer.content[:300])]
    if example.get("binary"):
        picture = b"".join(answer.streaming_content)
        return [] if picture.startswith(b"RIFF") else [(name, picture[:20])]
    body = json.loads(answer.content) if answer.content else None
    documented = example["answer"]
    if example.get("unordered"):
        order = {row["email"]: row for row in documented["customers"]}
        shown = [row["email"] for row in body["customers"]]
        assert len(shown) == 2
        body["customers"] = [row for row in body["customers"] if row["email"] in order]
        documented = documented | {"customers": [order[row["email"]] for row in body["customers"]]}
    if name == "list":
        body["customers"] = body["customers"][:2]
    return [(name, *found) for found in differences(documented, body)]
