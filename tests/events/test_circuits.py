"""The breaker: a target that fails is left alone, and asked again by one at a time."""

from datetime import timedelta

import pytest

from events.models import Circuit
from events.outbound import CircuitOpen, OutboundFailed, OutboundRefused, circuits, request
from tenancy.clock import frozen, now
from tests.events.servers import answer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("names", "trying_out")]
NAME = "sms:gateway"


@pytest.fixture
def gateway(neighbour):
    """A server that answers `gateway.status`."""
    server = neighbour(lambda request, connection: answer(server.status))
    server.status = 200
    return server


def ask(server, **options):
    return request("POST", server.url, circuit=NAME, **options)


def fail(server, times):
    server.status = 503
    for _ in range(times):
        ask(server)


def test_a_target_that_works_leaves_no_trace_and_costs_one_look(gateway, django_assert_num_queries):
    with django_assert_num_queries(1):
        ask(gateway)

    assert not Circuit.objects.exists()


def test_the_fifth_failure_opens_the_circuit(gateway):
    fail(gateway, 5)

    with pytest.raises(CircuitOpen):
        ask(gateway)

    assert gateway.n_connections == 5


def test_a_success_in_between_forgets_the_failures(gateway):
    fail(gateway, 4)
    gateway.status = 200
    ask(gateway)
    fail(gateway, 4)

    assert ask(gateway).status == 503


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_a_troubled_server_answers_counts(gateway, status):
    gateway.status = status

    ask(gateway)

    assert Circuit.objects.get().failures == 1


def test_a_refusal_of_the_request_does_not_count(gateway):
    gateway.status = 404

    ask(gateway)

    assert not Circuit.objects.exists()


def test_who_asks_may_judge_the_answer(gateway):
    gateway.status = 404

    ask(gateway, fails=lambda answered: not answered.is_success)

    assert Circuit.objects.get().failures == 1


def test_a_target_that_we_never_speak_to_has_no_circuit(gateway):
    with pytest.raises(OutboundRefused):
        request("GET", "https://10.0.0.1/", circuit=NAME)

    assert not Circuit.objects.exists()


def test_after_the_pause_one_probes_and_the_others_wait(gateway):
    fail(gateway, 5)
    gateway.status = 200

    with frozen(now() + circuits.FIRST_PAUSE):
        circuits.let_through(NAME)  # somebody is on the way
        with pytest.raises(CircuitOpen):
            ask(gateway)

    assert gateway.n_connections == 5


def test_without_the_probes_turn_both_would_go(gateway, monkeypatch):
    fail(gateway, 5)
    gateway.status = 200
    monkeypatch.setattr(circuits, "PROBE", timedelta(0))

    with frozen(now() + circuits.FIRST_PAUSE):
        circuits.let_through(NAME)
        assert ask(gateway).status == 200


def test_a_probe_that_succeeds_closes_the_circuit(gateway):
    fail(gateway, 5)
    gateway.status = 200

    with frozen(now() + circuits.FIRST_PAUSE):
        ask(gateway)
        ask(gateway)

    assert not Circuit.objects.exists()


def test_a_probe_that_fails_doubles_the_pause_up_to_the_longest(gateway):
    fail(gateway, 5)
    instant, pauses = now(), []

    for _ in range(8):
        instant = circuits.open_until([NAME])[NAME] if not pauses else instant + pauses[-1]
        with frozen(instant):
            fail(gateway, 1)
            pauses.append(circuits.open_until([NAME])[NAME] - instant)

    assert [pause.total_seconds() for pause in pauses] == [60, 120, 240, 480, 900, 900, 900, 900]


def test_no_answer_counts_like_a_bad_one():
    for _ in range(5):
        with pytest.raises(OutboundFailed) as failure:
            request("GET", "https://nowhere.example.com/", circuit=NAME)
        assert failure.value.kind == "dns"

    with pytest.raises(CircuitOpen):
        request("GET", "https://nowhere.example.com/", circuit=NAME)


def test_each_target_has_its_own(gateway):
    fail(gateway, 5)
    gateway.status = 200

    assert request("GET", gateway.url, circuit="sms:another").status == 200
    assert set(circuits.open_until([NAME, "sms:another"])) == {NAME}
