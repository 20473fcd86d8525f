"""Form fields for points, money, percents, instants and translated names, as people type them."""

from django import forms
from django.utils import timezone
from django.utils.translation import get_language_info
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminSplitDateTimeWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from loyalty.amounts import money_out, number_out, plain
from tenancy.admin.base import ServiceForm
from tenancy.scoping import current_tenant
from tenancy.tenant_settings import SETTINGS


def number_field(label, *, required=False, help_text=""):
    """A number as text: the service says what is wrong with it, in one voice with the API."""
    return forms.CharField(
        label=label,
        required=required,
        max_length=40,
        help_text=help_text,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal"}),
    )


class LoyaltyForm(ServiceForm):
    """A form over a row with numbers in hundredths or minor units and with translations.

    `numbers` maps a field to its decimals, or to "money"; its initial value is what a person reads.
    With `translated`, each further language has fields of its own, such as `name_nb`.
    """

    numbers = {}
    translated = False

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name, places in self.numbers.items():
            if name in self.fields:
                self.initial[name] = self._read(getattr(self.instance, name), places)
        if self.translated:
            for language, _title in other_languages():
                own = (self.instance.translations or {}).get(language, {})
                for part in ("name", "description"):
                    if f"{part}_{language}" in self.fields:
                        self.initial[f"{part}_{language}"] = own.get(part, "")

    def _read(self, count, places):
        if count is None:
            return ""
        if places == "money":
            return plain(money_out(count, current_tenant().currency))
        return plain(number_out(count, places))

    @property
    def wishes(self):
        """What was changed, by the names of the service."""
        wishes, translations = {}, {}
        for name, value in self.changes.items():
            part, _sep, language = name.rpartition("_")
            if self.translated and language in dict(other_languages()):
                translations.setdefault(language, {})[part] = value
            else:
                wishes[name] = None if name in self.numbers and value == "" else value
        if translations:
            kept = self.instance.translations or {}
            wishes["translations"] = {
                language: {**kept.get(language, {}), **translations.get(language, {})}
                for language in {*kept, *translations}
            }
        return wishes


def other_languages():
    """(code, name) of the languages that customers are written to in, but for English."""
    codes = SETTINGS["locale"].choices
    return [
        (code, get_language_info(code)["name_local"].capitalize()) for code in codes if code != "en"
    ]


def translation_fields():
    """The form fields of every further language, as a dict."""
    fields = {}
    for language, title in other_languages():
        fields[f"name_{language}"] = forms.CharField(
            label=_("Name (%(language)s)") % {"language": title},
            required=False,
            max_length=120,
            widget=UnfoldAdminTextInputWidget,
        )
        fields[f"description_{language}"] = forms.CharField(
            label=_("Description (%(language)s)") % {"language": title},
            required=False,
            max_length=4_000,
            widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        )
    return fields


def instant_field(label, help_text=""):
    """A day and a time in the tenant's time zone."""
    return forms.SplitDateTimeField(
        label=label, required=False, help_text=help_text, widget=UnfoldAdminSplitDateTimeWidget
    )


def period_in_words(row):
    """When a row with `active_from` and `active_to` is in force, in words."""
    begin = row.active_from and timezone.localtime(row.active_from).strftime("%Y-%m-%d")
    end = row.active_to and timezone.localtime(row.active_to).strftime("%Y-%m-%d")
    if begin and end:
        return f"{begin} – {end}"
    if begin:
        return _("from %(day)s") % {"day": begin}
    if end:
        return _("until %(day)s") % {"day": end}
    return _("always")
