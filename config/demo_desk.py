"""What waits for staff in the demonstration: people who are there twice, requests about data, an
import of which two rows were refused.

The people stand in demo_twins.json, a pair after the other, invented like all the others. Requests
and import are dated by the day on which they are made, once: a demonstration in which everything is
long overdue shows little.
"""

import json
import uuid
from datetime import timedelta
from pathlib import Path

from customers.imports.ordering import order_import
from customers.imports.runs import hold_run, work_on
from customers.imports.storing import keep_file, open_file
from customers.models import Customer, DataRequest, ImportRun, Tombstone
from customers.services import find_duplicates, not_duplicates, register_customer
from customers.services.data_requests import confirm_identity, open_data_request
from tenancy import clock

PAIRS = json.loads((Path(__file__).parent / "demo_twins.json").read_text("utf-8"))
# Kind, how it came in, how many days ago, how the identity was checked (if it was).
REQUESTS = (
    ("access", "email", 27, ""),
    ("erase", "in_person", 12, "document"),
)
FILE_NAME = "book-fair.csv"
FILE = """Customer number;First name;Last name;E-mail;Phone;Birth date
fair-1;Ellen;Strand;ellen.strand@example.com;92 33 44 55;14.03.1979
fair-2;Henrik;Solberg;henrik.solberg at example.com;93 44 55 66;02.11.1988
fair-3;Ragnhild;Vik;ragnhild.vik@example.com;94 55 66 77;
fair-4;Petter;Aas;petter.aas@example.com;95 66 77 88;31.02.1990
fair-5;Live;Nygård;live.nygard@example.com;96 77 88 99;23.06.1995
"""


def load_twins(namespace, stores, last_day):
    """The people who are there twice, and which of them are not one person; how many were made."""
    known = set(Customer.with_merged.values_list("pk", flat=True))
    known |= set(Tombstone.objects.values_list("pk", flat=True))
    n_made = 0
    for number, pair in enumerate(PAIRS):
        made = []
        for side, person in enumerate(pair["people"]):
            customer_id = uuid.uuid5(namespace, f"pair {number}, {side}")
            if customer_id not in known:
                profile = person | {"home_store": stores[person["home_store"]]}
                days = 90 * (1 - side) + 3 * number + 2
                with clock.frozen(last_day - timedelta(days=days)):
                    made.append(register_customer(id=customer_id, **profile))
        if len(made) == 2 and "not_the_same" in pair:
            not_duplicates(*made, reason=pair["not_the_same"])
        n_made += len(made)
    find_duplicates()
    return n_made


def load_requests():
    """One that has to be answered within days, and one that is on its way; where there is none."""
    if DataRequest.objects.exists():
        return
    people = Customer.objects.identifiable().filter(kind="person", external_id=None)
    for customer, (kind, channel, days, identity) in zip(
        people.order_by("number")[4:], REQUESTS, strict=False
    ):
        with clock.frozen(clock.now() - timedelta(days=days)):
            request = open_data_request(customer, kind=kind, channel=channel)
            if identity:
                confirm_identity(request, identity)


def load_import():
    """The list of a book fair, of which two rows say what cannot be; where nothing was imported."""
    if ImportRun.objects.exists():
        return
    run = order_import(keep_file([FILE.encode()]), file_name=FILE_NAME, options={"dates": "DMY"})
    # Here and now, so that it is there also where no worker runs; the one that it was ordered
    # from finds nothing left to do.
    hold_run(run)
    with open_file(run.file, FILE_NAME) as file:
        work_on(run, file)
