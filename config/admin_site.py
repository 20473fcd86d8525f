"""Stands in for Django's admin app, so that the back office is one site of ours."""

from django.contrib.admin.apps import AdminConfig


class RegularsAdminConfig(AdminConfig):
    default_site = "unfold.sites.UnfoldAdminSite"


def environment_label(request):
    """The label in the header: nothing in production."""
    return None
