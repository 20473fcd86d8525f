"""The routes of the change feed and of background jobs below /api/v1/."""

from api.routes import actions, route
from events.views import ChangesViewSet, JobViewSet

changes = actions(ChangesViewSet)
jobs = actions(JobViewSet)

urlpatterns = [
    route("changes/", changes(get="list"), "changes"),
    route("jobs/", jobs(get="list"), "jobs"),
    route("jobs/<str:pk>/", jobs(get="retrieve"), "job"),
    route("jobs/<str:pk>/retry/", jobs(post="retry"), "job-retry"),
    route("jobs/<str:pk>/cancel/", jobs(post="cancel"), "job-cancel"),
]
