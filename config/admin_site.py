"""Stands in for Django's admin app, so that the back office is one site of ours."""

from django.contrib import admin
from django.contrib.admin.apps import AdminConfig


class RegularsAdminConfig(AdminConfig):
    # A function that answers the one site: asking for it imports the admins that register there.
    default_site = "tenancy.admin.site.the_site"

    def ready(self):
        super().ready()
        # Django's own groups grant permissions; ours come from the permission table alone.
        admin.site.unregister(self.apps.get_model("auth", "Group"))


def environment_label(request):
    """The label in the header: nothing in production."""
    return None
