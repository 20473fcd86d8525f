from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "events"
    verbose_name = "History"

    def ready(self):
        from events.jobs import housekeeping  # noqa: F401  (registers the jobs)
        from events.webhooks import jobs, kinds  # noqa: F401  (registers the jobs)

        kinds.register()
