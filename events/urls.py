"""The routes of the change feed, of webhooks, of messages and of background jobs below /api/v1/."""

from api.routes import actions, route
from events.views import (
    ChangesViewSet,
    DeliveryViewSet,
    JobViewSet,
    MessageTextViewSet,
    MessageViewSet,
    WebhookViewSet,
)

changes = actions(ChangesViewSet)
jobs = actions(JobViewSet)
messages = actions(MessageViewSet)
texts = actions(MessageTextViewSet)
webhooks = actions(WebhookViewSet)
deliveries = actions(DeliveryViewSet)

TEXT = "message-texts/<str:purpose>/<str:channel>/<str:language>/"
WEBHOOK = "webhooks/<str:webhook_id>/"

urlpatterns = [
    route("changes/", changes(get="list"), "changes"),
    route("jobs/", jobs(get="list"), "jobs"),
    route("jobs/<str:pk>/", jobs(get="retrieve"), "job"),
    route("jobs/<str:pk>/retry/", jobs(post="retry"), "job-retry"),
    route("jobs/<str:pk>/cancel/", jobs(post="cancel"), "job-cancel"),
    route("messages/", messages(get="list"), "messages"),
    route("messages/<str:message_id>/", messages(get="retrieve"), "message"),
    route(
        "messages/<str:message_id>/send-again/", messages(post="send_again"), "message-send-again"
    ),
    route("message-texts/", texts(get="list"), "message-texts"),
    route(TEXT, texts(get="retrieve", put="update", delete="destroy"), "message-text"),
    route(f"{TEXT}preview/", texts(post="preview"), "message-text-preview"),
    route("webhooks/", webhooks(get="list", post="create"), "webhooks"),
    route(
        WEBHOOK,
        webhooks(get="retrieve", patch="partial_update", delete="destroy"),
        "webhook",
    ),
    route(f"{WEBHOOK}rotate-secret/", webhooks(post="rotate_secret"), "webhook-rotate-secret"),
    route(f"{WEBHOOK}test/", deliveries(post="test"), "webhook-test"),
    route(f"{WEBHOOK}replay/", deliveries(post="replay"), "webhook-replay"),
    route(f"{WEBHOOK}deliveries/", deliveries(get="deliveries"), "webhook-deliveries"),
    route(
        f"{WEBHOOK}deliveries/<str:delivery_id>/replay/",
        deliveries(post="replay_delivery"),
        "webhook-delivery-replay",
    ),
]
