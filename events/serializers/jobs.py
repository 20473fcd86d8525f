"""The shape of background jobs in the house API."""

from rest_framework import serializers

from events.models import Job


class JobSerializer(serializers.ModelSerializer):
    """A piece of background work, how far it is, and what went wrong last."""

    ids = serializers.DictField(source="args", help_text="What it works on.")
    attempts = serializers.IntegerField(
        help_text="Begun so far, since it was ordered or last run again by hand."
    )
    run_at = serializers.DateTimeField(help_text="The next try, while it is waiting.")
    error_kind = serializers.CharField(help_text="The last error, in one word; empty: none.")
    actor = serializers.CharField(
        source="actor_kind", help_text="Who ordered it: staff, service, customer or system."
    )

    class Meta:
        model = Job
        fields = (
            "id",
            "name",
            "ids",
            "state",
            "attempts",
            "run_at",
            "progress_done",
            "progress_total",
            "progress_note",
            "error_kind",
            "error",
            "cancel_requested",
            "actor",
            "actor_label",
            "request_id",
            "created_at",
            "started_at",
            "finished_at",
        )
        read_only_fields = fields
