"""Who am I, and the end of a session."""

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from api.views import ViewSet
from tenancy.models import Store
from tenancy.serializers import SessionSerializer
from tenancy.services import revoke_token


class SessionViewSet(ViewSet):
    """The credential of this very call."""

    operation_prefix = "session"
    serializer_class = SessionSerializer

    def retrieve(self, request):
        """Who is calling, for which business, and what they may do."""
        principal = self.principal
        stores = Store.objects.filter(pk__in=principal.store_ids).values_list("code", flat=True)
        session = {
            "role": principal.kind,
            "scopes": sorted(principal.scopes),
            "tenant": self.tenant,
            "staff": self.staff(principal),
            "customer": principal.customer_id,
            "stores": list(stores) if principal.store_ids else [],
            "token": principal.token,
        }
        return Response(SessionSerializer(session).data)

    def staff(self, principal):
        """The person behind a staff member's token."""
        if principal.staff is None:
            return None
        user = principal.staff.user
        return {"id": principal.staff.pk, "email": user.email, "name": user.name}

    @extend_schema(request=None, responses={204: None})
    def revoke(self, request):
        """End this session: this token and what was issued with it."""
        revoke_token(self.principal.token)
        return self.no_content()
