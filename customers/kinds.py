"""The kinds of events about customers."""

from events.kinds import READ, Kind, register_kinds

BOTH = {"survivor": "the customer that stays", "merged": "the customer that went into it"}
LOOK = {
    "way": "the way in: office, api, or the name of a wire",
    "what": "what was asked for",
    "actor_kind": "who asked: staff, service or customer",
    "actor": "their id",
}
COUNTS = {
    "lines": "customers in the file",
    "created": "new ones",
    "updated": "changed ones",
    "unchanged": "known, nothing new",
    "skipped": "known, left alone",
    "refused": "not taken",
}


def register():
    """Add our kinds; called once when the app is ready."""
    register_kinds(
        Kind("customer.registered", "customer", "A customer is new."),
        Kind("customer.updated", "customer", "Something of the record changed."),
        Kind("customer.activated", "customer", "The customer may sign in and earn."),
        Kind("customer.deactivated", "customer", "The customer may no longer do so; reversible."),
        Kind("customer.anonymised", "customer", "Everything personal was erased; the shell stays."),
        Kind("customer.deleted", "customer", "The record is gone."),
        Kind("customer.merged", "customer", "Two records became one.", BOTH),
        Kind("customer.unmerged", "customer", "A merge was undone.", BOTH),
        Kind("customer.revealed", "customer", "Masked contact data was shown to a seller."),
        Kind("customer.exported", "customer", "Everything held about the customer was handed out."),
        Kind(
            READ,
            "customer",
            "Somebody looked at the customer. Told only to who names it.",
            LOOK,
            quiet=True,
        ),
        Kind("customers.exported", "tenant", "A list of customers was exported."),
        Kind(
            "import.started",
            "import",
            "An import began to write; its customers have no events of their own.",
            {"rows": "rows in the file"},
        ),
        Kind("import.completed", "import", "An import is through.", COUNTS),
    )
