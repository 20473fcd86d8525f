"""The same POST sent again happens once, also when twenty arrive together."""

import threading
from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection

from customers.models import Customer
from events.models import IdempotencyKey
from tenancy import clock
from tenancy.scoping import all_tenants
from tests.api_client import Api
from tests.factories import TenantFactory, make_token

KEY = {"Idempotency-Key": "till-7-receipt-42"}
BODY = {"first_name": "Ada", "external_id": "x-1"}


@pytest.mark.django_db
def test_the_answer_comes_again(admin):
    first = admin.post("customers/", BODY, headers=KEY)

    second = admin.post("customers/", BODY, headers=KEY)

    assert first.status_code == second.status_code == 201
    assert second.content == first.content
    assert second["Location"] == first["Location"]
    assert second["ETag"] == first["ETag"]
    assert second["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first
    with all_tenants():
        assert Customer.objects.count() == 1


@pytest.mark.django_db
def test_without_a_key_it_happens_again(admin):
    body = {"first_name": "Ada"}

    ids = {admin.post("customers/", body).json()["id"] for _n in range(2)}

    assert len(ids) == 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("customers/", {"first_name": "Grace"}),
        ("customers/", {**BODY, "last_name": "L"}),
        ("customers/batch/", {"create": [BODY]}),
    ],
)
def test_the_key_of_another_request_is_refused(admin, path, body):
    admin.post("customers/", BODY, headers=KEY)

    answer = admin.post(path, body, headers=KEY)

    assert answer.status_code == 422
    with all_tenants():
        assert Customer.objects.count() == 1


@pytest.mark.django_db
def test_a_refused_attempt_reserves_nothing(admin):
    refused = admin.post("customers/", {"first_name": 5}, headers=KEY)

    corrected = admin.post("customers/", {"first_name": "Ada"}, headers=KEY)

    assert refused.status_code == 400
    assert corrected.status_code == 201
    assert "Idempotent-Replayed" not in corrected


@pytest.mark.django_db
def test_a_refused_attempt_leaves_nothing_behind(admin):
    admin.post("customers/", BODY)

    answer = admin.post("customers/", {**BODY, "first_name": "Grace"}, headers=KEY)

    assert answer.status_code == 409
    with all_tenants():
        assert Customer.objects.count() == 1
        assert not IdempotencyKey.objects.exists()


@pytest.mark.django_db
def test_a_running_request_is_waited_for(admin, tenant):
    with all_tenants():
        admin.post("customers/", BODY, headers=KEY)
        IdempotencyKey.objects.update(done=False, lease_until=clock.now() + timedelta(minutes=1))

    answer = admin.post("customers/", BODY, headers=KEY)

    assert answer.status_code == 409
    assert int(answer["Retry-After"]) >= 1


@pytest.mark.django_db
def test_keys_belong_to_the_account_not_to_the_token(tenant, rival):
    from tenancy.services import create_token
    from tests.factories import StaffMemberFactory

    member = StaffMemberFactory(tenant=tenant)
    tokens = [create_token(tenant, holder="staff", staff=member)[1] for _n in range(2)]
    first = Api(tokens[0]).post("customers/", BODY, headers=KEY)

    renewed = Api(tokens[1]).post("customers/", BODY, headers=KEY)
    colleague = Api(make_token(tenant)).post("customers/", {"first_name": "B"}, headers=KEY)
    neighbour = Api(make_token(rival)).post("customers/", BODY, headers=KEY)

    assert renewed.content == first.content
    assert colleague.status_code == neighbour.status_code == 201


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "ø", "a\tb"])
def test_a_key_that_cannot_be_one_is_refused(admin, tenant, key):
    answer = admin.post("customers/", BODY, headers={"Idempotency-Key": key})

    assert answer.status_code == 400


@pytest.mark.django_db
def test_a_wrong_code_stays_counted_under_a_key(admin, acme, sent_sms):
    from customers.models import ActivationCode
    from customers.services import send_activation
    from tests.factories import CustomerFactory

    customer = CustomerFactory(tenant=acme, status="new", phones=[{"given": "90000001"}])
    send_activation(customer, method="sms")
    assert len(sent_sms()) == 1
    path = f"customers/{customer.pk}/activate/"

    answers = [
        admin.post(path, {"code": "x"}, headers={"Idempotency-Key": f"k{n}"}) for n in range(3)
    ]

    assert {answer.status_code for answer in answers} == {400}
    assert ActivationCode.objects.get().tries == 3


@pytest.mark.django_db
def test_answers_are_kept_with_the_customer_they_speak_of(admin):
    answer = admin.post("customers/", BODY, headers=KEY)

    with all_tenants():
        row = IdempotencyKey.objects.get()
    assert str(row.subject_id) == answer.json()["id"]
    assert row.expires_at > clock.now() + timedelta(hours=24)


@pytest.mark.django_db
def test_an_erased_customer_takes_the_answers_along(admin):
    created = admin.post("customers/", BODY, headers=KEY).json()

    admin.post(f"customers/{created['id']}/anonymise/", headers={"Idempotency-Key": "erase"})

    with all_tenants():
        assert not IdempotencyKey.objects.filter(body__contains="Ada").exists()


@pytest.mark.django_db
def test_a_search_is_never_kept(admin, ada):
    admin.post("customers/search/", {"q": "ada"}, headers=KEY)

    with all_tenants():
        assert not IdempotencyKey.objects.exists()


def at_once(send, n=20):
    """Run `send(number)` in n threads that start together."""
    barrier = threading.Barrier(n)

    def run(number):
        try:
            barrier.wait()
            send(number)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[number]) for number in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.django_db(transaction=True)
def test_twenty_at_once_make_one():
    token = make_token(TenantFactory(code="acme"))
    answers = []

    at_once(
        lambda n: answers.append(Api(token).post("customers/", {"first_name": "Ada"}, headers=KEY))
    )

    statuses = Counter(answer.status_code for answer in answers)
    with all_tenants():
        assert Customer.objects.count() == 1
    assert statuses[201] >= 1
    assert statuses[201] + statuses[409] == 20
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1


@pytest.mark.django_db(transaction=True)
def test_twenty_at_once_without_the_guard_make_twenty():
    token = make_token(TenantFactory(code="acme"))

    at_once(lambda n: Api(token).post("customers/", {"first_name": "Ada"}))

    with all_tenants():
        assert Customer.objects.count() == 20


@pytest.mark.django_db(transaction=True)
def test_twenty_registrations_of_one_external_id_make_one():
    token = make_token(TenantFactory(code="acme"))
    statuses = Counter()

    def send(n):
        headers = {"Idempotency-Key": f"key-{n}"}
        statuses[Api(token).post("customers/", BODY, headers=headers).status_code] += 1

    at_once(send)

    with all_tenants():
        assert Customer.objects.count() == 1
    assert statuses == {201: 1, 409: 19}


@pytest.mark.django_db(transaction=True)
def test_twenty_upserts_of_one_external_id_make_one():
    token = make_token(TenantFactory(code="acme"))
    statuses = Counter()

    def send(n):
        item = {"external_id": "x-1", "first_name": f"Ada {n}"}
        answer = Api(token).post("customers/batch/", {"upsert": [item]})
        statuses[answer.json()["results"][0]["status"]] += 1

    at_once(send)

    with all_tenants():
        assert Customer.objects.get().version == 20
    assert statuses == {201: 1, 200: 19}
