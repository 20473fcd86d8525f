from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "events"
    verbose_name = "History"

    def ready(self):
        # Importing them registers the jobs.
        from events import reading
        from events.jobs import housekeeping  # noqa: F401
        from events.messages import jobs as message_jobs  # noqa: F401
        from events.webhooks import disabling, kinds
        from events.webhooks import jobs as webhook_jobs  # noqa: F401

        reading.listen()
        kinds.register()
        disabling.register_messages()
