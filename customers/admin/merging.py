"""Merging in the back office: the queue of possible duplicates, two records side by side, undoing.

A clerk decides one pair after the other: after each decision the next pair is there, and what was
done can be undone from the message above it. Everything is plain forms and links; Alt with the
letter that the button names is quicker than tabbing.
"""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q
from django.http import Http404
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import RadioFilter
from unfold.paginator import InfinitePaginator

from customers.admin.comparing import compare_page, ticked
from customers.admin.deed import ReasonForm
from customers.likeness.wording import reason_in_words, speaks_for, strength_in_words
from customers.models import Customer, Merge, PossibleDuplicate
from customers.services import (
    CustomerGone,
    MergeBlocked,
    VersionConflict,
    merge_customers,
    not_duplicates,
    undo_merge,
)
from tenancy import clock
from tenancy.admin.base import ReadOnlyAdmin
from tenancy.admin.telling import badge

PAGE = "admin/customers/possibleduplicate/compare.html"
State = PossibleDuplicate.State


class ComparePage:
    """Two records side by side; a part of the admins that have a way to it."""

    def compare(self, request, one, other, *, pair=None):
        """Show two Customers; on POST merge them, tell them apart, or show what was ticked."""
        self.insist(request, "customers.merge")
        survivor, other = _sides(request, one, other)
        try:
            chosen = ticked(request.POST)
            context, choices = compare_page(survivor, other, chosen)
        except CustomerGone as gone:
            raise Http404 from gone
        form = ReasonForm(request.POST if request.method == "POST" else None)
        deed = request.POST.get("do")
        if deed == "skip" and pair is not None:
            return redirect(next_page(pair))
        if deed in ("merge", "apart") and form.is_valid():
            reason = form.cleaned_data["reason"]
            if deed == "apart":
                done = self._tell_apart(request, survivor, other, reason)
            else:
                done = self._merge(request, survivor, other, choices, reason)
            if done:
                return redirect(next_page(pair) if pair else _page_of(survivor))
            return redirect(request.get_full_path())
        context |= {
            "title": _("Is this the same person?"),
            "survivor": survivor,
            "other": other,
            "pair": pair,
            "strength": pair and strength_in_words(pair.score),
            "reasons": pair and told_reasons(pair),
            "form": form,
            "swap_url": f"?survivor={other.pk}",
            "cancel_url": reverse("admin:customers_possibleduplicate_changelist")
            if pair
            else _page_of(survivor),
        }
        return self.page(request, PAGE, context)

    def _merge(self, request, survivor, other, choices, reason):
        seen = {
            customer.pk: _number(request.POST.get(f"version-{customer.pk}"))
            for customer in (survivor, other)
        }
        codes = {"other": other.code, "survivor": survivor.code}
        try:
            merge = merge_customers(
                survivor, other, choices=choices, expected_versions=seen, reason=reason
            )
        except VersionConflict:
            messages.error(request, _("One of the two was changed meanwhile. Look again."))
        except MergeBlocked as error:
            for blocker in error.blockers:
                messages.error(request, blocker["message"])
        except ValidationError as error:
            for message in error.messages:
                messages.error(request, message)
        except CustomerGone:
            messages.error(request, _("One of the two was deleted meanwhile."))
        else:
            until = date_format(timezone.localtime(merge.undo_until), "DATE_FORMAT")
            messages.success(
                request,
                format_html(
                    '{} <a class="link" href="{}">{}</a>',
                    _("%(other)s is part of %(survivor)s now. It can be undone until %(until)s.")
                    % {**codes, "until": until},
                    reverse("admin:customers_merge_change", args=[merge.pk]),
                    _("Undo"),
                ),
            )
            return True
        return False

    def _tell_apart(self, request, survivor, other, reason):
        try:
            not_duplicates(survivor, other, reason=reason)
        except CustomerGone:
            messages.error(request, _("One of the two was deleted meanwhile."))
            return False
        messages.success(
            request,
            _("%(one)s and %(other)s are two people. Nobody will be asked again.")
            % {"one": survivor.code, "other": other.code},
        )
        return True


