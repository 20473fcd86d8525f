"""Imports in the back office: the list, the page of one import, and what can be done with it.

A check (dry run) shows what every row of the file would do; the same file is then imported for
real, watched, cancelled, taken back. What needs a decision of staff is a queue of its own.
"""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import OperationalError
from django.http import Http404, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import RadioFilter

from api.streaming import stream
from customers.admin.import_forms import BLANK, ON_MATCH
from customers.admin.import_upload import SetUpPages
from customers.admin.import_words import (
    OUTCOMES,
    capitalised,
    counts_in_words,
    lines_in_words,
    outcome_badge,
    state_badge,
    target_label,
    told_diff,
)
from customers.imports.ordering import cancel_import, repeat_import
from customers.imports.outcomes import are_kept, outcomes_of
from customers.imports.planning import REVIEW
from customers.imports.rejects import refused_rows
from customers.imports.reviewing import accept_proposals, decline_proposals, proposals_of
from customers.imports.sealed import chunks_of
from customers.imports.undoing import order_undo
from customers.models import Customer, ImportRun
from tenancy.admin.base import ReadOnlyAdmin
from tenancy.admin.telling import KINDS

State = ImportRun.State
ROWS_PER_PAGE = 50
FAULTS_SHOWN = 50
MOVING = (State.WAITING, State.RUNNING, State.UNDOING)


class RunStateFilter(RadioFilter):
    title, parameter_name = gettext_lazy("state"), "state"

    def lookups(self, request, model_admin):
        return State.choices

    def queryset(self, request, queryset):
        return queryset.filter(state=self.value()) if self.value() in State else queryset


class TriedFilter(RadioFilter):
    title, parameter_name = gettext_lazy("kind"), "kind"

    def lookups(self, request, model_admin):
        return [("real", _("Imports")), ("tried", _("Checks"))]

    def queryset(self, request, queryset):
        if self.value() not in ("real", "tried"):
            return queryset
        return queryset.filter(dry_run=self.value() == "tried")


