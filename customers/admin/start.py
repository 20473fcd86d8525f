"""The page that staff begin with: find a customer, or go where work is."""

from django.utils.translation import gettext as _

from customers.admin.dashboard import dashboard_of
from customers.models import Customer
from tenancy.admin.navigation import link

N_LATEST = 8


def start_page(request, context):
    """What the start page shows; nothing on it counts a large table each time."""
    user = request.user
    context["may_search"] = user.has_perm("customers.search")
    context["shortcuts"] = list(shortcuts(request))
    if request.tenant is not None:
        context["dashboard"] = dashboard_of(user)
    if context["may_search"]:
        context["latest"] = (
            Customer.objects.filter(hidden=False)
            .order_by("-created_at", "-id")
            .only("id", "number", "name", "anonymised_at", "created_at")[:N_LATEST]
        )
    return context


def shortcuts(request):
    """The links that this person may follow, most used first."""
    user = request.user
    if user.has_perm("customers.add_customer"):
        yield link(_("Register a customer"), "person_add", "customers_customer_add")
    if user.has_perm("customers.view_customer"):
        yield link(_("All customers"), "group", "customers_customer_changelist")
    if user.has_perm("imports.create"):
        yield link(_("Import customers"), "upload_file", "customers_importrun_add")
    if user.has_perm("groups.view_group"):
        yield link(_("Groups"), "groups", "groups_group_changelist")
    if user.has_perm("tenancy.view_accesstoken"):
        yield link(_("Access tokens"), "key", "tenancy_accesstoken_changelist")
    if user.has_perm("tenancy.view_staffmember"):
        yield link(_("Staff"), "badge", "tenancy_staffmember_changelist")
    if user.is_superuser:
        yield link(_("Tenants"), "apartment", "tenancy_tenant_changelist")
