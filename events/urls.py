"""The routes of the change feed below /api/v1/."""

from api.routes import actions, route
from events.views import ChangesViewSet

changes = actions(ChangesViewSet)

urlpatterns = [
    route("changes/", changes(get="list"), "changes"),
]
