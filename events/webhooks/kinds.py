"""The kind of event that webhooks write about themselves."""

from events.kinds import Kind, register_kinds


def register():
    """Add it; called once when the app is ready."""
    register_kinds(
        Kind(
            "webhook.disabled",
            "webhook",
            "A webhook was switched off because its receiver failed or asked for it.",
            {"reason": "failing or gone"},
        )
    )
