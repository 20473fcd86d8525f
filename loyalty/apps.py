from django.apps import AppConfig

# Loaded before anything is ready: forms and serializers are built from the whole table of settings.
from loyalty import programme  # noqa: F401


class LoyaltyConfig(AppConfig):
    name = "loyalty"
    verbose_name = "Loyalty"

    def ready(self):
        from django.db.models.signals import post_migrate

        from loyalty import guards, joining, kinds, messages, privacy
        from loyalty import jobs as jobs  # registers them

        post_migrate.connect(guards.after_migrate, sender=self, dispatch_uid="loyalty.guards")

        joining.join_hooks()
        kinds.register()
        messages.register()
        privacy.register()
