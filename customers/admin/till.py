"""The till search as a page, and as what is fetched while somebody types.

What is typed is personal, so that it is sent in the body of a request and stands in no address.
"""

from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

import normalise
from customers.till import FEWEST_CHARACTERS, LONGEST, find_at_till
from loyalty.amounts import points_told
from loyalty.status import statuses_of
from tenancy.permissions import MASKED, sees_field

# Sent by the script in place of asking for a whole page.
FRAGMENT = "X-Fragment"
RESULTS = "admin/customers/customer/till_results.html"
KINDS = {
    "number": gettext_lazy("number"),
    "card_number": gettext_lazy("card"),
    "external_id": gettext_lazy("external id"),
    "username": gettext_lazy("username"),
    "name": gettext_lazy("name"),
    "first_name": gettext_lazy("first name"),
    "last_name": gettext_lazy("last name"),
    "company_name": gettext_lazy("company"),
    "emails": gettext_lazy("e-mail"),
    "phones": gettext_lazy("phone"),
    "former": gettext_lazy("merged into this one"),
    "record": gettext_lazy("something else in the record"),
}


class TillPages:
    """The page of the till search, as a part of the customer admin."""

    def get_urls(self):
        return [self.own_path("find/", self.find_view, "find"), *super().get_urls()]

    def find_view(self, request):
        """The box; of a POST with `typed` also who was found: the page, or its results alone."""
        self.insist(request, "customers.search")
        typed = request.POST.get("typed", "").strip()[:LONGEST]
        context = {"typed": typed, **self.found_context(request, typed)}
        if FRAGMENT in request.headers:
            return TemplateResponse(request, RESULTS, context)
        context |= {"title": _("Find a customer"), "may_search": True}
        return self.page(request, "admin/customers/customer/till_page.html", context)

    def found_context(self, request, typed):
        """What the results show."""
        if len(typed) < FEWEST_CHARACTERS:
            return {"is_search": False}
        hits, has_more = find_at_till(typed)
        customers = [hit.customer for hit in hits]
        standing = statuses_of(customers) if request.user.has_perm("loyalty.retrieve") else {}
        role, terms = self.reader(request), normalise.search_terms(typed)
        return {
            "is_search": True,
            "hits": [_told(hit, standing.get(hit.customer.pk), role, terms) for hit in hits],
            "has_more": has_more,
            "may_register": self.has_add_permission(request),
        }


def _told(hit, standing, role, terms):
    """A hit as a row, as far as `role` may read it."""
    customer = hit.customer
    phone = next((row.e164 or row.given for row in customer.phones.all()), "")
    email = next((row.address for row in customer.emails.all()), "")
    if role == MASKED:
        shown = [phone and normalise.mask_phone(phone), email and normalise.mask_email(email)]
    else:
        contacts = (phone, sees_field(role, "phones")), (email, sees_field(role, "emails"))
        shown = [text for text, is_seen in contacts if is_seen]
    return {
        "customer": customer,
        "name": [
            (word, any(term.value in normalise.fold(word) for term in terms))
            for word in customer.display_name.split()
        ],
        "contacts": [text for text in shown if text],
        "reasons": [
            (KINDS[kind], text if _says_more(kind, text, customer, role) else "")
            for kind, text in hit.reasons
        ],
        "level": standing.level if standing else None,
        "points": points_told(standing.points) if standing else "",
    }


def _says_more(kind, text, customer, role):
    """Whether the text of a reason tells what the row does not show anyway, and may be read."""
    if kind in ("number", "former"):
        return kind == "former"
    return text != customer.display_name and sees_field(role, kind)
