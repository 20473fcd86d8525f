"""What every admin of ours builds on.

Saving is one service call. A refusal of the service, even one that only the database could know
(a taken e-mail), comes back beside the field it is about, with everything that was typed.
Rows are never deleted by Django's cascade, and Django's own log, which copies labels of rows to a
place that erasure cannot see, stays empty: the history is ours.
"""

from functools import update_wrapper

import unfold.admin
from django import forms
from django.contrib import messages
from django.contrib.admin import ShowFacets
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext as _
from unfold.contrib.filters.admin import RangeDateFilter

from events.models import HistoryEntry
from events.models.records import CHANGES, EVERYTHING, READS, SHOWN
from tenancy.admin.filtering import set_filters
from tenancy.admin.telling import told_entries
from tenancy.entering import role_in
from tenancy.masking import reader_of
from tenancy.scoping import current_tenant

HISTORY_PER_PAGE = 50


class SaveRefused(Exception):
    """Rolls the save back; the page is shown again with `error`, a ValidationError."""

    def __init__(self, error):
        super().__init__()
        self.error = error


class ServiceForm(forms.ModelForm):
    """A form that never touches its instance: what was typed goes to a service.

    An admin hands in `request`. A field remembers the value it was shown with, so that a save
    changes only what was typed here, whatever others did to the record meanwhile. A new row has
    nothing to remember: what its form was opened with (a seller's own store) is meant to be saved.
    """

    request = None
    remembers_values = True

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.remembers_values and not self.instance._state.adding:
            for field in self.fields.values():
                if not isinstance(field, forms.FileField):
                    field.show_hidden_initial = True

    @property
    def changes(self):
        """name -> value of the fields that were changed here."""
        return {
            name: self.cleaned_data[name] for name in self.changed_data if name in self.cleaned_data
        }

    def _post_clean(self):
        refusal = getattr(self.request, "refusal", None)
        if refusal is not None:
            self.add_refusal(refusal)

    def add_refusal(self, error):
        """Put each part of a service's ValidationError beside its field."""
        if not hasattr(error, "error_dict"):
            self.add_error(None, error.error_list)
            return
        for name, errors in error.error_dict.items():
            if name in self.fields:
                self.add_error(name, errors)
            elif not self.is_spoken_elsewhere(name):
                for message in ValidationError(errors).messages:
                    self.add_error(None, f"{self.label_of(name)}: {message}")

    def is_spoken_elsewhere(self, name):
        """Whether another part of the page shows the error of this field."""
        return False

    def label_of(self, name):
        """What a person calls a field that is not on this form."""
        return name.replace("_", " ").capitalize()


class Scoped:
    """What model admins and inlines share."""

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        formfield = super().formfield_for_dbfield(db_field, request, **kwargs)
        widget = getattr(formfield, "widget", None)
        for link in ("add", "change", "delete", "view"):
            # One page does one thing; a window in a window loses what was typed around it.
            if hasattr(widget, f"can_{link}_related"):
                setattr(widget, f"can_{link}_related", False)
        return formfield

    def role(self, request):
        """The role of the signed-in user in the tenant of the session."""
        return role_in(request.user, current_tenant())

    def reader(self, request):
        """The same as far as reading goes: a seller may see contact data masked, but for the
        customer whose page this is and who was revealed."""
        return reader_of(request, request.resolver_match.kwargs.get("object_id"))


