"""Customer files over the API: handed in, watched, reported, mended, cancelled, undone."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import override_settings

from customers.models import Customer, ImportFile, ImportRun
from tests.customers.imports.hostile import table_files, xml_files

pytestmark = pytest.mark.django_db

TEXT = "external_id,first_name,email\nx1,Ada,ada@example.org\nx2,Bea,nowhere\n"


def post_form(api, text=TEXT, name="shop.csv", headers=None, **fields):
    file = SimpleUploadedFile(name, text.encode())
    return api.client.post(
        "/api/v1/imports/", {"file": file, **fields}, headers=api.headers(headers)
    )


def post_raw(api, query="", text=TEXT, content_type="text/csv"):
    return api.client.post(
        f"/api/v1/imports/{query}", text, content_type=content_type, headers=api.headers(None)
    )


def errors(answer):
    return {(one["field"], one["code"]) for one in answer.json()["errors"]}


@pytest.mark.parametrize("post", [post_form, post_raw])
def test_a_file_is_taken_and_imported_in_the_background(admin, run_jobs, acme, post):
    answer = post(admin)
    assert answer.status_code == 202
    assert answer.json()["state"] == "waiting"
    run_jobs()

    run = admin.get(f"imports/{answer.json()['id']}/").json()

    assert (run["state"], run["rows_done"], run["rows_total"]) == ("done", 2, 2)
    assert run["counts"]["created"] == run["counts"]["refused"] == 1
    assert admin.get("imports/").json()["results"] == [run]


def test_report_and_refused_rows_can_be_read(admin, run_jobs):
    path = f"imports/{post_form(admin).json()['id']}/"
    run_jobs()

    report = admin.get(f"{path}report/").json()
    refused = admin.get(f"{path}refused/")

    assert (report["lines"], report["created"], report["refused"]) == (2, 1, 1)
    assert [(one["line"], one["column"]) for one in report["errors"]] == [(3, "email")]
    lines = b"".join(refused.streaming_content).decode().splitlines()
    assert lines[0] == "external_id,first_name,email,refused_because"
    assert lines[1].startswith("x2,Bea,nowhere,")


def test_a_dry_run_writes_nobody_and_is_repeated_for_real(admin, run_jobs, acme):
    run_id = post_raw(admin, "?dry_run=true&file_name=a.csv").json()["id"]
    run_jobs()
    assert not Customer.objects.exists()

    again = admin.post(f"imports/{run_id}/repeat/")
    run_jobs()

    assert again.status_code == 202
    assert Customer.objects.count() == 1


def test_cancel_and_undo_and_what_they_refuse(admin, run_jobs, acme):
    run_id = post_form(admin).json()["id"]
    assert admin.post(f"imports/{run_id}/undo/").status_code == 409
    run_jobs()
    refused = admin.post(f"imports/{run_id}/cancel/")
    assert refused.status_code == 409
    assert "import_state" in refused.content.decode()

    assert admin.post(f"imports/{run_id}/undo/").status_code == 202
    run_jobs()

    assert admin.get(f"imports/{run_id}/").json()["undone"]["deleted"] == 1
    assert not Customer.objects.exists()


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"match": "shoe"}, ("match", "invalid")),
        ({"dry_run": "perhaps"}, ("dry_run", "invalid")),
        ({"mapping": "{"}, ("mapping", "invalid")),
        ({"colour": "red"}, ("colour", "unknown")),
    ],
)
def test_a_wrong_option_is_named_and_nothing_is_kept(admin, acme, fields, named):
    answer = post_form(admin, **fields)

    assert answer.status_code == 400
    assert errors(answer) == {named}
    assert not ImportFile.objects.exists()


def test_no_file_is_a_sentence(admin):
    assert errors(post_raw(admin, text="")) == {("file", "required")}
    assert errors(post_form(admin, text="")) == {("file", "required")}


def test_the_same_file_at_the_same_time_is_a_conflict(admin, acme):
    post_form(admin)

    answer = post_form(admin)

    assert answer.status_code == 409
    assert ImportRun.objects.count() == ImportFile.objects.count() == 1


def test_a_request_with_a_key_is_answered_twice_and_done_once(admin, acme):
    first = post_form(admin, headers={"Idempotency-Key": "k1"})

    second = post_form(admin, headers={"Idempotency-Key": "k1"})

    assert second.json() == first.json()
    assert ImportRun.objects.count() == 1


@override_settings(IMPORT_MAX_BYTES=20)
@pytest.mark.parametrize("post", [post_form, post_raw])
def test_a_file_that_is_too_large_is_refused(admin, acme, post):
    assert post(admin).status_code == 413
    assert not ImportFile.objects.exists()


@override_settings(MAX_UPLOAD_BYTES=20)
def test_a_file_may_be_larger_than_other_requests(admin):
    assert post_raw(admin).status_code == 202


def test_who_has_no_right_sends_in_vain(as_role, acme):
    seller = as_role("seller")

    assert post_form(seller).status_code == 403
    assert not ImportFile.objects.exists()


def test_the_list_takes_a_constant_number_of_queries(admin, django_assert_max_num_queries, acme):
    for n in range(4):
        post_raw(admin, text=f"external_id,name\nx{n},A\n")

    with django_assert_max_num_queries(8):
        answer = admin.get("imports/")

    assert len(answer.json()["results"]) == 4


def _refused_over_the_api(api, run_jobs, files):
    """Hand in each file; what the API and the worker say, by name, None where it was imported."""
    runs = {}
    for name, content in files.items():
        file = SimpleUploadedFile(name, content)
        answer = api.client.post("/api/v1/imports/", {"file": file}, headers=api.headers(None))
        assert answer.status_code == 202, answer.content
        runs[name] = answer.json()["id"]
    run_jobs()
    told = {name: api.get(f"imports/{run_id}/").json() for name, run_id in runs.items()}
    return {name: run["failure"] or None for name, run in told.items()}


def _hostile(wanted):
    named = {f"{name}.xml": content for name, content in xml_files(10 << 20).items()}
    named |= table_files(10 << 20)
    return {name.replace(":", ""): made for name, made in named.items() if wanted(len(made))}


def test_hostile_files_are_refused_with_a_sentence_and_write_nothing(admin, run_jobs, acme):
    told = _refused_over_the_api(admin, run_jobs, _hostile(lambda size: size < 10_000))

    assert len(told) > 40
    assert [name for name, failure in told.items() if not failure] == []
    assert not Customer.objects.exists()


@pytest.mark.long
def test_large_hostile_files_are_refused_with_a_sentence_and_write_nothing(admin, run_jobs, acme):
    told = _refused_over_the_api(admin, run_jobs, _hostile(lambda size: size >= 10_000))

    assert [name for name, failure in told.items() if not failure] == []
    assert not Customer.objects.exists()
