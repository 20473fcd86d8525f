"""The texts of messages in the back office: written, seen with sample words, and tried out."""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import get_language_info, gettext_lazy
from django.utils.translation import gettext as _
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

import normalise
from events.messages import (
    EMAIL,
    SMS,
    NoSuchText,
    get_wording,
    list_wordings,
    preview_text,
    queue_sample,
    reset_message_text,
    set_message_text,
)
from events.messages.texts import LONGEST, LONGEST_SUBJECT
from events.models import Message, MessageText
from tenancy.admin.base import ReadOnlyAdmin
from tenancy.admin.signing_in import wait_in_words
from tenancy.scoping import current_tenant
from tenancy.services.counting import TooManyTries

WAYS = dict(Message.Channel.choices)


def language_name(tag):
    """A language in words, such as "English"; the tag itself where Django has no name for it."""
    try:
        return get_language_info(tag.lower())["name_translated"]
    except KeyError:
        return tag


class TextForm(forms.Form):
    """Subject and text. An SMS has no subject."""

    subject = forms.CharField(
        label=gettext_lazy("Subject"),
        max_length=LONGEST_SUBJECT,
        required=False,
        widget=UnfoldAdminTextInputWidget,
    )
    text = forms.CharField(
        label=gettext_lazy("Text"),
        required=False,
        strip=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 12}),
    )

    def __init__(self, *args, channel, **options):
        super().__init__(*args, **options)
        if channel == SMS:
            del self.fields["subject"]
            self.fields["text"].widget.attrs["rows"] = 5
        self.fields["text"].max_length = LONGEST[channel]

    def put_beside(self, error):
        """Each part of a service's refusal beside its field."""
        for name, errors in error.error_dict.items():
            self.add_error(name if name in self.fields else None, errors)


class NumberForm(forms.Form):
    number = forms.CharField(
        label=gettext_lazy("To the number"),
        max_length=40,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "tel"}),
        help_text=gettext_lazy("Your own, for instance. The SMS is charged like every other one."),
    )

    def clean_number(self):
        phone = normalise.clean_phone(self.cleaned_data["number"], country=current_tenant().country)
        if not phone.e164:
            raise ValidationError(_("An SMS cannot be sent to this number."), code="invalid")
        return phone.e164


@admin.register(MessageText)
class MessageTextAdmin(ReadOnlyAdmin):
    """Pages over every text there is, ours and the tenant's own; a row is only the latter."""

    def get_urls(self):
        text = "<str:purpose>/<str:channel>/<str:language>/"
        return [
            self.own_path(text, self.edit_view, "edit"),
            self.own_path(f"{text}test/", self.test_view, "test"),
            *super().get_urls(),
        ]

    def changelist_view(self, request, extra_context=None):
        """Every text, grouped as a person looks for it."""
        self.insist(request, "message_texts.list")
        wordings = [(told, language_name(told.language)) for told in list_wordings()]
        context = {"title": _("Message texts"), "wordings": wordings, "ways": WAYS}
        return self.page(request, "admin/events/message_texts.html", context)

    def change_view(self, request, object_id, form_url="", extra_context=None):
        row = self.get_or_404(request, object_id)
        return redirect(self.url_name("edit"), row.purpose, row.channel, row.language)

    def history_view(self, request, object_id, extra_context=None):
        raise Http404  # it stands in the tenant's

    # --- One text -------------------------------------------------------------------------------
    def edit_view(self, request, purpose, channel, language):
        """Write a text, seeing it with sample words; go back to ours; begin another language."""
        self.insist(request, "message_texts.list")
        wanted = request.GET.get("other", "").strip()
        if wanted:
            return self._to_other_language(request, purpose, channel, language, wanted)
        wording = self._found(purpose, channel, language)
        data = request.POST if request.method == "POST" else None
        saved = {"subject": wording.subject, "text": wording.text}
        form = TextForm(data, channel=channel, initial=saved)
        here = reverse(self.url_name("edit"), args=[purpose, channel, wording.language])
        if data is not None and "reset" in data:
            self.insist(request, "message_texts.destroy")
            reset_message_text(purpose, channel, wording.language)
            messages.success(request, _("Our text is sent again."))
            return redirect(here)
        if data is not None and form.is_valid():
            try:
                if "preview" not in data:
                    self.insist(request, "message_texts.update")
                    set_message_text(purpose, channel, wording.language, **form.cleaned_data)
                    messages.success(request, _("The text is saved, and sent from now on."))
                    return redirect(here)
                saved = form.cleaned_data
                preview_text(purpose, channel, **saved)
            except ValidationError as error:
                form.put_beside(error)
        context = {
            "title": self._title(wording),
            "wording": wording,
            "form": form,
            "preview": self._preview(wording, form, saved),
            "words": [
                (name, sample, name in wording.purpose.required)
                for name, sample in wording.purpose.words.items()
            ],
            "is_sms": channel == SMS,
            "test_url": f"{here}test/",
            "list_url": reverse(self.url_name("changelist")),
        }
        return self.page(request, "admin/events/message_text.html", context)

    def _preview(self, wording, form, values):
        """The Composed message that the typed text makes; None while something is wrong with it."""
        if form.errors or not values["text"]:
            return None
        return preview_text(wording.purpose.name, wording.channel, **values)

    def _to_other_language(self, request, purpose, channel, language, wanted):
        try:
            language = get_wording(purpose, channel, wanted).language
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        except NoSuchText as error:
            raise Http404 from error
        return redirect(self.url_name("edit"), purpose, channel, language)

    def _found(self, purpose, channel, language):
        """The Wording of the path, or 404."""
        try:
            return get_wording(purpose, channel, language)
        except (NoSuchText, ValidationError) as error:
            raise Http404 from error

    def _title(self, wording):
        way, language = WAYS[wording.channel], language_name(wording.language)
        return f"{wording.purpose.title}: {way}, {language}"

    # --- Trying it out --------------------------------------------------------------------------
    def test_view(self, request, purpose, channel, language):
        """Send the saved text with sample words: a mail to oneself, an SMS to a typed number."""
        self.insist(request, "message_texts.update")
        wording = self._found(purpose, channel, language)
        back = reverse(self.url_name("edit"), args=[purpose, channel, wording.language])
        form = NumberForm(request.POST or None) if channel == SMS else None
        if request.method == "POST" and (form is None or form.is_valid()):
            to = form.cleaned_data["number"] if form else request.user.email
            refusal = self._send_sample(wording, to)
            if refusal is None:
                messages.success(request, _("A test to %(to)s is on its way.") % {"to": to})
                return redirect(back)
            if form is None:
                messages.error(request, refusal)
                return redirect(back)
            form.add_error("number", refusal)
        sentence = _("The saved text is sent to %(to)s with sample words, once.") % {
            "to": request.user.email if channel == EMAIL else _("a number")
        }
        context = {
            "title": f"{_('Send a test')}: {self._title(wording)}",
            "sentence": sentence,
            "form": form,
            "button": _("Send a test"),
            "cancel_url": back,
        }
        return self.page(request, "admin/deed.html", context)

    def _send_sample(self, wording, to):
        """Queue it; answers None, or why not, in words."""
        try:
            queue_sample(
                wording.purpose.name, channel=wording.channel, language=wording.language, to=to
            )
        except TooManyTries as error:
            return wait_in_words(error.retry_after)
        except ValidationError as error:
            return " ".join(error.messages)
        return None
