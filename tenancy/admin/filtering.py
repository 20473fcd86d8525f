"""Which filters of a list are set, in words: a list that leaves rows out must say so."""

from dataclasses import dataclass

from django.contrib.admin import SimpleListFilter


@dataclass(frozen=True, slots=True)
class SetFilter:
    """One filter that is set: its name, what was chosen, and the list without it."""

    title: str
    chosen: str
    without: str


def set_filters(changelist):
    """The filters of a ChangeList that are set, in the order of the list's filters."""
    return [
        SetFilter(str(spec.title), chosen, changelist.get_query_string(remove=names))
        for spec in changelist.filter_specs
        for names, chosen in [chosen_in(spec)]
        if chosen
    ]


def chosen_in(spec):
    """(parameters, words) of one filter; no words where nothing known is chosen."""
    if isinstance(spec, SimpleListFilter):
        choices = {str(value): str(words) for value, words in spec.lookup_choices}
        return [spec.parameter_name], choices.get(spec.value() or "", "")
    names = spec.expected_parameters()
    values = [spec.used_parameters.get(name) or "" for name in names]
    return names, " – ".join(str(value) or "…" for value in values) if any(values) else ""
