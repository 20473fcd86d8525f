"""The export holds everything of one customer and nothing of others; the preview tells the same."""

import base64
import io
import json

import jsonschema
import pytest
from PIL import Image

from customers.models import Customer
from customers.privacy import registry
from customers.services import (
    CustomerGone,
    anonymisation_preview,
    anonymise_customer,
    export_customer,
    export_schema,
    record_consent,
    update_customer,
)
from events.actors import Actor, acting
from events.models import Event, HistoryEntry
from tenancy.scoping import in_tenant
from tests.customers.planting import STAFF_NAME, plant

# Marks that stand in copies and secrets only, which the export leaves out by the registry.
LEFT_OUT = {
    "zanswer",
    "zbatchanswer",
    "zpathanswer",
    "zreprcustomer",
    "zmessagecustomer",
    "zrepremail",
    "zmessageemail",
    "zsession",
}


@pytest.fixture
def planted(acme, tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.ERASURE_JOURNAL = tmp_path / "erasures.jsonl"
    customer, marks = plant(acme)
    with acting(Actor("staff", None, STAFF_NAME)):
        update_customer(customer, seller=None, reason="leaves")
    return customer, marks


def shaped_like_stored(mark, customer):
    """How a stored number looks in the export: degrees and money with their point."""
    for column in Customer.MONEY:
        if mark == str(getattr(customer, column)):
            return f"{mark[:-2]}.{mark[-2:]}"
    address = customer.addresses.get()
    if mark in (str(address.latitude_micro), str(address.longitude_micro)):
        return f"{mark[:2]}.{mark[2:]}".rstrip("0")
    return mark


def test_the_export_holds_every_mark_of_the_person(planted):
    customer, marks = planted
    secrets = {customer.password.lower(), customer.avatar.file.name}
    wanted = {shaped_like_stored(mark, customer) for mark in set(marks) - LEFT_OUT - secrets}

    told = json.dumps(export_customer(customer), ensure_ascii=False).lower()

    assert sorted(mark for mark in wanted if mark not in told) == []
    assert len(wanted) > 60
    assert customer.password.lower() not in told


def test_the_export_holds_nobody_else(planted, acme, rival):
    customer, _marks = planted
    _other, others = plant(acme, "Y", number=987650002)
    with in_tenant(rival):
        _theirs, strangers = plant(rival, "X", number=987650003)

    told = json.dumps(export_customer(customer), ensure_ascii=False).lower()

    assert [mark for mark in others + strangers if mark in told] == []
    assert STAFF_NAME.lower() not in told
    assert '"seller": ["staff", null]' in told


def test_every_personal_line_is_in_the_export_or_says_why_not(planted):
    customer, _marks = planted

    export = export_customer(customer)

    for table in registry.about_customers():
        for line in table.lines.values():
            if line.exported:
                part = export[table.section]
                rows = part if isinstance(part, list) else [part]
                assert rows, table.section
                assert all(line.exported in row for row in rows)
            elif line.personal == "customer":
                assert line.why, f"{table.label}.{line.column}"


def test_the_export_keeps_to_its_schema(planted, grace):
    customer, _marks = planted
    schema = json.loads(json.dumps(export_schema()))
    check = jsonschema.Draft202012Validator(schema)
    jsonschema.Draft202012Validator.check_schema(schema)

    exports = [json.loads(json.dumps(export_customer(who))) for who in (customer, grace)]
    anonymise_customer(customer)
    exports.append(json.loads(json.dumps(export_customer(customer))))

    for export in exports:
        assert [error.message for error in check.iter_errors(export)] == []
    broken = exports[0] | {"emails": [{"address": 1}]}
    assert not check.is_valid(broken)


def test_the_picture_comes_along(planted):
    customer, _marks = planted

    avatar = export_customer(customer)["avatar"]

    image = Image.open(io.BytesIO(base64.b64decode(avatar["content_base64"])))
    assert (image.format, image.size) == ("WEBP", (avatar["width"], avatar["height"]))


def test_a_picture_whose_file_is_lost_does_not_stop_the_export(planted):
    customer, _marks = planted
    customer.avatar.file.storage.delete(customer.avatar.file.name)

    assert export_customer(customer)["avatar"]["content_base64"] is None


def test_an_export_is_on_record_and_changes_nothing(ada):
    before = Customer.objects.values().get(pk=ada.pk)

    with acting(Actor("staff", None, "Grace")):
        export_customer(ada, reason="article 15")

    entry = HistoryEntry.objects.about("customer", ada.pk).first()
    assert (entry.deed, entry.actor_label, entry.reason) == (
        "customer.exported",
        "Grace",
        "article 15",
    )
    assert Event.objects.filter(subject_id=ada.pk).first().kind == "customer.exported"
    assert Customer.objects.values().get(pk=ada.pk) == before


def test_two_exports_differ_by_the_time_and_the_note_alone(planted):
    customer, _marks = planted

    first, second = export_customer(customer), export_customer(customer)

    assert list(first) == list(second)
    assert second["history"][:-1] == first["history"]
    assert second["history"][-1]["deed"] == "customer.exported"
    for export in (first, second):
        del export["exported_at"], export["history"]
    assert first == second


def test_consents_are_told_with_their_whole_history(ada):
    for granted in (True, False, True):
        record_consent(ada, purpose="marketing", granted=granted)

    told = export_customer(ada)["consents"]

    assert [consent["granted"] for consent in told] == [True, False, True]


def test_a_stranger_or_a_deleted_customer_is_not_exported(ada, rival):
    with in_tenant(rival), pytest.raises(CustomerGone):
        export_customer(ada.pk)


# --- The preview --------------------------------------------------------------------------------
def test_the_preview_lists_from_live_data_what_would_go(planted):
    customer, _marks = planted

    preview = anonymisation_preview(customer)

    erased = {f"{item['table']}.{item['column']}": item for item in preview["erased"]}
    assert erased["customers.Customer.internal_note"]["samples"] == ["Znote"]
    assert erased["customers.Email.address"]["count"] == 2
    assert erased["groups.Subscription.group"]["count"] == 1
    assert erased["events.HistoryEntry.reason"]["count"] == 3
    assert erased["customers.Customer.password"]["samples"] == []
    assert erased["customers.Avatar.file"]["samples"] == [customer.avatar.file.name]
    assert all(len(item["samples"]) <= 3 for item in preview["erased"])
    kept = {f"{item['table']}.{item['column']}": item for item in preview["kept"]}
    assert kept["customers.Consent.purpose"]["count"] == 2
    assert "customers.Customer.home_store" in kept
    assert all(item["why"] for item in preview["kept"])
    assert "Backups and replicas" in {place["name"] for place in preview["out_of_reach"]}
    assert len(preview["warnings"]) == 3
    json.dumps(preview, default=str)


def test_the_preview_says_what_the_anonymisation_then_does(planted):
    customer, _marks = planted
    before = anonymisation_preview(customer)

    anonymise_customer(customer)

    after = anonymisation_preview(customer)
    assert before["erased"]
    # The one thing left is the entry about the erasure itself, young enough to have a full time.
    left = {f"{item['table']}.{item['column']}" for item in after["erased"]}
    assert left <= {
        "events.HistoryEntry.at",
        "events.HistoryEntry.changes",
        "events.Event.at",
    }
    assert after["anonymised_at"]


def test_a_preview_of_somebody_bare_is_short(grace):
    preview = anonymisation_preview(grace)

    erased = {item["column"] for item in preview["erased"] if item["table"] == "customers.Customer"}
    assert {"number", "name", "first_name", "status", "created_at"} <= erased
    assert "last_name" not in erased
    assert preview["warnings"] == []
