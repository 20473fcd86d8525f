"""The page of a record that was merged leads to the survivor's."""

import uuid

from django.contrib import messages
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from customers.models import Customer
from customers.services import with_former_ids


class LeadsToSurvivor:
    """Part of the customers' admin: whoever has an old link, or an old form still open, is told
    and shown the record that is true now, with the history of both."""

    def history_ids(self, obj):
        return with_former_ids(obj.pk)

    def _get_obj_does_not_exist_redirect(self, request, opts, object_id):
        merged = self._merged(object_id)
        if merged is None:
            return super()._get_obj_does_not_exist_redirect(request, opts, object_id)
        survivor = merged.merged_into
        told = {"old": merged.code or merged.pk, "survivor": survivor.code or survivor.pk}
        if request.method == "POST":
            messages.warning(
                request,
                _("%(old)s was merged into %(survivor)s meanwhile; nothing was saved.") % told,
            )
        else:
            messages.info(request, _("%(old)s was merged into %(survivor)s.") % told)
        return redirect("admin:customers_customer_change", survivor.pk)

    @staticmethod
    def _merged(object_id):
        try:
            key = uuid.UUID(str(object_id))
        except ValueError:
            return None
        merged = Customer.with_merged.filter(pk=key, merged_into__isnull=False)
        return merged.select_related("merged_into").first()