@admin.register(ImportRun)
class ImportRunAdmin(SetUpPages, ReadOnlyAdmin):
    actions = None
    list_display = ("file_shown", "state_shown", "counts_shown", "who_shown", "created_at")
    list_filter = (RunStateFilter, TriedFilter)
    sortable_by = ()
    history_subject = None

    def has_add_permission(self, request):
        return request.user.has_perm("imports.create")

    def crumb(self, run):
        return run.file_name or str(run.pk)

    # --- List -------------------------------------------------------------------------------------
    @admin.display(description=gettext_lazy("file"))
    def file_shown(self, run):
        return run.file_name or "–"

    @admin.display(description=gettext_lazy("state"))
    def state_shown(self, run):
        return state_badge(run)

    @admin.display(description=gettext_lazy("rows"))
    def counts_shown(self, run):
        return counts_in_words(run)

    @admin.display(description=gettext_lazy("who"))
    def who_shown(self, run):
        return run.actor_label or str(KINDS.get(run.actor_kind, run.actor_kind))

    # --- Addresses --------------------------------------------------------------------------------
    def get_urls(self):
        def own(name, view):
            return self.own_path(f"<uuid:object_id>/{name}/", view, name)

        return [
            own("state", self.state_view),
            own("import", self.repeat_view),
            own("cancel", self.cancel_view),
            own("undo", self.undo_view),
            own("refused", self.refused_view),
            own("review", self.review_view),
            *super().get_urls(),
        ]

    def _run(self, request, object_id):
        return self.get_or_404(request, str(object_id))

    def _page_of(self, run):
        return reverse(self.url_name("change"), args=[run.pk])

    # --- One import -------------------------------------------------------------------------------
    def change_view(self, request, object_id, form_url="", extra_context=None):
        run = self.get_or_404(request, object_id)
        if not self.has_view_permission(request, run):
            raise PermissionDenied
        context = {"title": run.file_name or _("Import"), **self._state(request, run)}
        context |= self._rows(request, run) if run.dry_run else self._faults(run)
        context["facts"] = list(self._facts(run))
        context["left"] = self._left(run)
        return self.page(request, "admin/customers/importrun/run.html", context, obj=run)

    def state_view(self, request, object_id):
        """What changes while an import runs, as a piece of the page."""
        run = self._run(request, object_id)
        if not self.has_view_permission(request, run):
            raise PermissionDenied
        template = "admin/customers/importrun/state.html"
        return TemplateResponse(request, template, self._state(request, run))

    def _state(self, request, run):
        counts = [
            (name, words, run.counts.get(name, 0)) for name, (words, _kind) in OUTCOMES.items()
        ]
        waiting = run.counts.get("to_review", 0) - len(run.decided)
        return {
            "run": run,
            "badge": state_badge(run),
            "is_moving": run.state in MOVING,
            "counts": counts if run.counts else [],
            "sum": lines_in_words(run) if run.counts else "",
            "n_to_review": max(0, waiting) if not run.dry_run else 0,
            "may_repeat": run.dry_run and run.state == State.DONE and run.file_id is not None,
            "may_go_on": not run.dry_run and run.state == State.CANCELLED and run.file_id,
            "may_change": run.file_id is not None and run.state not in MOVING and run.dry_run,
            "may_cancel": run.state in (State.WAITING, State.RUNNING) and not run.cancel_requested,
            "may_undo": not run.dry_run
            and run.state in (State.DONE, State.CANCELLED)
            and run.n_chunks > 0,
            "touched": not run.dry_run and run.n_chunks > 0,
        }

    def _rows(self, request, run):
        """A page of what would become of each row."""
        if run.state != State.DONE:
            return {}
        asked = request.GET.get("outcome")
        outcome = asked if asked in OUTCOMES else None
        total = run.counts.get(outcome or "lines", 0)
        n_pages = max(1, -(-total // ROWS_PER_PAGE))
        page = min(_number(request.GET.get("page")), n_pages)
        start = (page - 1) * ROWS_PER_PAGE
        rows = outcomes_of(run, outcome, start, start + ROWS_PER_PAGE)
        known = Customer.objects.in_bulk({row.customer for row in rows if row.customer})
        known = {str(key): customer for key, customer in known.items()}
        why_left = _("Would be different, but known customers are left alone:")
        if run.facts.get("on_match") == REVIEW:
            why_left = _("Will wait for your decision:")
        query = f"outcome={outcome}&" if outcome else ""
        return {
            "rows": [
                {
                    "line": row.line,
                    "badge": outcome_badge(row.outcome),
                    "label": row.label,
                    "customer": known.get(row.customer),
                    "faults": row.faults or [],
                    "diff": told_diff(row.diff) if row.diff else [],
                    "why_left": why_left if row.outcome == "skipped" else "",
                }
                for row in rows
            ],
            "rows_kept": bool(rows) or not total or are_kept(run),
            "outcome": outcome,
            "page_number": page,
            "n_pages": n_pages,
            "first": start + 1,
            "last": start + len(rows),
            "total": total,
            "before_url": f"?{query}page={page - 1}" if page > 1 else "",
            "after_url": f"?{query}page={page + 1}" if page < n_pages else "",
        }

    @staticmethod
    def _faults(run):
        """The first reasons against rows of a real import."""
        if not run.counts.get("refused"):
            return {"faults": []}
        found = []
        for chunk in chunks_of(run):
            found += chunk["errors"]
            if len(found) >= FAULTS_SHOWN:
                break
        return {"faults": found[:FAULTS_SHOWN], "more_faults": len(found) >= FAULTS_SHOWN}

    @staticmethod
    def _facts(run):
        """(what, how) the file was read."""
        facts, options = run.facts, run.options
        if facts.get("format"):
            yield _("Read as"), facts["format"]
        yield _("Kind of file"), (facts.get("kind") or options.get("format") or "").upper()
        yield _("Encoding"), facts.get("encoding") or options.get("encoding")
        yield _("Between the cells"), _visible(facts.get("delimiter"))
        match = facts.get("match") or options.get("match")
        known = capitalised(target_label(match)) if match else _("the whole content of a row")
        yield _("Known customers are found by"), known
        policy = facts.get("on_match") or options.get("on_match")
        yield _("What happens to them"), ON_MATCH.get(policy)
        named = options.get("overwrites")
        if named:
            labels = (capitalised(target_label(name)) for name in named)
            yield _("Replace only these fields"), ", ".join(labels)
        yield _("A blank cell"), BLANK.get(options.get("blank"))

    @staticmethod
    def _left(run):
        """Whom an undo left as they are, because they were changed since."""
        ids = (run.undone or {}).get("left", [])[:20]
        return list(Customer.objects.filter(pk__in=ids)) if ids else []

    # --- Deeds ------------------------------------------------------------------------------------
    def repeat_view(self, request, object_id):
        run = self._run(request, object_id)
        return self._do(request, run, "imports.repeat", lambda: repeat_import(run))

    def cancel_view(self, request, object_id):
        run = self._run(request, object_id)
        return self._do(request, run, "imports.cancel", lambda: cancel_import(run))

    def _do(self, request, run, operation, deed):
        """A deed behind one button of the page; answers the page of the run that it is about."""
        self.insist(request, operation)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            run = deed()
        except ValidationError as error:
            for message in error.messages:
                messages.error(request, message)
        except OperationalError:
            # On SQLite nobody writes while a file is checked.
            messages.error(request, _("The database is busy with it; try again in a moment."))
        return redirect(self._page_of(run))

    def undo_view(self, request, object_id):
        run = self._run(request, object_id)
        self.insist(request, "imports.undo")
        if request.method == "POST":
            return self._do(request, run, "imports.undo", lambda: order_undo(run))
        n_made, n_changed = run.counts.get("created", 0), run.counts.get("updated", 0)
        context = {
            "title": _("Take the import back: %(file)s") % {"file": run.file_name},
            "sentence": _(
                "The %(made)s customers that it made are deleted, the %(changed)s that it changed "
                "get back what they had. Whoever was changed since is left as they are, and named "
                "afterwards. Consents and levels stay."
            )
            % {"made": f"{n_made:,}", "changed": f"{n_changed:,}"},
            "button": _("Take it back"),
            "danger": True,
            "blocked": ""
            if self._state(request, run)["may_undo"]
            else _("Only an import that has ended and wrote something can be taken back."),
            "cancel_url": self._page_of(run),
        }
        return self.page(request, "admin/deed.html", context, obj=run)

    def refused_view(self, request, object_id):
        """The refused rows, to be mended and handed in again."""
        run = self._run(request, object_id)
        self.insist(request, "imports.refused")
        is_table = run.facts.get("kind", "csv") in ("csv", "xlsx")
        stem = run.file_name.rpartition(".")[0] or run.file_name or "import"
        response = stream(
            (piece.encode() for piece in refused_rows(run)),
            content_type="text/csv; charset=utf-8" if is_table else "application/x-ndjson",
            filename=f"{stem}-{_('refused')}.{'csv' if is_table else 'jsonl'}",
        )
        response["Cache-Control"] = "private, no-store"
        return response

    # --- What staff decide ------------------------------------------------------------------------
    def review_view(self, request, object_id):
        """Rows that would change a known customer: taken over, or left, a page at a time."""
        run = self._run(request, object_id)
        self.insist(request, "imports.review")
        if run.dry_run:
            raise Http404
        if request.method == "POST":
            return self._decide(request, run)
        proposals = []
        for proposal in proposals_of(run):
            proposals.append(proposal)
            if len(proposals) == ROWS_PER_PAGE:
                break
        known = Customer.objects.in_bulk({one["customer"] for one in proposals})
        known = {str(key): customer for key, customer in known.items()}
        context = {
            "title": _("Decide: %(file)s") % {"file": run.file_name},
            "run": run,
            "rows": [
                {
                    "line": one["line"],
                    "customer": known.get(one["customer"]),
                    "diff": told_diff(one),
                }
                for one in proposals
            ],
            "n_left": max(0, run.counts.get("to_review", 0) - len(run.decided)),
            "back_url": self._page_of(run),
        }
        return self.page(request, "admin/customers/importrun/review.html", context, obj=run)

    def _decide(self, request, run):
        here = redirect(self.url_name("review"), run.pk)
        lines = [_number(text) for text in request.POST.getlist("line")][:ROWS_PER_PAGE]
        if not lines:
            messages.error(request, _("Tick the rows that you decide on."))
            return here
        try:
            if request.POST.get("do") == "leave":
                self.insist(request, "imports.accept")
                decline_proposals(run, lines)
                words = _("They stay as they are; nobody is asked about these rows again.")
                messages.success(request, words)
                return here
            self.insist(request, "imports.accept")
            taken = accept_proposals(run, lines)
        except ValidationError as error:
            for message in error.messages:
                messages.error(request, message)
            return here
        messages.success(request, _("The ticked rows are being taken over."))
        return redirect(self._page_of(taken))


def _number(text):
    """A page or line that somebody sent; 1 for what is none."""
    text = text or ""
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 10 else 1


def _visible(mark):
    return {"\t": _("Tab")}.get(mark, mark)
