"""Stands in for Django's admin app, so that the back office is one site of ours."""

from django.contrib.admin.apps import AdminConfig


class RegularsAdminConfig(AdminConfig):
    # A function that answers the one site: asking for it imports the admins that register there.
    default_site = "tenancy.admin.site.the_site"


def environment_label(request):
    """The label in the header: nothing in production."""
    return None
