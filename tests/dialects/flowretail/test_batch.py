"""Many changes in one request on Flow Retail's wire."""

import pytest

from tests.dialects.flowretail.client import FlowRetail, fields_of
from tests.factories import make_token

pytestmark = pytest.mark.django_db
NOBODY = "6b1f0a52-6f5d-4c9c-9a3e-3f2a4d1c9b10"


def statuses(answer):
    return {deed: [row["status"] for row in rows] for deed, rows in answer.json().items()}


@pytest.fixture
def batch(access, backoffice):
    """The body of W27, after what it needs is there."""
    old = access.make(firstname="Old", externalId="K-OLD")
    changed = access.make(firstname="Per", externalId="K-PER")
    doomed = access.make(firstname="Gone")
    return {
        "upsert": [
            {"externalId": "K-OLD", "firstname": "Older"},
            {"externalId": "K-NEW", "firstname": "New"},
        ],
        "delete": [doomed["customerUid"]],
        "update": [{"customerUid": changed["customerUid"], "city": "Oslo"}],
        "create": [{"firstname": "Ada"}, {"firstname": "Bo", "externalId": "K-BO"}],
    }, (old, changed, doomed)


def test_w27_w31_four_lists_each_take_effect_and_an_upsert_can_be_repeated(backoffice, batch):
    body, (old, changed, doomed) = batch

    answer = backoffice.post("batch", body)
    again = backoffice.post("batch", {"upsert": body["upsert"]})

    assert answer.status_code == 200
    assert list(answer.json()) == ["create", "update", "delete", "upsert"]
    assert statuses(answer) == {
        "create": [201, 201], "update": [200], "delete": [204], "upsert": [200, 201],
    }  # fmt: skip
    told = answer.json()
    assert told["upsert"][0]["customerUid"] == old["customerUid"]
    assert told["create"][1]["externalId"] == "K-BO"
    assert all(row["error"] is None for rows in told.values() for row in rows)
    assert backoffice.get(old["customerUid"]).json()["firstname"] == "Older"
    assert backoffice.get(changed["customerUid"]).json()["city"] == "Oslo"
    assert backoffice.get(doomed["customerUid"]).status_code == 404
    assert (again.status_code, statuses(again)) == (200, {"upsert": [200, 200]})
    assert backoffice.found() == ["Ada", "Bo", "New", "Older", "Per"]


def test_w29_who_is_not_there_is_told_and_the_others_go_through(backoffice):
    body = {
        "create": [{"firstname": "Ada"}, {"firstname": 7}, "x"],
        "update": [{"customerUid": NOBODY, "city": "Oslo"}, {"city": "Oslo"}],
        "delete": [NOBODY, {"customerUid": "x!"}, 7],
        "upsert": [{"firstname": "Bo"}, {"customerUid": NOBODY, "firstname": "Cy"}],
    }

    answer = backoffice.post("batch", body)

    assert answer.status_code == 207
    assert statuses(answer) == {
        "create": [201, 400, 400],
        "update": [404, 400],
        "delete": [404, 400, 400],
        "upsert": [400, 201],
    }
    told = answer.json()
    assert told["create"][1]["error"]["errors"][0]["field"] == "firstname"
    assert told["update"][0]["customerUid"] == NOBODY
    assert told["update"][0]["error"]["code"] == "not_found"
    assert backoffice.found() == ["Ada", "Cy"]


def test_when_every_item_fails_it_is_207_too(access):
    assert access.post("batch", {"delete": [NOBODY]}).status_code == 207


def test_deleting_in_a_batch_needs_the_back_office(access, seller):
    made = access.make()

    for wire in (access, seller):
        answer = wire.post("batch", {"delete": [made["customerUid"]]})

        assert (answer.status_code, statuses(answer)) == (207, {"delete": [403]})
    assert access.get(made["customerUid"]).status_code == 200


def test_a_batch_grants_no_field_that_a_single_call_refuses(access, seller):
    made = access.make(externalId="K-1")

    answer = seller.post("batch", {"update": [{"customerUid": made["customerUid"],
                                               "ledgerNumber": "7"}]})  # fmt: skip

    assert statuses(answer) == {"update": [403]}


def test_an_items_key_is_its_uid_else_its_external_id(backoffice):
    made = backoffice.make(externalId="K-1")

    by_key = backoffice.post("batch", {"update": [{"externalId": "K-1", "city": "Oslo"}]})
    renamed = backoffice.post(
        "batch", {"update": [{"customerUid": made["customerUid"], "externalId": "K-2"}]}
    )
    gone = backoffice.post("batch", {"delete": [{"externalId": "K-2"}]})

    assert (by_key.status_code, renamed.status_code, gone.status_code) == (200, 200, 200)
    assert renamed.json()["update"][0]["externalId"] == "K-2"
    assert backoffice.found() == []


def test_lists_may_be_absent_or_null_and_must_be_lists(access):
    nothing = access.post("batch", {})
    null = access.post("batch", {"create": None, "note": 7})

    assert (nothing.status_code, nothing.json(), null.status_code) == (200, {}, 200)
    for body, fields in (
        ({"create": {}, "delete": "x"}, ["create", "delete"]),
        ([], []),
        (b"{", []),
        (b"not json", []),
        ({"create": [{}] * 1001}, [None]),
    ):
        answer = access.post("batch", body)

        assert (answer.status_code, [name for name in fields_of(answer) if name]) == (
            400,
            [name for name in fields if name],
        )


def test_a_batch_reaches_no_other_tenant(backoffice, rival):
    theirs = FlowRetail(make_token(rival), tenant="rival").make(firstname="Eve", externalId="K-1")
    uid = theirs["customerUid"]

    answer = backoffice.post(
        "batch",
        {
            "update": [{"customerUid": uid, "city": "Oslo"}],
            "delete": [uid],
            "upsert": [{"customerUid": uid, "firstname": "Mine"}, {"externalId": "K-1",
                                                                    "firstname": "Bo"}],
        },
    )  # fmt: skip

    told = FlowRetail(make_token(rival), tenant="rival").get(uid).json()
    assert (told["firstname"], told["city"]) == ("Eve", None)
    assert statuses(answer)["update"] == statuses(answer)["delete"] == [404]
    # The key is taken in the whole installation; whose it is is not told.
    assert statuses(answer)["upsert"] == [409, 201]
