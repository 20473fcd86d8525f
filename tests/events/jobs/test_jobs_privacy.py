"""Erasure never has to look into the jobs: nothing of a person gets there."""

import pytest
from django_tasks_db.models import DBTaskResult

from customers.privacy import registry
from customers.services import anonymise_customer, personal_values, scan_for
from events.actors import Actor, acting
from events.jobs import enqueue
from events.jobs.registry import daily_schedules, job_type, ticks
from events.models import Job

pytestmark = pytest.mark.django_db
TABLES = ["events.Job", "django_tasks_database.DBTaskResult"]


@pytest.mark.parametrize("label", TABLES)
def test_the_registry_calls_no_column_of_the_jobs_a_customers(label):
    table = registry.tables[label]

    assert not table.is_about_customers
    assert {line.personal for line in table.lines.values()} <= {"", "staff"}


def test_full_names_and_addresses_are_no_ids_and_no_key(ada, new_job):
    values = [value for value in personal_values(ada) if not value.isascii() or " " in value]
    values += ["Ada Lovelace", "ada@example.org"]
    new_job("tests.look", lambda run, **ids: None)

    for value in values:
        for wrong in ({"who": value}, {"key": value}):
            with pytest.raises(ValueError, match=r"tests\.look"):
                enqueue("tests.look", tenant=ada.tenant, **wrong)
    assert not Job.objects.exists()


def test_after_an_erasure_the_jobs_of_a_customer_hold_the_id_alone(
    ada, new_job, run_jobs, tmp_path, settings
):
    settings.ERASURE_JOURNAL = tmp_path / "erasures.jsonl"

    def stumble(run, *, customer_id):
        raise KeyError(f"no mail to {ada.emails.get().address}, {ada.display_name}")

    new_job("tests.stumble", stumble)
    values = personal_values(ada)
    assert "ada@example.org" in values
    with acting(Actor("customer", ada.pk)):
        ordered = enqueue("tests.stumble", tenant=ada.tenant, customer_id=str(ada.pk))
    run_jobs()
    anonymise_customer(ada)

    found = scan_for(ada.pk, values)

    assert [place for place in found if "job" in str(place).lower()] == []
    ordered.refresh_from_db()
    assert ordered.args == {"customer_id": str(ada.pk)}
    assert ordered.error_kind == "KeyError"
    told = " ".join(str(value) for value in Job.objects.filter(pk=ordered.pk).values_list()[0])
    told += " ".join(str(value) for value in DBTaskResult.objects.values_list())
    assert not any(value.lower() in told.lower() for value in values if len(value) > 5)


def test_every_schedule_names_a_job_that_is_registered():
    for schedule in [*daily_schedules(), *ticks()]:
        assert job_type(schedule.name)