def _sides(request, one, other):
    """(survivor, other): as asked for, else whoever was there first and is not deactivated."""
    asked = request.POST.get("survivor") or request.GET.get("survivor")
    if asked in (str(one.pk), str(other.pk)):
        return (one, other) if asked == str(one.pk) else (other, one)
    blocked = Customer.Status.BLOCKED
    pair = sorted(
        (one, other), key=lambda each: (each.status == blocked, each.created_at, each.number or 0)
    )
    return pair[0], pair[1]


def _number(text):
    return int(text) if (text or "").isascii() and (text or "").isdigit() else -1


def _page_of(customer):
    return reverse("admin:customers_customer_change", args=[customer.pk])


def next_page(pair):
    """Where the clerk goes on after this pair: the next one, the first of those left, the list."""
    to_decide = PossibleDuplicate.objects.to_decide().exclude(pk=pair.pk)
    behind = Q(score__lt=pair.score) | Q(score=pair.score, pk__gt=pair.pk)
    following = to_decide.filter(behind).first() or to_decide.first()
    if following is None:
        return reverse("admin:customers_possibleduplicate_changelist")
    return reverse("admin:customers_possibleduplicate_change", args=[following.pk])


def told_reasons(pair):
    """(words, whether it speaks for one person) of each reason, those for it first."""
    told = [(reason_in_words(*reason), speaks_for(reason[1])) for reason in pair.reasons]
    return sorted(told, key=lambda reason: not reason[1])


# --- The queue -----------------------------------------------------------------------------------
class DecisionFilter(RadioFilter):
    title, parameter_name = gettext_lazy("state"), "state"

    def lookups(self, request, model_admin):
        return [*State.choices, ("all", _("all"))]

    def queryset(self, request, queryset):
        if self.value() == "all":
            return queryset
        if self.value() in (State.NOT_SAME, State.MERGED):
            return queryset.filter(state=self.value())
        return queryset.to_decide()


@admin.register(PossibleDuplicate)
class PossibleDuplicateAdmin(ComparePage, ReadOnlyAdmin):
    paginator = InfinitePaginator
    actions = None
    list_display = ("pair_shown", "names_shown", "reasons_shown", "state_shown", "found_at")
    list_filter = (DecisionFilter,)
    list_select_related = ("first", "second")
    ordering = ("-score", "id")
    sortable_by = ()

    @admin.display(description=gettext_lazy("records"))
    def pair_shown(self, pair):
        return f"{pair.first.code or '–'} · {pair.second.code or '–'}"

    @admin.display(description=gettext_lazy("names"))
    def names_shown(self, pair):
        return format_html(
            "<bdi>{}</bdi><br><bdi>{}</bdi>", pair.first.display_name, pair.second.display_name
        )

    @admin.display(description=gettext_lazy("why"))
    def reasons_shown(self, pair):
        words = [text for text, is_for in told_reasons(pair) if is_for]
        against = [text for text, is_for in told_reasons(pair) if not is_for]
        told = format_html_join(", ", "{}", ((text,) for text in words))
        if against:
            told = format_html('{} <span class="muted">· {}</span>', told, ", ".join(against))
        return told

    @admin.display(description=gettext_lazy("state"))
    def state_shown(self, pair):
        if pair.state == State.OPEN:
            return badge(strength_in_words(pair.score), "info")
        return badge(pair.get_state_display())

    def change_view(self, request, object_id, form_url="", extra_context=None):
        pair = self.get_or_404(request, object_id)
        if not self.has_view_permission(request, pair):
            raise PermissionDenied
        if pair.first.merged_into_id or pair.second.merged_into_id:
            messages.info(request, _("These two are one record by now."))
            survivor = pair.first.merged_into_id or pair.second.merged_into_id
            return redirect("admin:customers_customer_change", survivor)
        return self.compare(request, pair.first, pair.second, pair=pair)


