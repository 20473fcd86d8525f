"""A file of customers is handed in by a form."""

from django import forms
from django.conf import settings
from django.http import Http404
from django.shortcuts import redirect
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from customers.admin.import_setup import SetUp
from customers.imports.receiving import PatientHandler
from customers.models import ImportFile

MOST_BEGUN = 5
ENDINGS = ".csv,.tsv,.txt,.xlsx,.json,.jsonl,.ndjson,.xml"


class UploadForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("File"),
        widget=forms.FileInput(attrs={"class": "file-box", "accept": ENDINGS, "autofocus": True}),
    )


class SetUpPages:
    """The way of a file from the upload to its check; a part of the admin of imports."""

    def get_urls(self):
        upload = self.own_path("add/", self.upload_view, "add")
        set_up = self.own_path("file/<uuid:file_id>/", self.set_up_view, "set_up")
        return [upload, set_up, *super().get_urls()]

    # --- The file ---------------------------------------------------------------------------------
    # The form is read by a handler of its own, which has to be there before anything reads it, the
    # proof of origin among them; that is asked for below.
    @csrf_exempt
    def upload_view(self, request):
        self.insist(request, "imports.create")
        handler = PatientHandler(request)
        request.upload_handlers = [handler]

        @csrf_protect
        def checked(request):
            return self._upload(request, handler)

        return checked(request)

    def _upload(self, request, handler):
        form = UploadForm()
        if request.method == "POST":
            upload = request.FILES.get("file")
            fault = self._fault_of(upload, handler)
            if fault is None:
                file = upload.intake.finish(upload.name)
                upload.close()
                return redirect(self.url_name("set_up"), file.pk)
            form = UploadForm({})
            form.full_clean()
            form._errors["file"] = form.error_class([fault])
        context = {
            "title": _("Import customers"),
            "sentence": _(
                "Hand in a file of customers: CSV, an Excel workbook (.xlsx), JSON, or the XML of "
                "a known shop. Nothing is written before you have seen what every row would do."
            ),
            "form": form,
            "begun": ImportFile.objects.filter(runs=None).order_by("-created_at")[:MOST_BEGUN],
            "limit": filesizeformat(settings.IMPORT_MAX_BYTES),
            "cancel_url": reverse(self.url_name("changelist")),
        }
        return self.page(request, "admin/customers/importrun/upload.html", context)

    @staticmethod
    def _fault_of(upload, handler):
        if handler.too_large:
            limit = filesizeformat(settings.IMPORT_MAX_BYTES)
            return _("The file is too large: at most %(limit)s. Cut it into several.") % {
                "limit": limit
            }
        if upload is None:
            return _("Choose a file.")
        if not upload.intake.n_bytes:
            return _("The file is empty.")
        return None

    # --- The set-up -------------------------------------------------------------------------------
    def set_up_view(self, request, file_id):
        self.insist(request, "imports.create")
        file = ImportFile.objects.filter(pk=file_id).first()
        if file is None:
            raise Http404
        return SetUp(self, request, file).answer()
