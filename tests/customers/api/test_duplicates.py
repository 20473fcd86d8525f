"""The queue of possible duplicates over the API, and the command."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from customers.models import NotDuplicate, PossibleDuplicate
from customers.services import find_duplicates
from tests.factories import CustomerFactory

URL = "/api/v1/customers/duplicates/"


@pytest.fixture
def pair(ada):
    CustomerFactory(tenant=ada.tenant, first_name="Ada", last_name="Lovelase",
                    birth_date="1985-12-10")  # fmt: skip
    find_duplicates()
    return PossibleDuplicate.objects.get()


def test_the_queue_tells_who_and_why(admin, pair, ada, django_assert_max_num_queries):
    with django_assert_max_num_queries(8):
        answer = admin.get(URL).json()

    (told,) = answer["results"]
    assert str(ada.pk) in [one["id"] for one in told["customers"]]
    assert told["score"] == pair.score
    assert told["strength"] in ("likely", "very_likely")
    assert {"field": "last_name", "level": "close", "words": "similar last name"} in told["reasons"]


def test_dismissing_is_remembered_and_empties_the_queue(admin, pair):
    answer = admin.post(f"{URL}{pair.pk}/dismiss/", {"reason": "sisters"})

    assert (answer.status_code, answer.json()["state"]) == (200, "not_same")
    assert NotDuplicate.objects.get().reason == "sisters"
    assert admin.get(URL).json()["results"] == []
    assert len(admin.get(f"{URL}?state=not_same").json()["results"]) == 1


@pytest.mark.parametrize("query", ["state=odd", "customer=7", "min_score=many", "min_score=-1"])
def test_a_filter_that_makes_no_sense_is_named(admin, pair, query):
    answer = admin.get(f"{URL}?{query}")

    assert answer.status_code == 400
    assert query.partition("=")[0] in str(answer.json())


def test_filters_narrow_the_queue(admin, pair, ada, grace):
    def found(query):
        return len(admin.get(f"{URL}?{query}").json()["results"])

    assert found(f"customer={ada.pk}") == 1
    assert found(f"customer={grace.pk}") == 0
    assert found(f"min_score={pair.score}") == 1
    assert found(f"min_score={pair.score + 1}") == 0


@pytest.mark.parametrize("body", [{"reason": 7}, {"reason": "x" * 9999}, {"odd": 1}])
def test_a_body_that_makes_no_sense_dismisses_nothing(admin, pair, body):
    answer = admin.post(f"{URL}{pair.pk}/dismiss/", body)

    assert answer.status_code in (200, 400)
    if answer.status_code == 400:
        assert not NotDuplicate.objects.exists()


def test_a_pair_that_is_not_there_is_404(admin, pair):
    assert admin.get(f"{URL}nonsense/").status_code == 404
    assert admin.post(f"{URL}{pair.first_id}/dismiss/", {}).status_code == 404


def test_sellers_may_not_look(seller, pair):
    assert seller.get(URL).status_code == 403
    assert seller.post(f"{URL}{pair.pk}/dismiss/", {}).status_code == 403


# --- The command ---------------------------------------------------------------------------------
def run(*args):
    out = io.StringIO()
    call_command("find_duplicates", "--tenant", "acme", *args, stdout=out)
    return out.getvalue()


def test_the_command_reports_as_json(pair):
    report = json.loads(run("--all", "--dry-run", "--json"))

    assert report["customers"] == 2
    assert report["open"] == 1
    assert report["dry_run"] is True


def test_the_command_tells_people_what_speaks_for_a_pair(pair):
    PossibleDuplicate.objects.all().delete()

    told = run("--all")

    assert "1 new pairs" in told
    assert "similar last name" in told
    assert PossibleDuplicate.objects.count() == 1


@pytest.mark.parametrize("args", [("--threshold", "0"), ("--threshold", "many")])
def test_a_threshold_that_makes_no_sense_is_refused(pair, args):
    with pytest.raises(CommandError):
        run(*args)
