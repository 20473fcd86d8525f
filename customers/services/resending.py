"""A message that is sent again registers nobody twice, though it carries no key: it is known by
its content."""

import uuid
from contextlib import suppress

import orjson
from django.db import IntegrityError, transaction

from customers.models import Fingerprint
from customers.services.changes import CustomerGone
from customers.services.updating import get_customer
from tenancy import secrets
from tenancy.integrity import violated_constraint
from tenancy.scoping import current_tenant
from tenancy.services import take_customer_numbers

PURPOSE = "message"
# Between two looks the customer of a message may be deleted, or somebody else may send it too.
LOOKS = 3


class SentTooOften(Exception):
    """The same message is registered and deleted again and again at this very moment."""


def register_once(message, register, *, customer_id=None):
    """The customer whom a message registers: (Customer, whether it was registered by this call).

    `message` is what was sent, as JSON can hold it; the order of its keys does not count.
    `register(id=…, number=…)` registers and returns the customer; what it raises passes through,
    and leaves nothing behind: a refused message is not remembered. Of the same message sent twice
    at once one registers and the other waits for it: the constraint decides. `customer_id` is the
    UUID that the customer shall have, None for a new one.

    The customer is answered as it now is, whatever was done to it since; of one that was merged the
    survivor. A message whose customer was erased is as good as never sent. Raises SentTooOften.
    """
    digests = _digests(message)
    for _look in range(LOOKS):
        known = Fingerprint.objects.filter(digest__in=digests).first()
        if known is not None:
            with suppress(CustomerGone):
                return get_customer(known.customer_id), False
            continue
        # Before the transaction: the tenant's row would stay locked until its end.
        number = take_customer_numbers(current_tenant())
        new_id = customer_id or uuid.uuid4()
        try:
            with transaction.atomic():
                _remember(digests[0], new_id)
                return register(id=new_id, number=number), True
        except _SentMeanwhile:
            continue
    raise SentTooOften


class _SentMeanwhile(Exception):
    """Somebody else has registered the same message."""


def _remember(digest, customer_id):
    """Claim the message; waits for whoever is claiming it now. The customer may come later: the
    database looks for it at the end of the transaction."""
    try:
        Fingerprint.objects.create(tenant=current_tenant(), digest=digest, customer_id=customer_id)
    except IntegrityError as error:
        if violated_constraint(error) != "fingerprint_unique":
            raise
        raise _SentMeanwhile from error


def _digests(message):
    """The digests that the message has or had, the present one first: one for each pepper."""
    content = orjson.dumps(message, default=str, option=orjson.OPT_SORT_KEYS).decode()
    newest_first = sorted(secrets.peppers(), reverse=True)
    return [secrets.digest(content, pepper=number, purpose=PURPOSE) for number in newest_first]
