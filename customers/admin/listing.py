"""The list of customers: views that are found again, and deeds for all that its filters show."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from customers.admin.bulk_deeds import kinds_for
from customers.models import Customer, SavedView
from customers.services.saved_views import forget_view, save_view
from tenancy.scoping import current_tenant


class ListPages:
    """Saved views and "all of them", as parts of the customer admin."""

    def get_urls(self):
        return [
            self.own_path("all/", self.all_view, "all"),
            self.own_path("views/save/", self.save_view_view, "save_view"),
            self.own_path("views/<uuid:view_id>/forget/", self.forget_view_view, "forget_view"),
            *super().get_urls(),
        ]

    def changelist_view(self, request, extra_context=None):
        member = request.user.membership_in(current_tenant())
        query = request.GET.urlencode()
        views = SavedView.objects.for_member(member).select_related("member__user")
        context = {
            "saved_views": [
                {"view": view, "own": view.member_id == member.pk, "open": view.query == query}
                for view in views
            ]
            if member
            else [],
            "may_save_view": member is not None and bool(request.GET.keys() - {"q", "p"}),
            "may_do_all": bool(kinds_for(request.user)),
        }
        return super().changelist_view(request, {**(extra_context or {}), **context})

    # --- Views ----------------------------------------------------------------------------------
    def save_view_view(self, request):
        """By POST: keep the filters (`query`) under `name`."""
        member = self._member(request)
        query = request.POST.get("query", "")[:4_000]
        try:
            view = save_view(
                member,
                name=request.POST.get("name", ""),
                query=query,
                shared=request.POST.get("shared") == "on",
            )
        except ValidationError as error:
            self.message_user(request, " ".join(error.messages), messages.ERROR)
            return redirect(f"{self._list()}?{query}" if query else self._list())
        self.message_user(request, _("The view “%(name)s” is saved.") % {"name": view.name})
        return redirect(f"{self._list()}?{view.query}")

    def forget_view_view(self, request, view_id):
        """By POST: forget an own view."""
        if not forget_view(self._member(request), view_id):
            raise Http404
        self.message_user(request, _("The view is forgotten."))
        return redirect(self._list())

    def _member(self, request):
        member = request.user.membership_in(current_tenant())
        if request.method != "POST" or member is None or not self.has_view_permission(request):
            raise Http404
        return member

    # --- All that match -------------------------------------------------------------------------
    def all_view(self, request):
        """How many customers the list with these filters shows, and what may be done with all of
        them; a POST of `deed` chooses them for it and leads to the page that confirms."""
        kinds = {kind.name: kind for kind in kinds_for(request.user)}
        if not kinds:
            raise Http404
        found = self.get_changelist_instance(request).get_queryset(request)
        chosen = Customer.objects.filter(pk__in=found.order_by().values("pk"))
        if request.method == "POST":
            if request.POST.get("deed") not in kinds:
                raise Http404
            begun = self.begin_many(request, chosen, kinds[request.POST["deed"]])
            if begun is not None:
                return begun
        elif request.method != "GET":
            return HttpResponseNotAllowed(["GET", "POST"])
        n = chosen.count()
        context = {
            "title": ngettext("%(n)s customer", "%(n)s customers", n) % {"n": f"{n:,}"},
            "n": n,
            "deeds": [
                {"name": kind.name, "words": kind.label, "most": f"{kind.most:,}",
                 "too_many": n > kind.most}
                for kind in kinds.values()
            ],
            "query": request.GET.urlencode(),
        }  # fmt: skip
        return self.page(request, "admin/customers/customer/all.html", context)

    def _list(self):
        return reverse(self.url_name("changelist"))
