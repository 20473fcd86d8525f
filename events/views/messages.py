"""The endpoints of messages, and of the texts that they are made of."""

import uuid

from django.core.exceptions import ValidationError
from django.http import Http404
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.response import Response

from api import problems
from api.views import ViewSet
from events.filters import MessageFilter
from events.messages import (
    NoSuchText,
    get_wording,
    list_wordings,
    preview_text,
    reset_message_text,
    send_again,
    set_message_text,
)
from events.models import Message
from events.serializers.messages import (
    ComposedSerializer,
    MessageSerializer,
    WordingSerializer,
    WordingWriteSerializer,
    wording,
)

# The message is in a state that forbids the deed; nothing is wrong with the request.
problems.CONFLICTS |= {"not_failed", "forgotten"}

WORDINGS = inline_serializer(
    "WordingList",
    {
        "results": WordingSerializer(many=True),
        "next": serializers.CharField(allow_null=True),
        "previous": serializers.CharField(allow_null=True),
    },
)


class MessageViewSet(ViewSet):
    """Mails and SMS, and what became of each; never what they said."""

    operation_prefix = "messages"
    serializer_class = MessageSerializer
    filterset_class = MessageFilter
    ordering = ("-created_at",)
    ordering_fields = ("created_at",)

    def get_queryset(self):
        return Message.objects.all()

    def get_object(self):
        try:
            key = uuid.UUID(self.kwargs["message_id"])
        except ValueError as error:
            raise Http404 from error
        message = self.get_queryset().filter(pk=key).first()
        if message is None:
            raise Http404
        return message

    def list(self, request):
        """All messages of the last months, the newest first. `state=failed` are those to look
        after."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(MessageSerializer(page, many=True).data)

    def retrieve(self, request, message_id):
        """One message."""
        return Response(MessageSerializer(self.get_object()).data)

    @extend_schema(request=None, responses={202: MessageSerializer}, summary="Send a message again")
    def send_again(self, request, message_id):
        """Queue a failed message once more; to an address that was corrected meanwhile, it goes
        there. Refused (409) for one that did not fail (`not_failed`), and for one whose address is
        not kept any more and cannot be found again (`forgotten`)."""
        return Response(MessageSerializer(send_again(self.get_object())).data, status=202)


class MessageTextViewSet(ViewSet):
    """The texts of messages: ours, until the business writes its own."""

    operation_prefix = "message_texts"
    filter_backends = []
    pagination_class = None
    list_actions = frozenset()
    reading_actions = frozenset({"preview"})

    @extend_schema(responses=WORDINGS, summary="List message texts")
    def list(self, request):
        """Every purpose by every way, in our languages and in those that the business has written
        in."""
        results = [wording(told) for told in list_wordings()]
        return Response({"results": results, "next": None, "previous": None})

    @extend_schema(responses=WordingSerializer, summary="Read a message text")
    def retrieve(self, request, purpose, channel, language):
        """One text; empty in a language that nobody has written in."""
        return Response(wording(self.found(get_wording, purpose, channel, language)))

    @extend_schema(
        request=WordingWriteSerializer, responses=WordingSerializer, summary="Write a message text"
    )
    def update(self, request, purpose, channel, language):
        """Write the business's own text. It names its words in braces: one that the purpose does
        not have, and one without which it would be useless left out, are refused by name."""
        told = self.found(set_message_text, purpose, channel, language, **self.fields())
        return Response(wording(told))

    @extend_schema(responses={204: None}, summary="Go back to our message text")
    def destroy(self, request, purpose, channel, language):
        """Go back to our text; repeatable."""
        self.found(reset_message_text, purpose, channel, language)
        return self.no_content()

    @extend_schema(
        request=WordingWriteSerializer,
        responses=ComposedSerializer,
        summary="Preview a message text",
    )
    def preview(self, request, purpose, channel, language):
        """A text with sample words, and how long it is; nothing is stored or sent."""
        self.found(get_wording, purpose, channel, language)
        composed = self.found(preview_text, purpose, channel, **self.fields())
        return Response(ComposedSerializer(composed).data)

    def found(self, deed, *args, **options):
        """The answer of a service; 404 where there is no such purpose by this way."""
        try:
            return deed(*args, **options)
        except NoSuchText as error:
            raise Http404 from error

    def fields(self):
        """Subject and text of the body, and nothing else. Raises ValidationError by field."""
        body = self.body()
        unknown = ValidationError("Unknown field, or not to be set.", code="unknown")
        if bad := set(body) - {"subject", "text"}:
            raise ValidationError(dict.fromkeys(sorted(bad), unknown))
        return {"text": None, **body}
