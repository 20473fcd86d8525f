"""A copy of the database is no key ring: nothing in it opens anything."""

import re
from datetime import UTC, datetime

import pytest
from django.db import connection

from customers.models import ActivationCode
from customers.services import codes, send_activation, set_customer_password
from events.models import Message
from tenancy import clock, secrets
from tenancy.services import create_token, principal_of
from tests.factories import PASSWORD, CustomerFactory

# A round instant; what a library stamps with the real time loses its fraction in `dump`: six digits
# of a time stamp must not look like a code.
FRACTION = re.compile(r"(?<=:[0-5]\d)\.\d{1,6}")
NOON = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)
N = 100


def dump():
    """Every cell of every table, as text."""
    cells = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            cells += [str(cell) for row in cursor.fetchall() for cell in row if cell is not None]
    return FRACTION.sub("", "\n".join(cells))


@pytest.fixture
def made(monkeypatch):
    """The plain texts of the secrets that were made."""
    texts = []
    for name in ("derived_code", "derived_token", "random_token"):
        real = getattr(secrets, name)

        def spy(*args, real=real):
            texts.append(real(*args))
            return texts[-1]

        monkeypatch.setattr(secrets, name, spy)
    return texts


@pytest.mark.django_db
def test_of_300_secrets_none_stands_in_the_database(acme, made, sent_sms, sent_mail):
    with clock.frozen(NOON):
        for n in range(N):
            customer = CustomerFactory(
                tenant=acme,
                status="new",
                emails=[{"address": f"n{n}@example.org"}],
                phones=[{"given": f"900 10 {n:03d}"}],
            )
            create_token(acme, holder="service", scopes={"customers:read"})
            send_activation(customer, method="sms")
            send_activation(customer, method="email")
        set_customer_password(customer, PASSWORD)
        on_their_way = dump()
        assert len(sent_sms()) == len(sent_mail()) == N
        text = on_their_way + dump()

    assert len(made) >= 3 * N
    assert ActivationCode.objects.count() == 2 * N
    assert standing_in(text, made) == []
    assert all(any(code in sms["text"] for sms in sent_sms()) for code in codes_of(made))
    assert PASSWORD not in text


def standing_in(text, secrets_made):
    return [one for one in secrets_made if re.search(rf"(?<![0-9a-f]){one}(?![0-9a-f])", text)]


def codes_of(secrets_made):
    return [one for one in secrets_made if re.fullmatch(r"\d{6}", one)]


@pytest.mark.django_db
def test_the_dump_would_show_a_secret_that_is_stored(acme, made, monkeypatch, sent_sms):
    monkeypatch.setattr(codes, "_digest", lambda tenant_id, purpose, secret, pepper=None: secret)
    customer = CustomerFactory(tenant=acme, status="new", phones=[{"given": "900 10 001"}])

    with clock.frozen(NOON):
        send_activation(customer, method="sms")
        sent_sms()

    assert standing_in(dump(), codes_of(made)) == codes_of(made) != []


@pytest.mark.django_db
def test_nothing_of_a_message_is_left_but_the_note_that_it_was_sent(acme, sent_sms):
    customer = CustomerFactory(tenant=acme, status="new", phones=[{"given": "900 10 001"}])
    send_activation(customer, method="sms")
    waiting = Message.objects.get()

    (sms,) = sent_sms()

    sent = Message.objects.get()
    assert (waiting.to, sms["to"]) == ("+4790010001", "+4790010001")
    assert (sent.state, sent.to, sent.words, sent.seed) == ("sent", "", {}, "")


@pytest.mark.django_db
def test_tokens_have_more_than_128_bits_and_never_repeat(acme):
    plain = {create_token(acme, holder="service", scopes={"customers:read"})[1] for _ in range(50)}

    assert len(plain) == 50
    assert {len(text) for text in plain} == {43}  # 32 bytes in base 64


@pytest.mark.django_db
def test_a_pepper_that_is_no_longer_known_ends_its_tokens(acme, settings):
    settings.TOKEN_PEPPERS = {1: "old", 2: "new"}
    _row, plain = create_token(acme, holder="service", scopes={"customers:read"})

    settings.TOKEN_PEPPERS = {3: "newest"}

    assert principal_of(plain) is None
