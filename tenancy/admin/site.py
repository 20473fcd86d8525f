"""The one site of the back office: signing in, the tenant switch, the own password."""

from functools import cache

from django.conf import settings
from django.contrib import messages
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.sites import UnfoldAdminSite

from events.entering import record_operator_entry
from tenancy.addresses import client_address
from tenancy.admin.signing_in import OwnPasswordForm, SignInForm
from tenancy.entering import find_tenant, may_enter, memberships_of
from tenancy.models import Tenant
from tenancy.scoping import in_tenant
from tenancy.services.users import update_user

SESSION_TENANT = "tenant"


class LabelledAutocomplete(AutocompleteJsonView):
    """Autocomplete whose labels are the admin's own: rows name themselves by number only."""

    def serialize_result(self, obj, to_field_name):
        result = super().serialize_result(obj, to_field_name)
        label = getattr(self.model_admin, "autocomplete_label", None)
        return {**result, "text": label(obj)} if label else result


def nothing_here(request, **parts):
    raise Http404


class RegularsSite(UnfoldAdminSite):
    """Django's admin site in the tenant of the session (see AdminTenantMiddleware)."""

    index_title = gettext_lazy("Start")
    enable_nav_sidebar = True

    def __init__(self, name="admin"):
        super().__init__(name)
        self.login_form = SignInForm
        self.disable_action("delete_selected")

    def extra_urls(self):
        return [
            path("tenant/", self.admin_view(self.choose_tenant), name="choose_tenant"),
            path("language/", self.admin_view(self.choose_language), name="choose_language"),
            # Django's way from a row to its page on the site looks into every tenant; we have none.
            path("r/<path:rest>", self.admin_view(nothing_here)),
        ]

    def each_context(self, request):
        context = super().each_context(request)
        user = request.user
        context["languages"] = [("", _("As the browser asks")), *settings.LANGUAGES]
        if self.has_permission(request):
            context["tenant"] = request.tenant
            context["memberships"] = memberships_of(user)
            context["may_switch"] = user.is_superuser or len(context["memberships"]) > 1
        return context

    def autocomplete_view(self, request):
        return LabelledAutocomplete.as_view(admin_site=self)(request)

    def choose_tenant(self, request):
        """Show the tenants that the user may enter; a POST enters one of them."""
        if request.method == "POST":
            return self._enter(request)
        if request.user.is_superuser:
            tenants = Tenant.objects.filter(active=True)
        else:
            tenants = [membership.tenant for membership in memberships_of(request.user)]
        context = {
            **self.each_context(request),
            "title": _("Choose a tenant"),
            "tenants": tenants,
        }
        request.current_app = self.name
        return render(request, "admin/choose_tenant.html", context)

    def choose_language(self, request):
        """Keep the language that a POST names for the user; empty: as the browser asks."""
        if request.method != "POST":
            raise Http404
        try:
            update_user(request.user, language=request.POST.get("language", ""))
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        here = request.POST.get("next", "")
        if not url_has_allowed_host_and_scheme(here, {request.get_host()}, request.is_secure()):
            here = reverse("admin:index", current_app=self.name)
        return redirect(here)

    def _enter(self, request):
        tenant = find_tenant(request.POST.get("tenant"))
        if not may_enter(request.user, tenant):
            raise PermissionDenied
        if request.user.membership_in(tenant) is None and tenant != request.tenant:
            with in_tenant(tenant):
                record_operator_entry(tenant)
        request.session[SESSION_TENANT] = str(tenant.pk)
        messages.success(request, _("You are working in %(tenant)s now.") % {"tenant": tenant})
        # Never back to the page before: it may show what belongs to the other tenant.
        return redirect(reverse("admin:index", current_app=self.name))

    def password_change(self, request, extra_context=None):
        request.current_app = self.name
        return PasswordChangeView.as_view(
            form_class=OwnPasswordForm.for_address(client_address(request)),
            template_name="registration/password_change_form.html",
            success_url=reverse("admin:password_change_done", current_app=self.name),
            extra_context={**self.each_context(request), **(extra_context or {})},
        )(request)


@cache
def the_site():
    """The site itself, always the same one."""
    return RegularsSite()
