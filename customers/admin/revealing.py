"""Contact data of one customer, shown to a seller of a tenant that masks it."""

from django.http import HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import reverse

from customers.services.revealing import record_reveal
from tenancy.masking import reveal
from tenancy.permissions import MASKED


class RevealPages:
    """The deed behind the button on the customer page."""

    def get_urls(self):
        return [
            self.own_path("<path:object_id>/reveal/", self.reveal_view, "reveal"),
            *super().get_urls(),
        ]

    def reveal_view(self, request, object_id):
        """By POST: write down that the person looks, then show it for a while."""
        customer = self.get_or_404(request, object_id)
        self.insist(request, "customers.retrieve")
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if self.reader(request) == MASKED:
            record_reveal(customer)
            reveal(request, customer.pk)
        return redirect(reverse("admin:customers_customer_change", args=[customer.pk]))
