from django.apps import AppConfig


class GroupsConfig(AppConfig):
    name = "groups"
    verbose_name = "Groups"

    def ready(self):
        from groups import bulk_deeds, joining, kinds, privacy

        joining.join_hooks()
        bulk_deeds.offer_bulk_deeds()
        kinds.register()
        privacy.register()