# --- Any two customers ---------------------------------------------------------------------------
class MergeTwo(ComparePage):
    """Part of the customers' admin: two ticked rows, side by side."""

    @admin.action(description=gettext_lazy("Compare and merge two…"))
    def merge_two(self, request, queryset):
        self.insist(request, "customers.merge")
        pair = list(queryset.order_by("number")[:3])
        if len(pair) != 2:
            messages.error(request, _("Tick exactly two customers."))
            return None
        return redirect(self.url_name("merge"), pair[0].pk, pair[1].pk)

    def get_urls(self):
        route = "<uuid:object_id>/merge/<uuid:other_id>/"
        return [self.own_path(route, self.merge_view, "merge"), *super().get_urls()]

    def merge_view(self, request, object_id, other_id):
        customers = Customer.objects.select_related("tenant").in_bulk([object_id, other_id])
        if len(customers) != 2:
            raise Http404
        return self.compare(request, customers[object_id], customers[other_id])

    def told_doubles(self, request, customer):
        """What the customer's page says of duplicates: a pair to decide, and what was merged."""
        if not request.user.has_perm("customers.merge"):
            return {}
        return {
            "possible_duplicate": PossibleDuplicate.objects.about(customer.pk).to_decide().first(),
            "merges": Merge.objects.filter(survivor=customer, undone_at=None).select_related(
                "merged"
            )[:5],
        }


# --- What was merged -----------------------------------------------------------------------------
@admin.register(Merge)
class MergeAdmin(ReadOnlyAdmin):
    paginator = InfinitePaginator
    actions = None
    list_display = ("at", "survivor", "merged", "actor_label", "state_shown")
    list_select_related = ("survivor", "merged")
    ordering = ("-at", "-id")
    sortable_by = ()

    def crumb(self, merge):
        return f"{merge.merged.code} → {merge.survivor.code}"

    @admin.display(description=gettext_lazy("state"))
    def state_shown(self, merge):
        if merge.undone_at:
            return badge(_("undone"))
        if not self._may_be_undone(merge):
            return badge(_("final"))
        until = date_format(timezone.localtime(merge.undo_until), "DATE_FORMAT")
        return badge(_("can be undone until %(until)s") % {"until": until}, "info")

    @staticmethod
    def _may_be_undone(merge):
        return bool(merge.journal) and not merge.undone_at and clock.now() <= merge.undo_until

    def change_view(self, request, object_id, form_url="", extra_context=None):
        """One merge, and the way back."""
        merge = self.get_or_404(request, object_id)
        self.insist(request, "merges.undo")
        form = ReasonForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            try:
                undo_merge(merge, reason=form.cleaned_data["reason"])
            except ValidationError as error:
                form.add_error(None, error.messages)
            except CustomerGone as gone:
                raise Http404 from gone
            else:
                other = Customer.objects.get(pk=merge.merged_id)
                messages.success(
                    request,
                    _("%(survivor)s and %(other)s are two records again.")
                    % {"survivor": merge.survivor, "other": other},
                )
                return redirect(_page_of(merge.survivor))
        blocked = ""
        if merge.undone_at:
            blocked = _("This merge was undone.")
        elif not self._may_be_undone(merge):
            blocked = _("The time to undo this merge is over.")
        codes = {"other": merge.merged.code or merge.merged_id, "survivor": merge.survivor}
        context = {
            "title": _("Undo: %(other)s became part of %(survivor)s") % codes,
            "sentence": _(
                "Both become records of their own again. The merged record comes back as it was, "
                "with its points; what was added to the other since stays there."
            ),
            "form": form,
            "button": _("Undo the merge"),
            "blocked": blocked,
            "cancel_url": _page_of(merge.survivor),
        }
        return self.page(request, "admin/deed.html", context, obj=merge)