class ModelAdmin(Scoped, unfold.admin.ModelAdmin):
    """The base of every admin. A subclass supplies `write` where it saves, `delete_model` where
    it deletes, and `history_subject` where its rows have a history."""

    form = ServiceForm
    history_subject = None
    list_per_page = 50
    show_full_result_count = False
    view_on_site = False
    list_filter_submit = True
    show_facets = ShowFacets.NEVER
    list_before_template = "admin/set_filters.html"
    add_from_search = False  # whether a search without a result may begin a new row

    # --- Reading --------------------------------------------------------------------------------
    def lookup_allowed(self, lookup, value, request):
        """Only the filters that the list declares. Django would take any column of the table by any
        comparison, and so answer questions about values that nobody may see (a password's hash,
        letter by letter) or run somebody's regular expression."""
        allowed = set()
        for declared in self.get_list_filter(request):
            name, kind = declared if isinstance(declared, tuple) else (declared, None)
            if not isinstance(name, str):
                allowed.add(name.parameter_name)
            elif kind is not None and issubclass(kind, RangeDateFilter):
                allowed |= {f"{name}_from", f"{name}_to"}
            else:
                allowed |= {f"{name}__exact", f"{name}__isnull"}
        return lookup in allowed

    # --- What each admin supplies ---------------------------------------------------------------
    def write(self, request, obj, form, formsets, *, change):
        """Save by one service call and return the saved row. May raise ValidationError."""
        raise NotImplementedError

    def crumb(self, obj):
        """What the way back calls the row whose page this is; None: as the row calls itself. The
        theme hands its header the request alone, so it travels there."""

    # --- Lists ------------------------------------------------------------------------------------
    def changelist_view(self, request, extra_context=None):
        response = super().changelist_view(request, extra_context)
        context = getattr(response, "context_data", None) or {}
        if "cl" in context:
            context["set_filters"] = set_filters(context["cl"])
        return response

    # --- Saving ---------------------------------------------------------------------------------
    def get_form(self, request, obj=None, change=False, **kwargs):
        form = super().get_form(request, obj, change=change, **kwargs)
        return type(form.__name__, (form,), {"request": request})

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except SaveRefused as refused:
            # Everything is rolled back; the same input goes through the form again, which shows
            # the refusal instead of saving.
            return self.show_again(request, refused.error, object_id, form_url, extra_context)

    def show_again(self, request, error, object_id, form_url, extra_context):
        """The page as it was sent, with what the service refused."""
        request.refusal = error
        for upload in request.FILES.values():
            upload.seek(0)
        return super().changeform_view(request, object_id, form_url, extra_context)

    def save_model(self, request, obj, form, change):
        """Nothing yet: the page is saved as a whole, see save_related."""

    def save_related(self, request, form, formsets, change):
        try:
            saved = self.write(request, form.instance, form, formsets, change=change)
        except ValidationError as error:
            raise SaveRefused(error) from error
        if saved is not None and saved is not form.instance:
            for field in saved._meta.concrete_fields:
                setattr(form.instance, field.attname, getattr(saved, field.attname))

    def construct_change_message(self, request, form, formsets, add=False):
        return ""

    def log_addition(self, request, obj, message):
        """The services write the history."""

    def log_change(self, request, obj, message):
        """The services write the history."""

    def log_deletions(self, request, queryset):
        """The services write the history."""

    # --- Deleting -------------------------------------------------------------------------------
    def get_deleted_objects(self, objs, request):
        """The rows themselves: what goes with them is the service's business, not a cascade's."""
        lacking = set() if self.has_delete_permission(request) else {self.opts.verbose_name}
        return [str(obj) for obj in objs], {}, lacking, []

    def delete_view(self, request, object_id, extra_context=None):
        try:
            return super().delete_view(request, object_id, extra_context)
        except ValidationError as error:
            for message in error.messages:
                messages.error(request, message)
            return redirect(self.url_name("change"), object_id)

    def delete_model(self, request, obj):
        raise PermissionDenied

    def delete_queryset(self, request, queryset):
        raise PermissionDenied

    # --- Pages of our own -----------------------------------------------------------------------
    def own_path(self, route, view, name):
        """The URL of a page of this admin: checked like the others, named app_model_<name>."""

        def checked(*args, **kwargs):
            return self.admin_site.admin_view(view)(*args, **kwargs)

        update_wrapper(checked, view)
        checked.model_admin = self
        label = f"{self.opts.app_label}_{self.opts.model_name}_{name}"
        return path(route, checked, name=label)

    def url_name(self, name):
        return f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_{name}"

    def get_or_404(self, request, object_id):
        """The row of this tenant, or 404."""
        obj = self.get_object(request, unquote(object_id))
        if obj is None:
            raise Http404
        return obj

    def insist(self, request, permission):
        """403 without this operation of the permission table."""
        if not request.user.has_perm(permission):
            raise PermissionDenied

    def page(self, request, template, context, *, obj=None):
        """A page of this admin's own, in the dress of the others."""
        request.current_app = self.admin_site.name
        request.crumb = self.crumb(obj) if obj is not None else None
        return TemplateResponse(
            request,
            template,
            {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "original": obj,
                "title": str(self.opts.verbose_name_plural),
                "tabs_list": [],
                **context,
            },
        )

    # --- History --------------------------------------------------------------------------------
    def history_ids(self, obj):
        """Whose entries stand in the history of `obj`."""
        return [obj.pk]

    def history_choices(self, told, show):
        """What the history can be narrowed to, as (name, words): nothing where nobody looked and
        nobody would be written down."""
        is_logged = self.history_subject == "customer" and current_tenant().setting("log_reads")
        if not is_logged and show == CHANGES and not told.shown(READS).exists():
            return []
        return [
            (CHANGES, _("What was done")),
            (READS, _("Who looked")),
            (EVERYTHING, _("Everything")),
        ]

    def history_view(self, request, object_id, extra_context=None):
        obj = self.get_or_404(request, object_id)
        if self.history_subject is None:
            raise Http404
        if not self.has_view_permission(request, obj):
            raise PermissionDenied
        told = HistoryEntry.objects.about_any(self.history_subject, self.history_ids(obj))
        show = request.GET.get("show")
        show = show if show in SHOWN else CHANGES
        entries = told.shown(show)
        page = Paginator(entries, HISTORY_PER_PAGE).get_page(request.GET.get("page"))
        context = {
            "title": _("History"),
            "subtitle": str(obj),
            "entries": told_entries(page.object_list, self.reader(request)),
            "page_obj": page,
            "show": show,
            "show_choices": self.history_choices(told, show),
            **(extra_context or {}),
        }
        return self.page(request, "admin/history.html", context, obj=obj)

    def render_change_form(self, request, context, *args, **kwargs):
        context["show_history"] = self.history_subject is not None
        row = kwargs.get("obj")
        request.crumb = self.crumb(row) if row is not None else None
        return super().render_change_form(request, context, *args, **kwargs)


class ReadOnlyAdmin(ModelAdmin):
    """Rows that nobody writes here."""

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


class TabularInline(Scoped, unfold.admin.TabularInline):
    """The base of every inline table."""

    extra = 0
    hide_title = True
