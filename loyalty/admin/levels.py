"""The levels of the programme."""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from loyalty.admin.fields import (
    LoyaltyForm,
    number_field,
    other_languages,
    translation_fields,
)
from loyalty.amounts import number_in, number_out, plain, points_told
from loyalty.models import Level, LoyaltyAccount
from loyalty.programme import programme_of
from loyalty.services.levels import create_level, delete_level, level_warnings, update_level
from tenancy.admin.base import ModelAdmin
from tenancy.admin.telling import badge
from tenancy.scoping import current_tenant


class LevelForm(LoyaltyForm):
    numbers = {"threshold": 2, "reward_percent": 2, "min_order": "money"}
    translated = True

    threshold = number_field(
        gettext_lazy("Threshold"),
        help_text=gettext_lazy("What must be collected to stand here; 0: everybody starts here."),
    )
    reward_percent = number_field(
        gettext_lazy("Reward %"), help_text=gettext_lazy("The greater one is the better level.")
    )
    min_order = number_field(gettext_lazy("Smallest purchase"))
    special = forms.CharField(
        label=gettext_lazy("Special rewards"),
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=gettext_lazy(
            "One on each line: percent, code, name. Told to customers; never decides about a level."
        ),
    )
    locals().update(translation_fields())

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if "position" in self.fields:
            self.fields["position"].required = False
            self.fields["position"].help_text = _("The place in lists; the lowest stands first.")
            self.fields["description"].widget.attrs["rows"] = 3
        if "special" in self.fields:
            self.initial["special"] = "\n".join(
                f"{plain(number_out(reward.get('percent', 0)))}, {reward.get('code', '')}, "
                f"{reward.get('name', '')}"
                for reward in self.instance.special_rewards or ()
            )

    def clean_special(self):
        rewards = []
        known = {reward.get("name"): reward for reward in self.instance.special_rewards or ()}
        for number, line in enumerate(self.cleaned_data["special"].splitlines(), start=1):
            if not line.strip():
                continue
            percent, _comma, rest = line.partition(",")
            code, _comma, name = rest.partition(",")
            try:
                value = number_in(percent, maximum=100)
            except ValidationError as error:
                raise ValidationError(
                    _("Line %(n)d: %(why)s") % {"n": number, "why": " ".join(error.messages)}
                ) from error
            name = name.strip()
            if not name:
                raise ValidationError(_("Line %(n)d has no name.") % {"n": number})
            before = known.get(name, {"active": True})
            told = {"name": name, "code": code.strip(), "percent": plain(number_out(value))}
            rewards.append({**before, **told})
        self.rewards = rewards
        return self.cleaned_data["special"]

    class Meta:
        model = Level
        fields = (
            "name",
            "description",
            "threshold",
            "reward_percent",
            "reward_name",
            "reward_code",
            "min_order",
            "active",
            "position",
        )


class RemovalForm(forms.Form):
    move_to = forms.ChoiceField(
        label=gettext_lazy("Its members go to"),
        required=False,
        widget=UnfoldAdminSelectWidget,
    )

    def __init__(self, *args, levels, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["move_to"].choices = [
            ("", "—"),
            *((str(level.pk), level.name) for level in levels),
        ]


@admin.register(Level)
class LevelAdmin(ModelAdmin):
    form = LevelForm
    history_subject = "level"
    list_display = ("name", "threshold_shown", "reward_shown", "active_shown", "members")
    list_display_links = ("name",)
    ordering = ("position", "threshold")
    sortable_by = ()

    def get_queryset(self, request):
        levels = super().get_queryset(request)
        if request.resolver_match.url_name == "loyalty_level_changelist":
            counted = (
                LoyaltyAccount.objects.filter(level=OuterRef("pk"), customer__isnull=False)
                .order_by()
                .values("level")
                .annotate(n=Count("pk"))
                .values("n")
            )
            levels = levels.annotate(n_members=Coalesce(Subquery(counted), 0))
        return levels

    def get_fieldsets(self, request, obj=None):
        fieldsets = [
            (
                None,
                {
                    "fields": [
                        ("name", "position"),
                        ("threshold", "reward_percent"),
                        "active",
                        "description",
                    ]
                },
            ),
            (
                _("Reward"),
                {"fields": [("reward_name", "reward_code"), "min_order", "special"]},
            ),
        ]
        for language, title in other_languages():
            fieldsets.append((title, {"fields": [f"name_{language}", f"description_{language}"]}))
        return fieldsets

    @admin.display(description=gettext_lazy("threshold"))
    def threshold_shown(self, level):
        unit = (
            _("points") if programme_of(current_tenant()).by_points else current_tenant().currency
        )
        return f"{points_told(level.threshold)} {unit}"

    @admin.display(description=gettext_lazy("reward"))
    def reward_shown(self, level):
        return f"{plain(number_out(level.reward_percent))} %"

    @admin.display(description=gettext_lazy("state"))
    def active_shown(self, level):
        return badge(_("Active"), "success") if level.active else badge(_("Not in use"))

    @admin.display(description=gettext_lazy("customers"))
    def members(self, level):
        url = f"{reverse('admin:customers_customer_changelist')}?level={level.pk}&hidden=all"
        return format_html('<a class="link" href="{}">{}</a>', url, level.n_members)

    def changelist_view(self, request, extra_context=None):
        for warning in level_warnings(current_tenant()):
            messages.warning(request, warning["message"])
        return super().changelist_view(request, extra_context)

    def write(self, request, obj, form, formsets, *, change):
        wishes = form.wishes
        if "special" in wishes:
            del wishes["special"]
            wishes["special_rewards"] = form.rewards
        return update_level(obj, **wishes) if change else create_level(**wishes)

    # --- Deleting -------------------------------------------------------------------------------
    def delete_view(self, request, object_id, extra_context=None):
        """A level with members is deleted by saying where they go."""
        level = self.get_or_404(request, object_id)
        self.insist(request, "loyalty.delete_level")
        others = list(Level.objects.exclude(pk=level.pk))
        n_members = LoyaltyAccount.objects.filter(level=level, customer__isnull=False).count()
        form = RemovalForm(request.POST or None, levels=others)
        if request.method == "POST" and form.is_valid():
            chosen = [row for row in others if str(row.pk) == form.cleaned_data["move_to"]]
            try:
                delete_level(level, move_to=chosen[0] if chosen else None)
            except ValidationError as error:
                form.add_error("move_to" if not chosen else None, error.messages)
            else:
                messages.success(request, _("%(level)s is deleted.") % {"level": level})
                return redirect(self.url_name("changelist"))
        context = {
            "title": _("Delete %(level)s") % {"level": level},
            "sentence": _("%(n)d customers stand on it. They move before it goes.")
            % {"n": n_members}
            if n_members
            else _("Nobody stands on it."),
            "form": form,
            "button": _("Delete"),
            "danger": True,
            "cancel_url": reverse(self.url_name("change"), args=[level.pk]),
        }
        return self.page(request, "admin/deed.html", context, obj=level)
