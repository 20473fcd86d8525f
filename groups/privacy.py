"""The lines of the groups' tables in the registry of personal data."""

from customers.privacy import GOES, KEPT, lines, registry, shown

GROUP = {
    "type": "object",
    "properties": {"code": {"type": "string"}, "title": {"type": "string"}},
    "required": ["code", "title"],
}
TEXT_OR_NULL = {"type": ["string", "null"]}


def _group(subscription):
    return {"code": subscription.group.code, "title": subscription.group.title}


def register():
    """Add our tables; called once when the app is ready."""
    registry.add_table(
        "groups.Group",
        lines("id tenant code title description subscribable", KEPT, exported=False),
        lines("subscribe_text parent created_at updated_at", KEPT, exported=False),
        purpose="what groups there are",
        limit="with the tenant",
    )
    registry.add_table(
        "groups.Subscription",
        lines("id code", GOES, personal="customer"),
        lines("tenant customer", GOES, exported=False),
        # To be in a group tells something about a person, so the membership goes as a whole.
        shown("group", GOES, "group", _group, GROUP),
        lines("subscribed at source wording_version created_at", GOES, personal="customer"),
        lines("custom_data1 custom_data2 custom_data3 custom_data4", GOES, personal="customer"),
        shown("store", GOES, "store", lambda row: row.store and row.store.code, TEXT_OR_NULL),
        lines("actor_kind", GOES),
        lines("actor_id actor_label", GOES, personal="staff", exported=False),
        owner="customer",
        whole_row=True,
        section="groups",
        order=("group__code", "pk"),
        purpose="which groups the customer is in, and what was agreed to there",
        limit="until the customer leaves the group, is anonymised or deleted",
    )
