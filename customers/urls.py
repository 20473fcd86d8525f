"""The customers' routes below /api/v1/."""

from api.routes import actions, route
from customers.views.avatars import AvatarViewSet
from customers.views.batch import BatchViewSet
from customers.views.collection import CollectionViewSet
from customers.views.customers import CustomerViewSet
from customers.views.data_requests import DataRequestViewSet
from customers.views.deeds import DeedViewSet, HistoryViewSet
from customers.views.duplicates import DuplicateViewSet
from customers.views.imports import ImportViewSet
from customers.views.merging import MergeViewSet, MergingViewSet, NotDuplicateViewSet
from customers.views.parts import (
    AddressViewSet,
    ContactPersonViewSet,
    EmailViewSet,
    LabelViewSet,
    PhoneViewSet,
)
from customers.views.statements import ConsentViewSet, DeviceViewSet
from customers.views.stores import ChargeAccountViewSet, StoreProfileViewSet

ONE = "customers/<str:customer_id>/"

collection = actions(CollectionViewSet)
customers = actions(CustomerViewSet)
deeds = actions(DeedViewSet)
consents = actions(ConsentViewSet)
devices = actions(DeviceViewSet)
profiles = actions(StoreProfileViewSet)
merging = actions(MergingViewSet)
merges = actions(MergeViewSet)
duplicates = actions(DuplicateViewSet)
imports = actions(ImportViewSet)
asked = actions(DataRequestViewSet)


def entries(name, view_class):
    """The two routes of a list of child rows."""
    view = actions(view_class)
    return [
        route(f"{ONE}{name}/", view(get="list", post="create"), name),
        route(
            f"{ONE}{name}/<str:entry_id>/",
            view(get="retrieve", patch="partial_update", delete="destroy"),
            f"{name}-entry",
        ),
    ]


urlpatterns = [
    route("customers/", customers(get="list", post="create"), "customers"),
    route("customers/search/", collection(post="search"), "search"),
    route("customers/check/", collection(get="check_get", post="check"), "check"),
    route("customers/registrations/", collection(get="registrations"), "registrations"),
    route("customers/batch/", actions(BatchViewSet)(post="batch"), "batch"),
    route("customers/duplicates/", duplicates(get="list"), "duplicates"),
    route("customers/duplicates/<str:pair_id>/", duplicates(get="retrieve"), "duplicate"),
    route(
        "customers/duplicates/<str:pair_id>/dismiss/",
        duplicates(post="dismiss"),
        "duplicate-dismiss",
    ),
    route(ONE, customers(get="retrieve", patch="partial_update", delete="destroy"), "customer"),
    route(f"{ONE}activate/", deeds(post="activate"), "activate"),
    route(f"{ONE}deactivate/", deeds(post="deactivate"), "deactivate"),
    route(f"{ONE}send-code/", deeds(post="send_code"), "send-code"),
    route(f"{ONE}send-password/", deeds(post="send_password"), "send-password"),
    route(f"{ONE}change-login/", deeds(post="change_login"), "change-login"),
    route(f"{ONE}confirm-login/", deeds(post="confirm_login"), "confirm-login"),
    route(f"{ONE}set-password/", deeds(post="set_password"), "set-password"),
    route(f"{ONE}anonymise/", deeds(post="anonymise", get="anonymise_preview"), "anonymise"),
    route(f"{ONE}export/", deeds(get="export"), "export"),
    route(f"{ONE}history/", actions(HistoryViewSet)(get="history"), "history"),
    route(f"{ONE}merge/", merging(post="merge"), "merge"),
    route(f"{ONE}merge-preview/", merging(get="merge_preview"), "merge-preview"),
    route(
        f"{ONE}not-duplicates/",
        actions(NotDuplicateViewSet)(get="list", post="create", delete="destroy"),
        "not-duplicates",
    ),
    route("data-requests/", asked(get="list", post="create"), "data-requests"),
    route("data-requests/<str:request_id>/", asked(get="retrieve"), "data-request"),
    *(
        route(f"data-requests/<str:request_id>/{name}/", asked(post=deed), f"data-request-{name}")
        for name, deed in (
            *(("identify", "identify"), ("hold", "hold"), ("resume", "resume")),
            *(("refuse", "refuse"), ("hand-out", "hand_out"), ("complete", "complete")),
        )
    ),
    route("merges/", merges(get="list"), "merges"),
    route("merges/<str:merge_id>/", merges(get="retrieve"), "merge-entry"),
    route("merges/<str:merge_id>/undo/", merges(post="undo"), "merge-undo"),
    route("imports/", imports(get="list", post="create"), "imports"),
    route("imports/<str:import_id>/", imports(get="retrieve"), "import"),
    route("imports/<str:import_id>/report/", imports(get="report"), "import-report"),
    route("imports/<str:import_id>/refused/", imports(get="refused"), "import-refused"),
    route("imports/<str:import_id>/review/", imports(get="review", post="accept"), "import-review"),
    route("imports/<str:import_id>/repeat/", imports(post="repeat"), "import-repeat"),
    route("imports/<str:import_id>/cancel/", imports(post="cancel"), "import-cancel"),
    route("imports/<str:import_id>/undo/", imports(post="undo"), "import-undo"),
    *entries("emails", EmailViewSet),
    *entries("phones", PhoneViewSet),
    *entries("addresses", AddressViewSet),
    *entries("contact-persons", ContactPersonViewSet),
    *entries("labels", LabelViewSet),
    route(f"{ONE}consents/", consents(get="list", post="create"), "consents"),
    route(f"{ONE}devices/", devices(get="list", post="create"), "devices"),
    route(f"{ONE}devices/remove/", devices(post="remove"), "devices-remove"),
    route(f"{ONE}devices/<str:device_id>/", devices(delete="destroy"), "device"),
    route(
        f"{ONE}avatar/",
        actions(AvatarViewSet)(get="retrieve", post="create", delete="destroy"),
        "avatar",
    ),
    route(f"{ONE}stores/", profiles(get="list"), "store-profiles"),
    route(
        f"{ONE}stores/<str:store_code>/",
        profiles(get="retrieve", put="update", delete="destroy"),
        "store-profile",
    ),
    route(
        f"{ONE}charge-account/",
        actions(ChargeAccountViewSet)(get="retrieve", put="update", delete="destroy"),
        "charge-account",
    ),
]
