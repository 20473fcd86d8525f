"""Remembered mappings: what they are called, what they say, as a file to keep."""

import json

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.admin.import_forms import ON_MATCH
from customers.admin.import_words import capitalised, rule_label, target_label
from customers.imports.formats import by_name
from customers.imports.mapping import Mapping
from customers.imports.profiles import SUBJECT, forget_profile
from customers.models import ImportProfile
from tenancy.admin.base import ReadOnlyAdmin


@admin.register(ImportProfile)
class ImportProfileAdmin(ReadOnlyAdmin):
    list_display = ("name", "what_shown", "updated_at")
    sortable_by = ()
    history_subject = SUBJECT
    actions = None

    def has_delete_permission(self, request, obj=None):
        return request.user.has_perm("imports.create")

    def delete_model(self, request, obj):
        forget_profile(obj)

    @admin.display(description=gettext_lazy("what it reads"))
    def what_shown(self, profile):
        names = [capitalised(target_label(name)) for rule in _rules(profile) for name in rule.to]
        shop = by_name(profile.options.get("format", ""))
        if not names:
            return shop.label if shop else "–"
        return ", ".join(names[:6]) + (" …" if len(names) > 6 else "")

    def get_urls(self):
        download = self.own_path("<uuid:object_id>/file/", self.file_view, "file")
        return [download, *super().get_urls()]

    def change_view(self, request, object_id, form_url="", extra_context=None):
        profile = self.get_or_404(request, object_id)
        if not self.has_view_permission(request, profile):
            raise PermissionDenied
        options = profile.options
        match = (profile.mapping or {}).get("match") or options.get("match")
        context = {
            "title": profile.name,
            "profile": profile,
            "rules": [(rule.label, rule_label(rule)) for rule in _rules(profile)],
            "policy": ON_MATCH.get(options.get("on_match")),
            "match": capitalised(target_label(match)) if match else "",
            "shop": by_name(options.get("format", "")),
            "back_url": reverse(self.url_name("changelist")),
        }
        template = "admin/customers/importprofile/profile.html"
        return self.page(request, template, context, obj=profile)

    def file_view(self, request, object_id):
        """The mapping as a file that `import_customers --mapping` takes."""
        profile = self.get_or_404(request, str(object_id))
        if not self.has_view_permission(request, profile):
            raise PermissionDenied
        text = json.dumps(profile.mapping or {}, ensure_ascii=False, indent=2)
        response = HttpResponse(text, content_type="application/json")
        response["Content-Disposition"] = f'attachment; filename="{_("mapping")}.json"'
        return response


def _rules(profile):
    if not profile.mapping:
        return ()
    return Mapping.from_json(json.dumps(profile.mapping)).rules
