"""That somebody looked at a customer, as it stays on record."""

from customers.models import Customer
from events.services import record


def write_read(look):
    """Write an `events.reading.Look` into the customer's history and as an event of ids.

    Nothing is written of who is gone or was anonymised meanwhile: there is nobody left whom
    somebody could have looked at, and an exact time would stay behind an erasure that cut all
    others. Both wait for the row, so that one sees the other.
    """
    there = Customer.with_merged.select_for_update(no_key=True).order_by()
    if not there.filter(pk=look.subject_id, anonymised_at=None).values_list("pk"):
        return
    record(
        look.tenant,
        "customer.read",
        "customer",
        look.subject_id,
        changes={"way": [None, look.way], "what": [None, look.what]},
        data={
            "way": look.way,
            "what": look.what,
            "actor_kind": look.by.actor.kind,
            "actor": look.by.actor.id and str(look.by.actor.id),
        },
    )
