"""A file that was handed in: looked at, its columns named, and checked row by row.

The set-up is one page and one form. It remembers nothing between two requests but the sealed file:
whoever reads the columns anew (another encoding, another remembered mapping) sends what is chosen
and gets the page again.
"""

import json
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import redirect
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _

from customers.admin.import_forms import DATES, NameForm, PolicyForm, ReadingForm
from customers.admin.import_words import capitalised, offered_targets, rule_label, target_label
from customers.imports.errors import MappingError
from customers.imports.looking import (
    FORMAT,
    GUESSED,
    chosen_mapping,
    date_columns,
    is_plain,
    look_at,
    match_keys,
    rules_by_column,
)
from customers.imports.mapping import Mapping
from customers.imports.mapping_text import NotWritable, written
from customers.imports.ordering import order_import
from customers.imports.planning import SKIP
from customers.imports.profiles import profile_for, remember_profile
from customers.imports.readers import KINDS
from customers.models import ImportProfile, ImportRun

PROFILE, RUN = "profile:", "run:"
AS_IS = "="
MOST_SHOWN = 300  # columns that a page has choices for
MOST_PROFILES = 200


class SetUp:
    """One request of the set-up page."""

    def __init__(self, pages, request, file):
        self.pages, self.request, self.file = pages, request, file
        self.post = request.POST if request.method == "POST" else None
        self.run = self._earlier_run()
        self.file_name = self.run.file_name if self.run else file.name
        self.options = dict(self.run.options) if self.run else {}
        self.look = None
        self.base = GUESSED
        self.mapping = None
        self.faults = []

    # --- What is known ---------------------------------------------------------------------------
    def _earlier_run(self):
        """The check that somebody wants to change something about."""
        asked = (self.post or self.request.GET).get("from", "")
        try:
            return ImportRun.objects.filter(pk=UUID(asked), file=self.file).first()
        except ValueError:
            return None

    def _see(self):
        """Look at the file as it is said to be written."""
        said = self.post or self.options
        wanted = {name: said.get(name) or None for name in ("encoding", "delimiter", "sheet")}
        kind = self.options.get("format")
        self.look = look_at(
            self.file,
            name=self.file_name,
            format=kind if kind in KINDS else None,
            **wanted,
        )
        self.same_columns = self.post is None or (
            self.post.get("header_key") == (self.look.header_key if self.look.header else "")
        )

    def _choose_base(self):
        """By what the columns are read: the words above them, a known shop, something remembered,
        an earlier check of this file."""
        bases = dict(self.bases())
        asked = (self.post or {}).get("base")
        if asked in bases:
            self.base = asked
        elif self.run:
            self.base = RUN if "mapping" in self.options else next(iter(bases))
        else:
            profile = profile_for(self.look.header_key)
            key = f"{PROFILE}{profile.pk}" if profile else ""
            self.base = key if key in bases else next(iter(bases))
        self.is_new_base = (self.post or {}).get("shown_base", self.base) != self.base
        if self.base.startswith(PROFILE):
            profile = ImportProfile.objects.get(pk=self.base.removeprefix(PROFILE))
            if self.post is None or self.is_new_base:
                self.options = {**profile.options, "mapping": profile.mapping}
            self.profile = profile
            if self.post is None and {"encoding", "delimiter"} & self.options.keys():
                self._see()

    def bases(self):
        """The choices there are, the best guess first."""
        look = self.look
        found = []
        if self.run and "mapping" in self.run.options:
            found.append((RUN, _("as they were chosen before")))
        if look.shop:
            label = _("the file of %(shop)s") % {"shop": look.shop.label}
            found.append((f"{FORMAT}{look.shop.name}", label))
        found.append((GUESSED, _("the words above them")))
        for profile in ImportProfile.objects.all()[:MOST_PROFILES]:
            found.append((f"{PROFILE}{profile.pk}", _("“%(name)s”") % {"name": profile.name}))
        return found

    def base_mapping(self):
        """The Mapping behind the base, in the file's own spelling; None where a known program's
        file is read by its own rules."""
        header = self.look.header
        if self.base.startswith(PROFILE):
            content = self.profile.mapping
        elif self.base == RUN:
            content = self.run.options["mapping"]
        else:
            content = None
        if content:
            text = content if isinstance(content, str) else json.dumps(content)
            return Mapping.from_json(text).bind(header, strict=False)
        if self.is_of_shop:
            return self.look.shop.bind(header)
        return self.look.mapping

    @property
    def is_of_shop(self):
        """Whether the rules of a known shop's file apply, which are not changed column by
        column."""
        if self.look.shop is None:
            return False
        if self.base.startswith(PROFILE):
            return not self.profile.mapping
        return self.base.startswith(FORMAT)

    # --- Answering -------------------------------------------------------------------------------
    def answer(self):
        self._see()
        if self.look.fault is not None:
            return self._page(self._reading_form())
        self._choose_base()
        base = self.base_mapping()
        self.known = rules_by_column(base)
        chosen = self._chosen(base)
        self.chosen = chosen
        reading = self._reading_form(base)
        try:
            dates = reading.data.get("dates")
            self.mapping = base if self.is_of_shop else self._mapping(base, chosen, dates)
        except MappingError as fault:
            self.faults.append(str(fault))
            self.mapping = base
        policy = self._policy_form()
        name = NameForm(self.post if self.do == "remember" else None)
        is_meant = self.do in ("check", "remember") and self.same_columns and not self.is_new_base
        if is_meant and reading.is_valid() and policy.is_valid() and not self.faults:
            answer = self._act(reading, policy, name)
            if answer is not None:
                return answer
        return self._page(reading, policy, name)

    @property
    def do(self):
        return (self.post or {}).get("do")

    def _chosen(self, base):
        """For each column the target that was chosen, AS_IS for what the base makes of it."""
        header = self.look.header
        if self.post is None or not self.same_columns or self.is_new_base:
            return {column: AS_IS for column in header if column in self.known}
        return {
            column: self.post.get(f"column-{n}", AS_IS)
            for n, column in enumerate(header)
            if n < MOST_SHOWN or column in self.known
        }

    def _mapping(self, base, chosen, dates):
        options = self.post or self.options
        blank = options.get("blank") or "keep"
        return chosen_mapping(
            base,
            self.look.header,
            chosen,
            as_is=AS_IS,
            blank=blank if blank in ("keep", "clear") else "keep",
            dates=dates if dates in DATES else None,
        )

    def _reading_form(self, base=None):
        words = ""
        if base is not None:
            proven, is_open = self.look.date_orders(date_columns(base))
            words = " / ".join(str(DATES[order]) for order in sorted(proven))
            if is_open and not words:
                words = _("not clear") if self.look.is_whole else _("by the whole file")
        bases = self.bases() if base is not None else []
        first = {"base": self.base, **self.options}
        return ReadingForm(self.post, initial=first, look=self.look, bases=bases, found_dates=words)

    def _policy_form(self):
        mapping = self.mapping
        fields = {target.path[0] for rule in mapping.rules for target in rule.targets}
        keys = match_keys(mapping)
        usual = mapping.match if mapping.match in keys else next(iter(keys), "")
        bound = self.post if self.same_columns and not self.is_new_base else None
        on_match = (self.is_of_shop and self.look.shop.on_match) or SKIP
        if mapping.adds_children:
            on_match = "fill"
        first = {"on_match": on_match, "blank": mapping.blank, **self.options}
        if "create_groups" in first:
            first["create_groups"] = "yes" if first["create_groups"] else "no"
        return PolicyForm(bound, initial=first, keys=keys, fields=fields, found_key=usual)

    def _act(self, reading, policy, name):
        if self._must_ask_for_dates(reading):
            reading.add_error(
                "dates", _("The dates can be read day first or month first. Which is it?")
            )
            return None
        options = policy.options()
        for key in ("encoding", "delimiter", "sheet"):
            if value := reading.cleaned_data.get(key):
                options[key] = value
        kind = self.options.get("format")
        if self.is_of_shop:
            options["format"] = self.look.shop.name
            if dates := reading.cleaned_data.get("dates"):
                options["dates"] = dates
            content = None
        else:
            if kind in KINDS:
                options["format"] = kind
            try:
                content = written(self.mapping)
            except NotWritable:
                self.faults.append(_("These columns cannot be read in this way."))
                return None
            options["mapping"] = content
        try:
            if self.do == "remember":
                return self._remember(name, content, options)
            run = order_import(self.file, file_name=self.file_name, dry_run=True, options=options)
        except MappingError as fault:
            self.faults.append(str(fault))
            return None
        except ValidationError as error:
            self._put(error, reading, policy, name)
            return None
        return redirect(self.pages.url_name("change"), run.pk)

    def _must_ask_for_dates(self, reading):
        if reading.cleaned_data.get("dates"):
            return False
        proven, is_open = self.look.date_orders(date_columns(self.mapping))
        return is_open and self.look.is_whole

    def _remember(self, name, content, options):
        if not name.is_valid():
            return None
        profile = remember_profile(
            name.cleaned_data["name"], self.look.header_key, mapping=content, options=options
        )
        words = _("Remembered as “%(name)s”. Files with these columns are read in this way.")
        messages.success(self.request, words % {"name": profile.name})
        return None

    def _put(self, error, *shown_forms):
        told = error.error_dict if hasattr(error, "error_dict") else {"": error.error_list}
        for field, errors in told.items():
            form = next((form for form in shown_forms if field in form.fields), None)
            if form is not None and form.is_bound:
                form.add_error(field, errors)
            else:
                self.faults += ValidationError(errors).messages

    # --- The page --------------------------------------------------------------------------------
    def _page(self, reading, policy=None, name=None):
        look = self.look
        if look.fault is not None and reading.is_bound:
            field = look.asks if look.asks in reading.fields else None
            reading.full_clean()
            reading.add_error(field, str(look.fault))
        context = {
            "title": _("How is it to be read?"),
            "file_name": self.file_name,
            "size": filesizeformat(self.file.size),
            "expires_at": self.file.expires_at,
            "look": look,
            "fault": None if reading.is_bound else look.fault,
            "faults": self.faults,
            "reading": reading,
            "policy": policy,
            "name_form": name,
            "base": self.base,
            "from_run": self.run,
            "cancel_url": reverse(self.pages.url_name("changelist")),
        }
        if look.fault is None:
            context |= {
                "columns": self._columns(),
                "is_of_shop": self.is_of_shop,
                "left_out": len(look.header) - MOST_SHOWN,
                "shop": look.shop,
            }
        return self.pages.page(self.request, "admin/customers/importrun/set_up.html", context)

    def _columns(self):
        groups = offered_targets()
        offered = {name for _title, names in groups for name, _label in names}
        options = format_html_join("", '<optgroup label="{}">{}</optgroup>', _told(groups))
        near = {one.column: one for one in self.look.unmapped}
        if self.is_of_shop:
            reasons = dict(self.look.shop.reasons(self.look.header))
        shown = []
        for n, column in enumerate(self.look.header[:MOST_SHOWN]):
            rule, wish = self.known.get(column), self.chosen.get(column, "")
            line = {
                "n": n,
                "column": column,
                "samples": self.look.samples(column),
                "chosen": wish,
                "as_is": "",
                "other": "",
                "hint": "",
            }
            if rule is not None and (self.is_of_shop or not is_plain(rule)):
                line["as_is"] = rule_label(rule)
            elif rule is not None and wish == AS_IS:
                line["chosen"] = rule.to[0]
            if line["chosen"] not in ("", AS_IS) and line["chosen"] not in offered:
                line["other"] = capitalised(target_label(line["chosen"]))
            if self.is_of_shop and rule is None:
                line["hint"] = reasons.get(column) or _("Not taken.")
            elif rule is None and not wish and column in near:
                line["hint"] = self._hint(near[column])
            line["options"] = _with_chosen(options, line["chosen"])
            shown.append(line)
        return shown

    @staticmethod
    def _hint(unmapped):
        if unmapped.reason:
            return _("Not taken: %(reason)s.") % {"reason": unmapped.reason}
        if unmapped.nearest:
            return _("Not known. The nearest is “%(name)s”.") % {
                "name": capitalised(target_label(unmapped.nearest))
            }
        return _("Not known.")


def _told(groups):
    for title, names in groups:
        yield title, format_html_join("", '<option value="{}">{}</option>', names)


def _with_chosen(options, chosen):
    """The same options, one of them chosen; made once for all columns, because there are many."""
    marked = format_html('value="{}"', chosen)
    return mark_safe(options.replace(marked, f"{marked} selected", 1))  # noqa: S308
