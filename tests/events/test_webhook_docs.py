"""What docs/webhooks.md tells receivers is so."""

import re

import pytest
from django.conf import settings

from customers.services import register_customer
from events.outbound import circuits
from events.webhooks.managing import OVERLAP_HOURS, create_endpoint, rotate_secret
from events.webhooks.queueing import queue_deliveries
from events.webhooks.sending import DELAYS, send_due
from tests.events.servers import OK

TEXT = (settings.BASE_DIR / "docs" / "webhooks.md").read_text("utf-8")


@pytest.fixture(scope="module")
def verify():
    """The fifteen lines, as somebody would copy them."""
    names = {}
    exec(re.search(r"```python\n(.*?)```", TEXT, re.DOTALL)[1], names)
    return names["verify"]


@pytest.mark.django_db
@pytest.mark.usefixtures("names", "trying_out")
def test_the_fifteen_lines_verify_what_we_send(acme, neighbour, verify):
    receiver = neighbour(lambda request, connection: OK)
    endpoint, old = create_endpoint(url=receiver.url, events=["*"])
    new = rotate_secret(endpoint)
    customer = register_customer(first_name="Ada")
    queue_deliveries(endpoint.pk)
    send_due(endpoint.pk)

    got = receiver.requests[0]
    for secret in (old, new):
        assert verify(got.headers, got.content, secret)["data"]["id"] == str(customer.pk)
    with pytest.raises(ValueError, match="signature"):
        verify(got.headers, got.content + b" ", new)
    with pytest.raises(ValueError, match="too old"):
        verify(got.headers | {"webhook-timestamp": "1700000000"}, got.content, new)


def test_the_figures_are_those_of_the_code():
    words = {60: "min", 3_600: "h", 1: "s"}
    told = []
    for seconds in DELAYS:
        unit = max(one for one in words if seconds % one == 0 and seconds // one >= 1)
        told.append(f"{seconds // unit} {words[unit]}")

    assert f"after {', '.join(told[:-1])} and {told[-1]}" in TEXT
    assert len(DELAYS) + 1 == 11
    assert f"For {OVERLAP_HOURS} hours" in TEXT
    assert f"for {circuits.FIRST_PAUSE.seconds} seconds" in TEXT
    assert f"up to {circuits.LONGEST_PAUSE.seconds // 60} minutes" in TEXT
