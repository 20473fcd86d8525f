"""A message's turn: sent once, tried again while that makes sense, and forgotten afterwards."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction

from events.jobs.running import run_due
from events.messages import queue_message, queue_sample, send_again, set_message_text
from events.messages.sending import (
    NotYet,
    blank_expired,
    delete_old_messages,
    send_message,
)
from events.models import Job, Message
from events.outbound.circuits import FAILURES, FIRST_PAUSE
from tenancy import clock
from tenancy.scoping import all_tenants, in_tenant
from tenancy.services import update_tenant
from tenancy.services.counting import TooManyTries
from tests.factories import TenantFactory

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def noon():
    """The instant at which every test begins."""
    with clock.frozen(NOON):
        yield


@pytest.fixture
def greet(acme, greeting):
    """A function that queues a greeting."""

    def queue(channel="email", to="ada@example.org", **options):
        return queue_message(acme, "greeting", channel=channel, to=to, level="Gold", **options)

    return queue


def now(message):
    return Message.objects.get(pk=message.pk)


def work_at(instant):
    """Let the workers work at another instant, until nothing is due."""
    with clock.frozen(instant):
        while run_due():
            pass


def work_until(end, *, step=timedelta(seconds=5)):
    instant = NOON
    while instant <= end:
        work_at(instant)
        instant += step


# --- Asking --------------------------------------------------------------------------------------
def test_a_message_is_queued_with_its_job_and_sent_by_a_worker(greet, provider, run_jobs):
    message = greet(business="Acme")
    assert (message.state, provider.calls, Job.objects.get().args) == (
        "queued",
        0,
        {"message_id": str(message.pk)},
    )

    run_jobs()

    sent = now(message)
    ((to, composed),) = provider.sent
    assert (to, composed.subject, composed.text) == (
        "ada@example.org",
        "Hello",
        "Acme: you are Gold.",
    )
    assert (sent.state, sent.attempts, sent.sent_at, sent.provider_id, sent.language) == (
        "sent",
        1,
        NOON,
        "provider-1",
        "en",
    )


def test_a_rolled_back_change_sends_nothing(greet, provider, run_jobs):
    with transaction.atomic():
        greet()
        transaction.set_rollback(True)

    run_jobs()

    assert provider.calls == 0
    assert not Message.objects.exists()


def test_a_word_that_is_lacking_or_too_much_is_a_mistake_of_ours(acme, greeting):
    with pytest.raises(TypeError, match="nickname"):
        queue_message(acme, "greeting", channel="sms", to="+4790000001", level="x", nickname="x")
    with pytest.raises(TypeError, match="level"):
        queue_message(acme, "greeting", channel="sms", to="+4790000001")


def test_jobs_carry_no_address(greet):
    greet()

    assert "ada@example.org" not in str(Job.objects.values().get())


def test_the_words_are_the_tenants_in_the_readers_language(greet, provider, run_jobs, acme):
    set_message_text("greeting", "sms", "nb", text="Hurra, {level}!")
    greet("sms", "+4790000001", language="nb")

    run_jobs()

    assert provider.sent[0][1].text == "Hurra, Gold!"


# --- What is left --------------------------------------------------------------------------------
def test_what_was_sent_is_forgotten_but_for_the_note(greet, provider, run_jobs):
    message = greet(business="Acme")

    run_jobs()

    sent = now(message)
    assert (sent.to, sent.words, sent.seed) == ("", {}, "")


def test_a_second_job_for_the_same_message_sends_nothing(greet, provider):
    message = greet()

    for _worker in range(3):
        send_message(message.pk)

    assert provider.calls == 1


def test_a_message_that_is_not_there_is_no_failure(acme, provider):
    send_message(uuid.uuid4())

    assert provider.calls == 0


def test_another_tenants_message_is_not_sent_from_here(greet, provider, rival):
    message = greet()

    with in_tenant(rival):
        send_message(message.pk)

    assert provider.calls == 0


# --- When the provider fails ---------------------------------------------------------------------
def test_a_passing_failure_is_tried_again_later_and_nothing_is_lost(greet, provider, run_jobs):
    provider.fail("timeout", times=3)
    message = greet()

    run_jobs()
    waiting = now(message)
    assert (waiting.state, waiting.attempts, waiting.reason) == ("queued", 1, "timeout")
    assert waiting.to == "ada@example.org"
    assert Job.objects.get().state == "waiting"
    work_until(NOON + timedelta(minutes=10))

    sent = now(message)
    assert (sent.state, sent.attempts, sent.reason) == ("sent", 4, "")
    assert len(provider.sent) == 1


def test_the_waits_grow(greet, provider):
    provider.fail("unreachable")
    message = greet()
    waits = []

    for _try in range(4):
        with pytest.raises(NotYet) as wait:
            send_message(message.pk)
        waits.append(wait.value.seconds)

    for seconds, least in zip(waits, (10, 30, 120, 300), strict=True):
        assert least <= seconds <= least * 1.2


def test_a_provider_that_names_a_time_is_left_alone_until_then(greet, provider):
    provider.fail("busy", retry_after=700)
    message = greet()

    with pytest.raises(NotYet) as wait:
        send_message(message.pk)

    assert wait.value.seconds == 700


@pytest.mark.parametrize("reason", ["bad_address", "refused"])
def test_a_lasting_failure_fails_at_once(greet, provider, run_jobs, reason):
    provider.fail(reason, lasting=True)
    message = greet()

    run_jobs()

    failed = now(message)
    assert (failed.state, failed.reason, failed.attempts) == ("failed", reason, 1)
    assert (provider.calls, Job.objects.get().state) == (1, "done")


def test_a_message_is_not_tried_beyond_its_use(greet, provider):
    provider.fail("timeout")
    message = greet()

    work_until(NOON + timedelta(days=1, minutes=1), step=timedelta(minutes=15))

    failed = now(message)
    assert (failed.state, failed.reason) == ("failed", "timeout")
    # Once in a quarter of an hour at most, after the first few.
    assert 20 < provider.calls < 110


def test_a_message_that_nobody_looked_at_in_time_is_not_sent(greet, provider):
    message = greet()

    work_at(NOON + timedelta(days=1, seconds=1))

    late = now(message)
    assert (late.state, late.reason, provider.calls) == ("failed", "expired", 0)
    assert (late.to, late.seed) == ("", "")


def test_a_fault_of_our_own_is_the_jobs_and_the_message_goes_on_waiting(
    greet, provider, run_jobs, monkeypatch
):
    def break_down(*args):
        raise RuntimeError("ada@example.org")

    message = greet()
    with monkeypatch.context() as broken:
        broken.setattr("events.messages.sending.deliver", break_down)
        run_jobs()
    job = Job.objects.get()
    assert (job.state, job.error_kind, "ada" in job.error) == ("waiting", "RuntimeError", False)

    work_at(NOON + timedelta(minutes=1))

    assert now(message).state == "sent"


# --- When it is down -----------------------------------------------------------------------------
def test_after_five_failures_in_a_row_the_provider_is_left_alone(greet, provider, run_jobs):
    provider.fail("timeout")
    for n in range(20):
        greet(to=f"n{n}@example.org")

    run_jobs()

    assert provider.calls == FAILURES
    assert Message.objects.queued().count() == 20


def test_when_it_is_back_everything_is_sent(greet, provider, run_jobs):
    provider.fail("timeout")
    for n in range(20):
        greet(to=f"n{n}@example.org")
    run_jobs()
    provider.recover()

    work_until(NOON + timedelta(minutes=5))

    assert sorted(to for to, _told in provider.sent) == sorted(
        f"n{n}@example.org" for n in range(20)
    )
    assert not Message.objects.exclude(state="sent").exists()


def test_while_it_stays_down_few_failures_are_enough_to_know(greet, provider):
    provider.fail("timeout")
    for n in range(20):
        greet(to=f"n{n}@example.org")

    work_until(NOON + timedelta(minutes=10))

    # After half a minute, one, two, four.
    assert provider.calls <= FAILURES + 5


def test_one_way_that_is_down_does_not_hold_up_the_other(greet, provider, run_jobs):
    provider.fail("timeout", times=FAILURES)
    for n in range(FAILURES):
        greet(to=f"n{n}@example.org")
    run_jobs()

    sms, mail = greet("sms", "+4790000001"), greet()
    run_jobs()

    assert (now(sms).state, now(mail).state) == ("sent", "queued")


def test_a_success_ends_the_row(greet, provider):
    for _round in range(3):
        provider.fail("timeout", times=FAILURES - 1)
        for n in range(FAILURES - 1):
            with pytest.raises(NotYet):
                send_message(greet(to=f"n{n}@example.org").pk)
        send_message(greet().pk)

    assert len(provider.sent) == 3


def test_refusals_of_single_messages_do_not_close_the_way(greet, provider):
    provider.fail("bad_address", lasting=True, times=FAILURES + 3)
    for n in range(FAILURES + 3):
        send_message(greet(to=f"n{n}@example.org").pk)

    last = greet()
    send_message(last.pk)

    assert now(last).state == "sent"


def test_the_pause_ends(greet, provider):
    provider.fail("timeout", times=FAILURES)
    for n in range(FAILURES):
        with pytest.raises(NotYet):
            send_message(greet(to=f"n{n}@example.org").pk)
    message = greet()

    with clock.frozen(NOON + FIRST_PAUSE + timedelta(seconds=1)):
        send_message(message.pk)

    assert now(message).state == "sent"


# --- How many ------------------------------------------------------------------------------------
def test_five_sms_a_day_to_one_number_whatever_they_are_about(greet, provider, run_jobs):
    for _n in range(7):
        greet("sms", "+4790000001")
    other = greet("sms", "+4790000002")

    run_jobs()

    assert [to for to, _told in provider.sent].count("+4790000001") == 5
    held_back = Message.objects.filter(state="suppressed")
    assert [message.reason for message in held_back] == ["number_limit"] * 2
    assert now(other).state == "sent"


def test_mails_without_a_secret_are_not_rationed(greet, provider, run_jobs):
    for _n in range(7):
        greet()

    run_jobs()

    assert len(provider.sent) == 7


def test_a_day_has_as_many_sms_as_tenant_and_operator_allow(
    greet, provider, run_jobs, acme, settings
):
    update_tenant(acme, settings={"sms_per_day": 3})
    settings.SMS_PER_TENANT_AND_DAY = 2
    for n in range(5):
        greet("sms", f"+479000000{n}")

    run_jobs()

    assert len(provider.sent) == 2
    held_back = Message.objects.filter(state="suppressed")
    assert {message.reason for message in held_back} == {"daily_limit"}


def test_another_tenant_has_a_day_of_its_own(greet, provider, run_jobs, settings, rival):
    settings.SMS_PER_TENANT_AND_DAY = 1
    greet("sms", "+4790000001")
    greet("sms", "+4790000002")
    with in_tenant(rival):
        queue_message(rival, "greeting", channel="sms", to="+4790000001", level="Gold")

    run_jobs()

    with all_tenants():
        assert Message.objects.filter(state="sent").count() == 2


def test_trying_again_is_still_one_message(greet, provider, settings):
    settings.SMS_PER_TENANT_AND_DAY = 1
    provider.fail("timeout", times=3)
    message = greet("sms", "+4790000001")
    for _try in range(3):
        with pytest.raises(NotYet):
            send_message(message.pk)

    send_message(message.pk)

    assert now(message).state == "sent"


@pytest.mark.parametrize(
    ("number", "state"),
    [
        ("+4790000001", "sent"),
        ("+46701234567", "sent"),
        ("+447911123456", "suppressed"),
        ("+12025550123", "suppressed"),
        ("+882123456789", "suppressed"),
        ("nonsense", "suppressed"),
    ],
)
def test_sms_go_only_to_the_countries_that_the_tenant_names(greet, provider, acme, number, state):
    update_tenant(acme, settings={"sms_countries": "Norway, se"})
    message = greet("sms", number)

    with in_tenant(type(acme).objects.get(pk=acme.pk)):
        send_message(message.pk)

    assert now(message).state == state
    assert now(message).reason == ("" if state == "sent" else "country")


def test_a_country_that_there_is_not_is_refused(acme):
    with pytest.raises(ValidationError) as refusal:
        update_tenant(acme, settings={"sms_countries": "NO,Atlantis"})

    assert "sms_countries" in str(refusal.value)


# --- Again ---------------------------------------------------------------------------------------
def test_a_failed_message_can_be_sent_again_while_its_address_is_kept(greet, provider, run_jobs):
    provider.fail("refused", lasting=True, times=1)
    message = greet()
    run_jobs()

    again = send_again(now(message))
    run_jobs()

    assert (again.state, again.reason, again.attempts) == ("queued", "", 0)
    assert (now(message).state, provider.sent[0][0]) == ("sent", "ada@example.org")


def test_afterwards_it_cannot(greet, provider, run_jobs):
    provider.fail("refused", lasting=True, times=1)
    message = greet()
    run_jobs()
    with clock.frozen(NOON + timedelta(days=1, seconds=1)):
        blank_expired()

    with pytest.raises(ValidationError) as refusal:
        send_again(now(message))

    assert refusal.value.code == "forgotten"


@pytest.mark.parametrize("state", ["queued", "sent"])
def test_what_did_not_fail_is_not_sent_again(greet, provider, run_jobs, state):
    message = greet()
    if state == "sent":
        run_jobs()

    with pytest.raises(ValidationError) as refusal:
        send_again(now(message))

    assert refusal.value.code == "not_failed"


def test_two_who_press_the_button_at_once_send_one(greet, provider, run_jobs):
    provider.fail("refused", lasting=True, times=1)
    message = greet()
    run_jobs()
    seen = [now(message), now(message)]

    send_again(seen[0])
    with pytest.raises(ValidationError):
        send_again(seen[1])
    run_jobs()

    assert len(provider.sent) == 1


# --- Tests of a text -----------------------------------------------------------------------------
def test_a_sample_shows_the_tenants_text_with_sample_words(acme, greeting, provider, run_jobs):
    set_message_text("greeting", "email", "nb", subject="Hei", text="{business} {level}")

    message = queue_sample("greeting", channel="email", language="nb", to="boss@example.org")
    run_jobs()

    ((to, composed),) = provider.sent
    assert (to, composed.text) == ("boss@example.org", "Acme Gold")
    assert now(message).sample


def test_samples_are_counted(acme, greeting, provider):
    for _n in range(5):
        queue_sample("greeting", channel="sms", language="en", to="+4790000001")

    with pytest.raises(TooManyTries):
        queue_sample("greeting", channel="sms", language="en", to="+4790000001")


# --- Tidying up ----------------------------------------------------------------------------------
def test_expired_messages_are_blanked_in_every_tenant(greet, provider, run_jobs, rival):
    provider.fail("refused", lasting=True)
    failed = greet()
    run_jobs()
    never_looked_at = greet()
    fresh = greet()
    Message.objects.filter(pk=fresh.pk).update(expires_at=NOON + timedelta(days=3))
    with in_tenant(rival):
        queue_message(rival, "greeting", channel="email", to="r@example.org", level="Gold")

    with clock.frozen(NOON + timedelta(days=1)):
        assert blank_expired() == 3
        assert blank_expired() == 0

    assert (now(failed).reason, now(failed).to, now(failed).seed) == ("refused", "", "")
    late = now(never_looked_at)
    assert (late.state, late.reason, late.to, late.words) == ("failed", "expired", "", {})
    assert now(fresh).to == "ada@example.org"
    with all_tenants():
        assert not Message.objects.filter(to="r@example.org").exists()


def test_old_notes_go_and_young_ones_stay(greet, provider, run_jobs, settings):
    old = greet()
    run_jobs()
    with clock.frozen(NOON + timedelta(days=60)):
        young = greet()
        run_jobs()

    with clock.frozen(NOON + timedelta(days=91)):
        assert delete_old_messages(90) == 1

    assert list(Message.objects.values_list("pk", flat=True)) == [young.pk] != [old.pk]


def test_the_tick_does_both(greet, provider, run_jobs, settings):
    greet()
    run_jobs()
    left = greet()
    Message.objects.filter(pk=left.pk).update(
        created_at=NOON + timedelta(days=settings.MESSAGE_DAYS)
    )

    with clock.frozen(NOON + timedelta(days=settings.MESSAGE_DAYS, seconds=1)):
        from events.messages.jobs import tidy

        tidy(None)

    assert (Message.objects.get().pk, now(left).state) == (left.pk, "failed")


def test_a_tenant_that_goes_takes_its_messages_along(greeting):
    other = TenantFactory(code="other")
    with in_tenant(other):
        queue_message(other, "greeting", channel="email", to="x@example.org", level="Gold")

    other.delete()

    with all_tenants():
        assert not Message.objects.filter(tenant_id=other.pk).exists()
