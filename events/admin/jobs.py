"""The background jobs of the tenant: what waits, what runs, what was given up and why."""

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django_tasks_db.models import DBTaskResult
from unfold.contrib.filters.admin import DropdownFilter, RadioFilter
from unfold.paginator import InfinitePaginator

from events.admin.job_words import in_words
from events.jobs.deeds import cancel_job, retry_job
from events.jobs.registry import job_names
from events.models import Job
from tenancy.admin.base import ReadOnlyAdmin
from tenancy.admin.telling import KINDS, badge, moment
from tenancy.scoping import all_tenants, current_tenant

# The queue knows no tenant; what people see of it are jobs.
admin.site.unregister(DBTaskResult)

AT_ONCE = 500
COLOURS = {
    Job.State.RUNNING: "info",
    Job.State.DONE: "success",
    Job.State.DEAD: "danger",
    Job.State.CANCELLED: "warning",
}


class WhoseFilter(RadioFilter):
    """For operators: the jobs that no tenant owns, instead of the tenant's."""

    title, parameter_name = gettext_lazy("whose"), "whose"

    def lookups(self, request, model_admin):
        return [("installation", _("The installation's"))] if request.user.is_superuser else []

    def queryset(self, request, queryset):
        if self.value() != "installation" or not request.user.is_superuser:
            return queryset
        with all_tenants():
            return Job.objects.of_installation()


class StateFilter(RadioFilter):
    title, parameter_name = gettext_lazy("state"), "state"

    def lookups(self, request, model_admin):
        return Job.State.choices

    def queryset(self, request, queryset):
        return queryset.filter(state=self.value()) if self.value() in Job.State else queryset


