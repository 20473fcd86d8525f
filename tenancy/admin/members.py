"""Staff members: who works here, as what, and where."""

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminEmailInputWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminTextInputWidget,
)

from tenancy.admin.base import ModelAdmin, ServiceForm
from tenancy.admin.rights import role_table
from tenancy.admin.telling import badge
from tenancy.models import StaffMember, Store
from tenancy.permissions import ADMIN
from tenancy.scoping import current_tenant
from tenancy.services import create_staff, update_staff


def stores_field(help_text):
    """Any number of the tenant's own stores; the form's __init__ names the rows."""
    return forms.ModelMultipleChoiceField(
        queryset=None,
        required=False,
        label=_("Stores"),
        help_text=help_text,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )


class MemberForm(ServiceForm):
    email = forms.EmailField(
        label=_("E-mail"),
        max_length=254,
        widget=UnfoldAdminEmailInputWidget,
        help_text=_("Signs in with it. Somebody who works for another tenant keeps the password."),
    )
    name = forms.CharField(
        label=_("Name"), max_length=200, required=False, widget=UnfoldAdminTextInputWidget
    )
    password = forms.CharField(
        label=_("Password"),
        required=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text=_("Only for a new person; may be set later by an operator."),
    )
    stores = stores_field(_("None: all stores of the tenant."))
    remembers_values = False

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if "stores" in self.fields:
            self.fields["stores"].queryset = Store.objects.all()
        if "role" in self.fields:
            self.fields["role"].help_text = format_html(
                '{} <a class="link" href="{}">{}</a>',
                _("A seller serves customers; an administrator also sets up the business."),
                reverse("admin:tenancy_staffmember_roles"),
                _("What each role may do"),
            )
        if self.instance._state.adding:
            # The lesser right, where nobody chooses: more of it must be asked for.
            self.initial.setdefault("role", StaffMember.Role.SELLER)
        if not self.instance._state.adding:
            for name in ("email", "name", "password"):
                self.fields.pop(name, None)
            self.initial["stores"] = list(self.instance.stores.values_list("pk", flat=True))


@admin.register(StaffMember)
class StaffMemberAdmin(ModelAdmin):
    form = MemberForm
    list_display = ("person", "email", "role_shown", "works_at", "state")
    list_select_related = ("user",)
    search_fields = ("user__email", "user__name")
    search_help_text = _("Name or e-mail")

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("user").prefetch_related("stores")

    def get_urls(self):
        return [self.own_path("roles/", self.roles_view, "roles"), *super().get_urls()]

    def roles_view(self, request):
        """What each role may do, by the table of rights."""
        self.insist(request, "staff.list")
        context = {"title": _("What each role may do"), "rows": list(role_table())}
        return self.page(request, "admin/tenancy/staffmember/roles.html", context)

    def get_fieldsets(self, request, obj=None):
        if obj is None:
            fields = ("email", "name", "role", "stores", "password")
        else:
            fields = ("person", "email", "role", "active", "stores")
        return [(None, {"fields": fields})]

    def get_readonly_fields(self, request, obj=None):
        return ("person", "email") if obj else ()

    @admin.display(description=_("name"), ordering="user__name")
    def person(self, member):
        return member.user.name or "–"

    @admin.display(description=_("e-mail"), ordering="user__email")
    def email(self, member):
        return member.user.email

    @admin.display(description=_("role"), ordering="role")
    def role_shown(self, member):
        return member.get_role_display()

    @admin.display(description=_("stores"))
    def works_at(self, member):
        return ", ".join(store.name for store in member.stores.all()) or _("all")

    @admin.display(description=_("state"), ordering="active")
    def state(self, member):
        return badge(_("Active"), "success") if member.active else badge(_("Inactive"), "danger")

    def write(self, request, obj, form, formsets, *, change):
        values = form.cleaned_data
        if not change:
            member, created = create_staff(
                current_tenant(),
                values["email"],
                role=values["role"],
                password=values["password"] or None,
                name=values["name"],
                stores=values["stores"],
            )
            if not created:
                raise ValidationError({"email": _("This person is a staff member already.")})
            return member
        changes = {name: values[name] for name in ("role", "active", "stores") if name in values}
        if obj.user_id == request.user.pk and (
            not changes.get("active", True) or changes.get("role", ADMIN) != obj.role
        ):
            raise ValidationError(
                _("You cannot take your own rights away; another administrator can.")
            )
        return update_staff(obj, **changes)
