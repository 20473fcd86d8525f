"""Users: the people behind the staff members, and the operators. For operators only."""

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminSelectWidget

from tenancy.admin.base import ModelAdmin, ServiceForm
from tenancy.models import User
from tenancy.services import create_user
from tenancy.services.staff import set_user_password
from tenancy.services.users import update_user


def password_field(**options):
    return forms.CharField(
        label=gettext_lazy("Password"),
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        **options,
    )


def languages():
    """The choices of a person: what the browser asks for, or one language always."""
    return [("", _("As the browser asks")), *settings.LANGUAGES]


class UserForm(ServiceForm):
    password = password_field(
        required=False, help_text=gettext_lazy("Without one the person cannot sign in yet.")
    )

    language = forms.ChoiceField(
        label=gettext_lazy("Language"),
        choices=languages,
        required=False,
        widget=UnfoldAdminSelectWidget,
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding:
            self.fields.pop("password", None)
        elif "password" in self.fields:
            self.fields["password"].show_hidden_initial = False


class PasswordForm(forms.Form):
    password = password_field()


@admin.register(User)
class UserAdmin(ModelAdmin):
    form = UserForm
    list_display = ("email", "name", "is_superuser", "is_active", "last_login")
    list_filter = ("is_superuser", "is_active")
    search_fields = ("email", "name")
    search_help_text = gettext_lazy("Name or e-mail")

    def get_fieldsets(self, request, obj=None):
        if obj is None:
            fields = ("email", "name", "language", "is_superuser", "password")
        else:
            fields = ("email", "name", "language", "is_superuser", "is_active", "last_login")
        return [(None, {"fields": fields})]

    def get_readonly_fields(self, request, obj=None):
        return ("email", "last_login") if obj else ()

    def has_module_permission(self, request):
        return request.user.is_superuser

    def has_view_permission(self, request, obj=None):
        return request.user.is_superuser

    def has_add_permission(self, request):
        return request.user.is_superuser

    def has_change_permission(self, request, obj=None):
        return request.user.is_superuser

    def has_delete_permission(self, request, obj=None):
        # History names its doers for as long as it is kept: people are deactivated.
        return False

    def write(self, request, obj, form, formsets, *, change):
        if change:
            return update_user(obj, **form.changes)
        fields = {name: value for name, value in form.changes.items() if value}
        return create_user(**fields)

    def get_urls(self):
        return [
            self.own_path("<path:object_id>/password/", self.password_view, "password"),
            *super().get_urls(),
        ]

    def render_change_form(self, request, context, *args, **kwargs):
        obj = kwargs.get("obj")
        if obj is not None:
            context["actions_detail"] = [
                {
                    "title": _("Set a password"),
                    "icon": "key",
                    "path": reverse(self.url_name("password"), args=[obj.pk]),
                }
            ]
        return super().render_change_form(request, context, *args, **kwargs)

    def password_view(self, request, object_id):
        if not request.user.is_superuser:
            raise PermissionDenied
        user = self.get_or_404(request, object_id)
        form = PasswordForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                set_user_password(user, form.cleaned_data["password"])
            except ValidationError as error:
                form.add_error("password", error.messages)
            else:
                messages.success(request, _("The password is set; every session has ended."))
                return redirect(self.url_name("change"), object_id)
        context = {
            "title": _("Set a password for %(user)s") % {"user": user.email},
            "sentence": _("Every session and token of this person ends."),
            "form": form,
            "button": _("Set password"),
            "cancel_url": reverse(self.url_name("change"), args=[user.pk]),
        }
        return self.page(request, "admin/deed.html", context, obj=user)