class NameFilter(DropdownFilter):
    """One of the jobs there are, without asking the table which ones it holds."""

    title, parameter_name = gettext_lazy("job"), "name"

    def lookups(self, request, model_admin):
        return sorted(((name, in_words(name)) for name in job_names()), key=lambda pair: pair[1])

    def queryset(self, request, queryset):
        return queryset.filter(name=self.value()) if self.value() in job_names() else queryset


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    paginator = InfinitePaginator  # a table too large to count on every visit
    list_disable_select_all = True
    list_display = (
        "told_name",
        "state_shown",
        "progress",
        "attempts",
        "next_try",
        "problem",
        "created_at",
    )
    # The first replaces the rows that the others narrow.
    list_filter = (WhoseFilter, StateFilter, NameFilter)
    sortable_by = ()
    history_subject = "job"
    actions = ("retry_many", "cancel_many")
    fields = (
        *("told_name", "name", "state_shown", "progress", "attempts", "next_try", "problem"),
        *("created_at", "ordered_by", "started_at", "finished_at", "ids", "request_id"),
    )

    def get_queryset(self, request):
        if request.user.is_superuser and not self._is_list(request):
            with all_tenants():
                return Job.objects.filter(Q(tenant=current_tenant()) | Q(tenant=None))
        return super().get_queryset(request)

    def _is_list(self, request):
        return request.resolver_match.url_name == "events_job_changelist"

    # --- Shown ----------------------------------------------------------------------------------
    def crumb(self, job):
        return in_words(job.name)

    @admin.display(description=gettext_lazy("what"))
    def told_name(self, job):
        return in_words(job.name)

    @admin.display(description=gettext_lazy("state"))
    def state_shown(self, job):
        if job.state == Job.State.RUNNING and job.cancel_requested:
            return badge(_("Is being cancelled"), "warning")
        return badge(job.get_state_display(), COLOURS.get(job.state, ""))

    @admin.display(description=gettext_lazy("progress"))
    def progress(self, job):
        if job.progress_total:
            done = f"{job.progress_done:,} / {job.progress_total:,}"
        else:
            done = f"{job.progress_done:,}" if job.progress_done else ""
        return " · ".join(filter(None, (done, job.progress_note))) or "–"

    @admin.display(description=gettext_lazy("next try"))
    def next_try(self, job):
        return moment(job.run_at) if job.state == Job.State.WAITING else None

    @admin.display(description=gettext_lazy("last error"))
    def problem(self, job):
        return ": ".join(filter(None, (job.error_kind, job.error))) or "–"

    @admin.display(description=gettext_lazy("ordered by"))
    def ordered_by(self, job):
        return job.actor_label or str(KINDS.get(job.actor_kind, job.actor_kind))

    @admin.display(description=gettext_lazy("ids"))
    def ids(self, job):
        return ", ".join(f"{name} {value}" for name, value in job.args.items()) or "–"

    # --- Deeds ----------------------------------------------------------------------------------
    def get_actions(self, request):
        actions = super().get_actions(request)
        allowed = {"retry_many": "jobs.retry", "cancel_many": "jobs.cancel"}
        return {
            name: action
            for name, action in actions.items()
            if name not in allowed or request.user.has_perm(allowed[name])
        }

    @admin.action(description=gettext_lazy("Run again"))
    def retry_many(self, request, queryset):
        self._do(request, queryset, retry_job, "jobs.retry")

    @admin.action(description=gettext_lazy("Cancel"))
    def cancel_many(self, request, queryset):
        self._do(request, queryset, cancel_job, "jobs.cancel")

    def _do(self, request, queryset, deed, operation):
        self.insist(request, operation)
        n_done, refused = 0, []
        for job in queryset[:AT_ONCE]:
            try:
                deed(job)
                n_done += 1
            except ValidationError as error:
                refused.append(f"{in_words(job.name)}: {' '.join(error.messages)}")
        if n_done:
            sentence = ngettext("Done for %(n)d job.", "Done for %(n)d jobs.", n_done)
            messages.success(request, sentence % {"n": n_done})
        for line in refused[:20]:
            messages.error(request, line)

    def get_urls(self):
        return [
            self.own_path("<path:object_id>/retry/", self.retry_view, "retry"),
            self.own_path("<path:object_id>/cancel/", self.cancel_view, "cancel"),
            *super().get_urls(),
        ]

    def render_change_form(self, request, context, *args, **kwargs):
        job = kwargs.get("obj")
        links = []
        if job is not None and job.may_be_retried and request.user.has_perm("jobs.retry"):
            links.append(self._link(job, _("Run again"), "replay", "retry"))
        if job is not None and job.may_be_cancelled and request.user.has_perm("jobs.cancel"):
            links.append(self._link(job, _("Cancel"), "block", "cancel"))
        context["actions_detail"] = links
        return super().render_change_form(request, context, *args, **kwargs)

    def _link(self, job, title, icon, name):
        path = reverse(self.url_name(name), args=[job.pk])
        return {"title": title, "icon": icon, "path": path}

    def retry_view(self, request, object_id):
        sentence = _("It runs as soon as a worker is free, and its attempts are counted anew.")
        done = _("The job “%(job)s” will run again.")
        return self._deed(request, object_id, retry_job, "retry", _("Run again"), sentence, done)

    def cancel_view(self, request, object_id):
        sentence = _("A job that waits ends at once; one that runs ends when it next looks up.")
        done = _("The job “%(job)s” is cancelled, or ends soon.")
        return self._deed(request, object_id, cancel_job, "cancel", _("Cancel"), sentence, done)

    def _deed(self, request, object_id, deed, name, title, sentence, done):
        job = self.get_or_404(request, object_id)
        self.insist(request, f"jobs.{name}")
        page = reverse(self.url_name("change"), args=[job.pk])
        if request.method == "POST":
            try:
                deed(job)
                messages.success(request, done % {"job": in_words(job.name)})
            except ValidationError as error:
                for message in error.messages:
                    messages.error(request, message)
            return redirect(page)
        context = {
            "title": f"{title}: {in_words(job.name)}",
            "sentence": sentence,
            "button": title,
            "cancel_url": page,
        }
        return self.page(request, "admin/deed.html", context, obj=job)
