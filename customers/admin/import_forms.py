"""What staff say about a file before it is imported: how it is written, what happens to whom."""

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from customers.admin.import_words import capitalised, target_label
from customers.imports.planning import overwritable

ENCODINGS = (
    ("utf-8", "UTF-8"),
    ("cp1252", gettext_lazy("Western Windows (cp1252)")),
    ("iso8859-15", gettext_lazy("Western, with € (ISO 8859-15)")),
    ("cp1250", gettext_lazy("Central European Windows (cp1250)")),
    ("cp1251", gettext_lazy("Cyrillic Windows (cp1251)")),
    ("cp1253", gettext_lazy("Greek Windows (cp1253)")),
    ("cp1254", gettext_lazy("Turkish Windows (cp1254)")),
    ("cp1257", gettext_lazy("Baltic Windows (cp1257)")),
    ("cp850", gettext_lazy("Western DOS (cp850)")),
    ("mac-roman", gettext_lazy("Old Macintosh (mac-roman)")),
    ("utf-16", "UTF-16"),
)
DELIMITERS = (
    (",", gettext_lazy("Comma")),
    (";", gettext_lazy("Semicolon")),
    ("\t", gettext_lazy("Tab")),
    ("|", gettext_lazy("Bar |")),
)
DATES = {
    "DMY": gettext_lazy("day first: 31/12/2025"),
    "MDY": gettext_lazy("month first: 12/31/2025"),
    "YMD": gettext_lazy("year first: 2025-12-31"),
}
ON_MATCH = {
    "skip": gettext_lazy("Leave them as they are"),
    "fill": gettext_lazy("Fill in what is empty, add what is missing"),
    "overwrite": gettext_lazy("Replace with what the file says"),
    "review": gettext_lazy("Ask me: show old and new, and decide customer by customer"),
    "refuse": gettext_lazy("Refuse the row"),
}
BLANK = {
    "keep": gettext_lazy("keeps what is there"),
    "clear": gettext_lazy("empties what is there"),
}
GROUPS = (
    ("", gettext_lazy("only for the file of a shop that is recognised")),
    ("yes", gettext_lazy("always")),
    ("no", gettext_lazy("never: such rows are refused")),
)


def found(words):
    """The choice of leaving it to us, which says what that is."""
    return ("", _("found out: %(what)s") % {"what": words} if words else _("found out"))


class ReadingForm(forms.Form):
    """How the file is written. Every field may be left to us."""

    base = forms.ChoiceField(
        label=gettext_lazy("Columns by"), required=False, widget=UnfoldAdminSelectWidget
    )
    sheet = forms.ChoiceField(
        label=gettext_lazy("Sheet"), required=False, widget=UnfoldAdminSelectWidget
    )
    encoding = forms.ChoiceField(
        label=gettext_lazy("Encoding"), required=False, widget=UnfoldAdminSelectWidget
    )
    delimiter = forms.ChoiceField(
        label=gettext_lazy("Between the cells"), required=False, widget=UnfoldAdminSelectWidget
    )
    dates = forms.ChoiceField(
        label=gettext_lazy("Dates"), required=False, widget=UnfoldAdminSelectWidget
    )

    def __init__(self, *args, look, bases, found_dates="", **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["base"].choices = bases
        spoken = {mark: str(words) for mark, words in DELIMITERS}
        if look.sheets:
            self.fields["sheet"].choices = [found(""), *((name, name) for name in look.sheets)]
        else:
            del self.fields["sheet"]
        if look.kind == "xlsx" or look.kind == "xml":
            del self.fields["encoding"]
        else:
            self.fields["encoding"].choices = [found(look.encoding or ""), *ENCODINGS]
        if look.kind in (None, "csv"):
            mark = look.delimiter
            self.fields["delimiter"].choices = [found(spoken.get(mark, mark or "")), *DELIMITERS]
        else:
            del self.fields["delimiter"]
        self.fields["dates"].choices = [found(found_dates), *DATES.items()]
        if not look.header:
            del self.fields["dates"], self.fields["base"]


class PolicyForm(forms.Form):
    """What happens to known customers, and beside."""

    match = forms.ChoiceField(
        label=gettext_lazy("Known customers are found by"),
        required=False,
        widget=UnfoldAdminSelectWidget,
        help_text=gettext_lazy("Without a key a row is recognised by its whole content alone."),
    )
    on_match = forms.ChoiceField(
        label=gettext_lazy("What happens to them"),
        choices=list(ON_MATCH.items()),
        widget=UnfoldAdminRadioSelectWidget,
    )
    overwrites = forms.MultipleChoiceField(
        label=gettext_lazy("Replace only these fields"),
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=gettext_lazy(
            "Counts with “Replace”: what is ticked is replaced, all else only filled in. Nothing "
            "ticked: everything is replaced."
        ),
    )
    blank = forms.ChoiceField(
        label=gettext_lazy("A blank cell"),
        choices=list(BLANK.items()),
        required=False,
        widget=UnfoldAdminRadioSelectWidget,
    )
    create_groups = forms.ChoiceField(
        label=gettext_lazy("Create groups that do not exist"),
        choices=GROUPS,
        required=False,
        widget=UnfoldAdminSelectWidget,
    )
    events = forms.BooleanField(
        label=gettext_lazy("Tell connected systems about every customer, not of the import alone"),
        required=False,
        widget=UnfoldBooleanWidget,
    )

    def __init__(self, *args, keys, fields, found_key="", **kwargs):
        super().__init__(*args, **kwargs)
        named = [(key, capitalised(target_label(key))) for key in keys]
        first = dict(named).get(found_key, _("the whole content of a row"))
        self.fields["match"].choices = [found(first), *named]
        names = sorted({name for name in fields if name in overwritable()})
        labels = [(name, capitalised(target_label(name))) for name in names]
        self.fields["overwrites"].choices = sorted(labels, key=lambda pair: pair[1])
        if "groups" not in fields:
            del self.fields["create_groups"]
        if not names:
            del self.fields["overwrites"]

    def options(self):
        """What was chosen, as the options of an import."""
        values = self.cleaned_data
        groups = {"yes": True, "no": False}.get(values.get("create_groups"))
        options = {
            "match": values["match"],
            "on_match": values["on_match"],
            "blank": values["blank"],
            "create_groups": groups,
            "events": values["events"] or None,
        }
        if values["on_match"] == "overwrite":
            options["overwrites"] = values.get("overwrites") or None
        return {name: value for name, value in options.items() if value not in (None, "")}


class NameForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Remember this under the name"),
        required=False,
        max_length=80,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy(
            "The next file with these columns is then read in the same way by itself."
        ),
    )
