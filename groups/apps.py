from django.apps import AppConfig


class GroupsConfig(AppConfig):
    name = "groups"
    verbose_name = "Groups"

    def ready(self):
        from groups import joining, kinds, privacy

        joining.join_hooks()
        kinds.register()
        privacy.register()
