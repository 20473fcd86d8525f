from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "events"
    verbose_name = "History"

    def ready(self):
        # Importing them registers the jobs.
        from events.jobs import housekeeping  # noqa: F401
        from events.messages import jobs  # noqa: F401
