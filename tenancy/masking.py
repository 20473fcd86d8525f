"""Who reads contact data masked in the back office, and for whom it was revealed.

Where a tenant asks for it (`mask_contacts`), a seller sees e-mails, phones and addresses of one
customer at a time, after a deed that is written down. What was revealed is kept in the session.
"""

from tenancy import clock
from tenancy.entering import role_in
from tenancy.permissions import MASKED, SELLER
from tenancy.scoping import current_tenant

SETTING = "mask_contacts"
SESSION_KEY = "revealed"
SECONDS = 600  # how long one customer stays revealed


def reader_of(request, customer_id=None):
    """The role by which this request may read customers, here the one with `customer_id`: the
    person's own role, or MASKED."""
    tenant = current_tenant()
    role = role_in(request.user, tenant)
    if role == SELLER and tenant.setting(SETTING) and not is_revealed(request, customer_id):
        return MASKED
    return role


def is_revealed(request, customer_id):
    """Whether the person has revealed this customer a short while ago."""
    until = request.session.get(SESSION_KEY, {}).get(str(customer_id))
    return until is not None and until > clock.now().timestamp()


def reveal(request, customer_id):
    """Let this session read the customer unmasked for a while. The caller writes it down first."""
    now = clock.now().timestamp()
    kept = {
        key: until for key, until in request.session.get(SESSION_KEY, {}).items() if until > now
    }
    request.session[SESSION_KEY] = {**kept, str(customer_id): now + SECONDS}
