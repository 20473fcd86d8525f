"""Stores."""

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from tenancy.admin.base import ModelAdmin, ServiceForm
from tenancy.models import Store
from tenancy.scoping import current_tenant
from tenancy.services import create_store, update_store


class StoreForm(ServiceForm):
    latitude = forms.DecimalField(
        label=_("Latitude"), required=False, widget=UnfoldAdminTextInputWidget
    )
    longitude = forms.DecimalField(
        label=_("Longitude"),
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text=_(
            "In degrees. A till that says where it is gets the nearest store's people first."
        ),
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if "location_id" in self.fields and self.instance._state.adding:
            self.fields["location_id"].required = False
            self.fields["location_id"].help_text = _("Empty: the next free number.")
        for name in ("latitude", "longitude"):
            if name in self.fields:
                self.fields[name].initial = getattr(self.instance, name)

    @property
    def changes(self):
        # To the service None says nothing, "" says nowhere.
        emptied = {"latitude", "longitude"}
        return {
            name: "" if value is None and name in emptied else value
            for name, value in super().changes.items()
        }


@admin.register(Store)
class StoreAdmin(ModelAdmin):
    form = StoreForm
    fields = ("code", "name", "location_id", "country", "default", "latitude", "longitude")
    list_display = ("code", "name", "location_id", "country", "default")
    list_display_links = ("code", "name")
    search_fields = ("code", "name")
    search_help_text = _("Code or name")

    def write(self, request, obj, form, formsets, *, change):
        if change:
            return update_store(obj, **form.changes)
        fields = form.changes
        store, created = create_store(current_tenant(), fields.pop("code"), **fields)
        if not created:
            raise ValidationError({"code": _("Another store has this code.")})
        return store
