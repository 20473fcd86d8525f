"""The endpoints of background jobs."""

import uuid

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from api import problems
from api.views import ViewSet
from events.filters import JobFilter
from events.jobs.deeds import cancel_job, retry_job
from events.models import Job
from events.serializers.jobs import JobSerializer

# The job is in a state that forbids the deed; nothing is wrong with the request.
problems.CONFLICTS |= {"job_state"}


class JobViewSet(ViewSet):
    """The tenant's background jobs: those that have not ended, and the others for some weeks."""

    operation_prefix = "jobs"
    serializer_class = JobSerializer
    filterset_class = JobFilter
    ordering = ("-created_at",)
    ordering_fields = ("created_at",)

    def get_queryset(self):
        return Job.objects.all()

    def get_object(self):
        try:
            key = uuid.UUID(self.kwargs["pk"])
        except ValueError as error:
            raise Http404 from error
        job = self.get_queryset().filter(pk=key).first()
        if job is None:
            raise Http404
        return job

    def list(self, request):
        """All jobs, the newest first. `state=dead` are those that were given up."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(JobSerializer(page, many=True).data)

    def retrieve(self, request, pk):
        """One job."""
        return Response(JobSerializer(self.get_object()).data)

    @extend_schema(request=None, responses={200: JobSerializer})
    def retry(self, request, pk):
        """Run a job again that was given up or cancelled, or one now that waits for its next try.
        Attempts count anew. A job that runs or is done is refused (409 `job_state`)."""
        return Response(JobSerializer(retry_job(self.get_object())).data)

    @extend_schema(request=None, responses={200: JobSerializer})
    def cancel(self, request, pk):
        """Cancel a job: one that waits ends at once; one that runs has `cancel_requested` until it
        next looks up. A job that has ended is refused (409 `job_state`)."""
        return Response(JobSerializer(cancel_job(self.get_object())).data)
