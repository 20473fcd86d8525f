"""Tenants and their settings."""

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from tenancy.admin.base import ModelAdmin, ServiceForm
from tenancy.admin.setting_words import choices_of, label_of, sections
from tenancy.models import Tenant
from tenancy.scoping import current_tenant
from tenancy.services import create_tenant, update_tenant
from tenancy.tenant_settings import TABLE

PREFIX = "setting_"


def setting_field(setting):
    """The form field of one setting of the table."""
    common = {
        "label": label_of(setting),
        "help_text": setting.help,
        "required": False,
    }
    if setting.kind is bool:
        return forms.BooleanField(widget=UnfoldBooleanSwitchWidget, **common)
    if setting.kind is int:
        return forms.IntegerField(widget=UnfoldAdminIntegerFieldWidget, **common)
    if setting.kind is list:
        return forms.MultipleChoiceField(
            choices=choices_of(setting),
            widget=UnfoldAdminCheckboxSelectMultipleWidget,
            **common,
        )
    if setting.choices:
        return forms.ChoiceField(
            choices=choices_of(setting), widget=UnfoldAdminSelectWidget, **common
        )
    return forms.CharField(widget=UnfoldAdminTextInputWidget, **common)


class SettingsForm(ServiceForm):
    """A tenant's own columns and every setting of the table."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for setting in TABLE:
            name = PREFIX + setting.name
            if name in self.fields:
                self.initial.setdefault(name, self.instance.setting(setting.name))

    def add_refusal(self, error):
        names = {setting.name for setting in TABLE}
        if hasattr(error, "error_dict"):
            error = ValidationError(
                {
                    PREFIX + name if name in names else name: errors
                    for name, errors in error.error_dict.items()
                }
            )
        super().add_refusal(error)

    @property
    def changed_settings(self):
        return {
            name.removeprefix(PREFIX): value
            for name, value in self.changes.items()
            if name.startswith(PREFIX)
        }


TenantForm = type(
    "TenantForm",
    (SettingsForm,),
    {PREFIX + setting.name: setting_field(setting) for setting in TABLE},
)


@admin.register(Tenant)
class TenantAdmin(ModelAdmin):
    """Operators see every tenant; an administrator sees and sets the own one."""

    form = TenantForm
    history_subject = "tenant"
    list_display = ("code", "name", "currency", "country", "timezone", "active")
    list_display_links = ("code", "name")
    search_fields = ("code", "name")
    search_help_text = _("Code or name")

    def get_fieldsets(self, request, obj=None):
        own = ["code", "name", ("country", "currency"), "timezone"]
        if obj is not None and request.user.is_superuser:
            own.append("active")
        parts = [
            (title, {"fields": [PREFIX + name for name in names]}) for title, names in sections()
        ]
        return [(None, {"fields": own}), *parts]

    def get_readonly_fields(self, request, obj=None):
        return ("code",) if obj else ()

    def get_queryset(self, request):
        tenants = super().get_queryset(request)
        if request.user.is_superuser:
            return tenants
        tenant = current_tenant()
        return tenants.filter(pk=tenant.pk) if tenant else tenants.none()

    def has_view_permission(self, request, obj=None):
        return request.user.is_superuser or super().has_view_permission(request, obj)

    def has_change_permission(self, request, obj=None):
        return request.user.is_superuser or super().has_change_permission(request, obj)

    def has_add_permission(self, request):
        return request.user.is_superuser

    def has_module_permission(self, request):
        return request.user.is_superuser or super().has_module_permission(request)

    def has_delete_permission(self, request, obj=None):
        return False

    def write(self, request, obj, form, formsets, *, change):
        settings = form.changed_settings
        fields = {name: value for name, value in form.changes.items() if PREFIX not in name}
        if change:
            return update_tenant(obj, settings=settings, **fields)
        code = fields.pop("code", "")
        tenant, created = create_tenant(code, settings=settings, **fields)
        if not created:
            raise ValidationError({"code": _("This code is taken.")})
        return tenant
