"""What the OpenAPI document says of Open Loyalty's endpoints, beside what the code says."""

from dialects.base import Described
from dialects.openloyalty.loyalty_serializers import (
    OpenLoyaltyEarning,
    OpenLoyaltyGift,
    OpenLoyaltyLevel,
    OpenLoyaltyOwnGift,
    OpenLoyaltyTransaction,
    OpenLoyaltyTransfer,
)
from dialects.openloyalty.serializers import (
    OpenLoyaltyAvatar,
    OpenLoyaltyDevice,
    OpenLoyaltyImport,
    OpenLoyaltyPassword,
    OpenLoyaltyRegistration,
    OpenLoyaltyReset,
    OpenLoyaltySearch,
    OpenLoyaltySelfRegistration,
    OpenLoyaltyUpdate,
)

BELOW = "/api/<storeCode>"
TEXT = {"type": "string"}
SIGN_IN = {"type": "object", "properties": {"_username": TEXT, "_password": TEXT}}
SECURITY = {
    "token": {"type": "http", "scheme": "bearer"},
    "header": {"type": "apiKey", "in": "header", "name": "X-AUTH-TOKEN"},
    "query": {"type": "apiKey", "in": "query", "name": "auth_token"},
}
PAGE = {
    "page": ({"type": "integer", "minimum": 1}, "The first page is 1."),
    "perPage": ({"type": "integer"}, "Rows per page; -1: all of them."),
    "sort": (TEXT, "The name of a field."),
    "direction": ({"type": "string", "enum": ["asc", "desc"]}, ""),
}
DONE = Described(status=204)
DESCRIBED = {
    "POST /api/admin/login_check": Described(body=SIGN_IN),
    "POST /api/seller/login_check": Described(body=SIGN_IN),
    f"POST {BELOW}/customer/login_check": Described(body=SIGN_IN),
    "POST /api/admin/password/change": Described(body=OpenLoyaltyPassword),
    "POST /api/seller/password/change": Described(body=OpenLoyaltyPassword),
    "POST /api/customer/password/change": Described(body=OpenLoyaltyPassword),
    f"GET {BELOW}/customer": Described(parameters=PAGE),
    f"GET {BELOW}/admin/customer": Described(parameters=PAGE),
    f"GET {BELOW}/customer/check": Described(parameters={"emailOrPhone": (TEXT, "")}),
    f"POST {BELOW}/pos/search/customer": Described(body=OpenLoyaltySearch),
    f"POST {BELOW}/customer/register": Described(body=OpenLoyaltyRegistration),
    f"POST {BELOW}/admin/customer/register": Described(body=OpenLoyaltyRegistration),
    f"POST {BELOW}/seller/customer/register": Described(body=OpenLoyaltyRegistration),
    f"POST {BELOW}/customer/self_register": Described(body=OpenLoyaltySelfRegistration),
    "POST /api/password/reset": Described(body=OpenLoyaltyReset),
    f"POST {BELOW}/points/transfer/add": Described(body=OpenLoyaltyEarning),
    f"POST {BELOW}/points/transfer/spend": Described(body=OpenLoyaltyTransfer),
    f"POST {BELOW}/admin/p2p-points-transfer": Described(body=OpenLoyaltyGift),
    f"POST {BELOW}/customer/points/p2p-transfer": Described(body=OpenLoyaltyOwnGift),
    f"POST {BELOW}/transaction": Described(body=OpenLoyaltyTransaction),
    f"POST {BELOW}/admin/customer/import": Described(body=OpenLoyaltyImport),
    f"PUT {BELOW}/customer/<customer>": Described(body=OpenLoyaltyUpdate),
    f"DELETE {BELOW}/customer/<customer>": DONE,
    f"POST {BELOW}/customer/<customer>/avatar": Described(body=OpenLoyaltyAvatar, status=204),
    f"DELETE {BELOW}/customer/<customer>/avatar": DONE,
    f"POST {BELOW}/customer/<customer>/pushy-token": Described(body=OpenLoyaltyDevice, status=204),
    f"DELETE {BELOW}/customer/<customer>/pushy-token/<tokenToRemove>": DONE,
    f"POST {BELOW}/customer/<customer>/remove-manually-level": DONE,
    f"POST {BELOW}/level/create": Described(body=OpenLoyaltyLevel),
    f"PUT {BELOW}/level/<level>": Described(body=OpenLoyaltyLevel),
}
