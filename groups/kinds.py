"""The kinds of events about groups. Who joins and leaves is a change of the customer."""

from events.kinds import Kind, register_kinds


def register():
    """Add our kinds; called once when the app is ready."""
    register_kinds(
        Kind("group.created", "group", "A group is new."),
        Kind("group.updated", "group", "A group changed."),
        Kind("group.deleted", "group", "A group is gone; its members have left it."),
    )
