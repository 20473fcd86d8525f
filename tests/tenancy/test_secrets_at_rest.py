"""A copy of the database is no key ring: nothing in it opens anything."""

import re
from datetime import UTC, datetime

import pytest
from django.db import connection

from customers.models import ActivationCode
from customers.services import codes, send_activation, set_customer_password
from customers.services.codes import Purpose, send_code
from tenancy import clock, secrets
from tenancy.services import create_token, principal_of
from tests.factories import PASSWORD, CustomerFactory

# A round instant: six digits of a time stamp must not look like a code.
NOON = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)
N = 100


def dump():
    """Every cell of every table, as text."""
    cells = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            cells += [str(cell) for row in cursor.fetchall() for cell in row if cell is not None]
    return "\n".join(cells)


@pytest.fixture
def made(monkeypatch):
    """The plain texts of the secrets that were made."""
    texts = []
    for name in ("random_code", "random_token"):
        real = getattr(secrets, name)

        def spy(*args, real=real):
            texts.append(real(*args))
            return texts[-1]

        monkeypatch.setattr(secrets, name, spy)
    return texts


@pytest.mark.django_db
def test_of_300_secrets_none_stands_in_the_database(acme, made, settings, tmp_path):
    settings.SMS_FILE_PATH = str(tmp_path)
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
            send_code(customer, Purpose.RESET_PASSWORD, target=f"n{n}@example.org")
        set_customer_password(customer, PASSWORD)
        text = dump()

    assert len(made) >= 3 * N
    assert ActivationCode.objects.count() == 2 * N
    found = [secret for secret in made if re.search(rf"(?<![0-9a-f]){secret}(?![0-9a-f])", text)]
    assert found == []
    assert PASSWORD not in text


@pytest.mark.django_db
def test_the_dump_would_show_a_secret_that_is_stored(acme, made, monkeypatch, settings, tmp_path):
    settings.SMS_FILE_PATH = str(tmp_path)
    monkeypatch.setattr(codes, "_digest", lambda tenant_id, purpose, secret, pepper=None: secret)
    customer = CustomerFactory(tenant=acme, status="new", phones=[{"given": "900 10 001"}])

    with clock.frozen(NOON):
        send_activation(customer, method="sms")

    assert re.search(rf"(?<![0-9a-f]){made[-1]}(?![0-9a-f])", dump())


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
