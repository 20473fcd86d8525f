"""History, events and idempotency keys."""

import threading
import uuid
from datetime import timedelta

import pytest
from django.db import connections, transaction

from events.actors import Actor, acting, current
from events.models import Event, HistoryEntry, IdempotencyKey
from events.services import (
    LEASE,
    Claim,
    KeyInUse,
    KeyReused,
    claim_key,
    complete_key,
    delete_expired_keys,
    forget_answers_about,
    record,
    redact_history,
    release_key,
)
from tenancy.clock import frozen, now
from tenancy.scoping import in_tenant
from tests.factories import TenantFactory

REQUEST = {"method": "POST", "path": "/api/v1/customers/", "body_hash": "a" * 64}
ANSWER = {"status": 201, "content_type": "application/json", "body": "{}", "headers": {}}


class TestActors:
    def test_nobody_in_particular_is_the_system(self):
        assert current().actor == Actor("system")

    def test_the_innermost_actor_acts_and_the_outer_one_comes_back(self):
        outer, inner = Actor("service", label="sync"), Actor("customer")

        with acting(outer):
            with acting(inner):
                assert current().actor == inner
            assert current().actor == outer


@pytest.mark.django_db
class TestHistory:
    def test_a_rolled_back_deed_leaves_neither_history_nor_event(self, acme):
        with transaction.atomic():
            record(acme, "group.updated", "group", uuid.uuid4(), changes={"a": [1, 2]})
            transaction.set_rollback(True)

        assert not HistoryEntry.objects.exists()
        assert not Event.objects.exists()

    def test_redaction_empties_values_and_reasons_and_keeps_the_deed(self, acme):
        subject = uuid.uuid4()
        other = uuid.uuid4()
        told = {"name": ["Ada", "Eve"]}
        for thing in (subject, other):
            record(acme, "group.updated", "group", thing, changes=told, reason="x")

        redact_history("group", [subject])

        emptied = HistoryEntry.objects.about("group", subject).get()
        assert (emptied.deed, emptied.changes, emptied.reason) == (
            "group.updated",
            {"name": [None, None]},
            "",
        )
        assert emptied.redacted
        assert HistoryEntry.objects.about("group", other).get().changes == {"name": ["Ada", "Eve"]}


@pytest.mark.django_db
class TestIdempotency:
    def test_the_first_gets_the_work_and_the_next_its_answer(self, acme):
        claim = claim_key(acme, "staff:1", "k", **REQUEST)
        complete_key(claim, **ANSWER)

        replay = claim_key(acme, "staff:1", "k", **REQUEST)

        assert isinstance(claim, Claim)
        assert (replay.status, replay.body) == (201, "{}")

    def test_while_it_is_running_the_next_has_to_wait(self, acme):
        claim_key(acme, "staff:1", "k", **REQUEST)

        with pytest.raises(KeyInUse):
            claim_key(acme, "staff:1", "k", **REQUEST)

    @pytest.mark.parametrize("other", ["method", "path", "body_hash"])
    def test_the_same_key_for_something_else_is_refused(self, acme, other):
        claim_key(acme, "staff:1", "k", **REQUEST)

        with pytest.raises(KeyReused):
            claim_key(acme, "staff:1", "k", **{**REQUEST, other: "other"})

    def test_another_account_and_another_tenant_have_keys_of_their_own(self, acme, rival):
        claim_key(acme, "staff:1", "k", **REQUEST)

        assert isinstance(claim_key(acme, "staff:2", "k", **REQUEST), Claim)
        with in_tenant(rival):
            assert isinstance(claim_key(rival, "staff:1", "k", **REQUEST), Claim)

    def test_a_refused_request_reserves_nothing(self, acme):
        release_key(claim_key(acme, "staff:1", "k", **REQUEST))

        assert isinstance(claim_key(acme, "staff:1", "k", **{**REQUEST, "body_hash": "b"}), Claim)

    def test_the_claim_of_a_dead_process_is_taken_over_and_its_late_answer_refused(self, acme):
        frozen_process = claim_key(acme, "staff:1", "k", **REQUEST)

        with frozen(now() + LEASE + timedelta(seconds=1)):
            successor = claim_key(acme, "staff:1", "k", **REQUEST)
            with pytest.raises(KeyInUse):
                complete_key(frozen_process, **ANSWER)
            complete_key(successor, **ANSWER)

        assert IdempotencyKey.objects.get().done

    def test_keys_end(self, acme, settings):
        complete_key(claim_key(acme, "staff:1", "k", **REQUEST), **ANSWER)
        later = now() + timedelta(hours=settings.IDEMPOTENCY_HOURS, seconds=1)

        with frozen(later):
            assert isinstance(claim_key(acme, "staff:1", "k", **REQUEST), Claim)
            assert delete_expired_keys() == 0
        assert IdempotencyKey.objects.count() == 1

    def test_erasure_forgets_the_answers_about_a_person(self, acme):
        ada, eve = uuid.uuid4(), uuid.uuid4()
        for index, subject in enumerate((ada, eve)):
            claim = claim_key(acme, "staff:1", f"k{index}", **REQUEST)
            complete_key(claim, **ANSWER, subject_id=subject)

        assert forget_answers_about([ada]) == 1
        assert IdempotencyKey.objects.get().subject_id == eve


@pytest.mark.django_db(transaction=True)
def test_of_twenty_at_once_exactly_one_gets_the_work():
    tenant = TenantFactory(code="acme")
    barrier = threading.Barrier(20)
    outcomes = []

    def work():
        try:
            with in_tenant(tenant):
                barrier.wait()
                outcomes.append(type(claim_key(tenant, "staff:1", "k", **REQUEST)))
        except KeyInUse:
            outcomes.append(KeyInUse)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert outcomes.count(Claim) == 1
    assert outcomes.count(KeyInUse) == 19
