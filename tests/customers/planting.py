"""A person of whom every column, file and copy holds a mark of its own, and a way to look for the
marks everywhere without knowing our models: raw rows and raw bytes."""

import io
from datetime import timedelta

from django.conf import settings
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from PIL import Image

from customers.models import ActivationCode, Customer, Email
from customers.privacy import registry
from customers.services import (
    add_device,
    add_extension,
    record_consent,
    register_customer,
    register_once,
    request_login_change,
    set_avatar,
    set_charge_account,
    set_customer_password,
    set_store_profile,
    update_customer,
)
from customers.services.data_requests import open_data_request
from customers.services.messaging import queue_for_stranger
from events.messages import queue_message
from events.messages.sending import send_message
from events.models import IdempotencyKey, Message
from groups.services import subscribe_customer
from loyalty.models import Redemption, Reward, Transaction, TransactionLine
from loyalty.services import account_of, add_points, spend_points
from tenancy import clock
from tenancy.services import create_token
from tests.factories import GroupFactory, StaffMemberFactory, StoreFactory, UserFactory

# Marks that must not even be stored: they stand in the upload only.
IN_THE_UPLOAD = ("Zexif", "Zcomment")
STAFF_NAME = "Zstaffname"
# How the person may have typed a sign-in or contact point, in a request that is on its way.
TYPED = (
    lambda customer: customer.login_email.upper(),
    lambda customer: f"00{customer.login_phone[1:3]} {customer.login_phone[3:]}",
    lambda customer: customer.emails.last().address,
    lambda customer: customer.card_number,
)


def plant(tenant, start="Z", *, number=987650001):
    """Register a customer full of marks; returns (customer, marks), the marks as plain texts.

    Two people planted with different `start` and `number` share no mark. The scope must be open.
    """
    marks = []

    def mark(name):
        marks.append(f"{start}{name}")
        return marks[-1]

    def digits(text):
        marks.append(text)
        return text

    def minor(n):
        """An amount of money whose minor units are a mark."""
        value = number * 1000 + n
        marks.append(str(value))
        return f"{value // 100}.{value % 100:02d}"

    seller = StaffMemberFactory(tenant=tenant, user=UserFactory(name=STAFF_NAME))
    store = StoreFactory(tenant=tenant)
    group = GroupFactory(tenant=tenant)
    tail = str(number)[-7:]
    marks.append(str(number))
    customer = register_customer(
        number=number,
        password=f"correct horse {start} staple",
        store=store,
        seller=str(seller.pk),
        first_name=mark("oldfirst"),
        last_name=mark("last"),
        name=mark("name"),
        company_name=mark("company"),
        kind="company",
        gender="female",
        birth_date="1911-03-09",
        language="nn",
        eu_citizen=True,
        vat_number=mark("vat").upper(),
        external_id=mark("external"),
        username=mark("username"),
        card_number=mark("card"),
        login_email=f"{mark('login').lower()}@example.org",
        login_phone=digits(f"+479{tail}"),
        price_list=mark("prices"),
        payment_terms_days=13,
        discount_percent=7,
        ledger_number=digits(f"00{number}77"),
        shipping_mode=mark("shipping"),
        e_invoice=True,
        e_invoice_address=mark("einvoice"),
        credit_limit=minor(1),
        credit_balance=minor(2),
        floor_limit=minor(3),
        origin=mark("origin"),
        internal_note=mark("note"),
        invitation_token=mark("invitation"),
        custom_data1=mark("custom1"),
        custom_data2=mark("custom2"),
        custom_data3=mark("custom3"),
        custom_data4=mark("custom4"),
        emails=[{"address": f"{mark('mail').lower()}@example.org"}],
        phones=[
            {"given": digits(f"815 {number}"), "kind": "work", "extension": digits(f"9{tail}")}
        ],
        addresses=[
            {
                **{
                    name: mark(name)
                    for name in ("street", "street2", "street3", "city", "state", "company")
                },
                "first_name": mark("recipientfirst"),
                "last_name": mark("recipientlast"),
                "postal_code": mark("zip"),
                "country": "NO",
                "email": f"{mark('recipient').lower()}@example.org",
                "phone": digits(f"816 {number}"),
                "latitude": f"59.{tail[-6:]}",
                "longitude": f"10.{tail[-6:]}",
            }
        ],
        contact_persons=[
            {
                "first_name": mark("contactfirst"),
                "last_name": mark("contactlast"),
                "email": f"{mark('contact').lower()}@example.org",
                "mobile": digits(f"817 {number}"),
            }
        ],
        labels=[{"key": mark("labelkey"), "value": mark("labelvalue")}],
        consents=[{"purpose": "marketing", "granted": True, "source": mark("consentsource")}],
        reason=mark("registrationreason"),
    )
    digits(f"59{tail[-6:]}")
    digits(f"10{tail[-6:]}")
    # The name before lives on in the history alone.
    update_customer(customer, first_name=mark("first"), reason=mark("reason"))
    record_consent(customer, purpose="legal", granted=True, source=mark("legalsource"))
    subscribe_customer(
        customer,
        group,
        source=mark("subscriptionsource"),
        **{f"custom_data{n}": mark(f"subscription{n}") for n in range(1, 5)},
    )
    set_store_profile(customer, store, pos_ref=mark("posref"), note=mark("posnote"))
    add_extension(customer, store, mark("extension"))
    set_charge_account(customer, number=mark("account"))
    add_device(customer, mark("device"))
    open_data_request(customer, kind="access", channel="letter", note=mark("requestnote"))
    register_once({"sent": "ZSENT"}, lambda **_: customer, customer_id=customer.pk)
    set_customer_password(customer, f"another horse {start} staple")
    avatar = set_avatar(customer, picture(), original_name=f"{mark('filename')}.jpg")
    digits(avatar.file.name)
    _plant_beside(tenant, customer, mark, seller)
    _plant_loyalty(customer, store, mark)
    customer.refresh_from_db()
    digits(customer.password)
    return customer, [text.lower() for text in marks]


def _plant_beside(tenant, customer, mark, seller):
    """Copies outside the record: codes, tokens, stored answers, the admin's log, a session."""
    request_login_change(customer, login_email=f"{mark('newlogin').lower()}@example.org")
    send_message(Message.objects.get(customer_id=customer.pk).pk)
    assert ActivationCode.objects.filter(customer=customer).exists()
    _plant_messages(tenant, customer, mark)
    create_token(tenant, holder="customer", customer_id=customer.pk, name=mark("token"))
    places = {
        "subject": {"subject_id": customer.pk, "body": mark("answer")},
        "batch": {"body": f'[{{"id": "{customer.pk}", "name": "{mark("batchanswer")}"}}]'},
        "path": {"path": f"/api/v1/customers/{customer.pk}/emails/", "body": mark("pathanswer")},
    }
    for name, where in places.items():
        IdempotencyKey.objects.create(
            tenant=tenant,
            owner="service:1",
            key=f"{customer.pk}{name}",
            method="POST",
            body_hash="0" * 64,
            lease_until=clock.now(),
            done=True,
            status=201,
            expires_at=clock.now() + timedelta(hours=48),
            **{"path": "/api/v1/customers/", **where},
        )
    email = Email.objects.filter(customer=customer).first()
    for model, key in ((Customer, customer.pk), (Email, email.pk)):
        LogEntry.objects.create(
            user_id=seller.user_id,
            content_type=ContentType.objects.get_for_model(model),
            object_id=str(key),
            object_repr=mark(f"repr{model.__name__}"),
            action_flag=CHANGE,
            change_message=mark(f"message{model.__name__}"),
        )
    session = SessionStore()
    session["_messages"] = f"{mark('session')} saved as {customer.code}"
    session.save()


def _plant_loyalty(customer, store, mark):
    """Points with words of a person about them, a purchase, a redeemed reward."""
    add_points(customer, points=10_00, note=mark("pointsnote"))
    spent = spend_points(customer, points=5_00, note=mark("spendingnote"))
    account = account_of(customer)
    common = {"tenant": customer.tenant, "account": account, "home_account": account}
    sale = Transaction.objects.create(
        **common,
        number=f"R{customer.pk.hex}",
        purchased_at=clock.now(),
        amount=100_00,
        store=store,
        content_hash="0" * 64,
    )
    TransactionLine.objects.create(tenant=customer.tenant, transaction=sale, position=0, sku="1")
    reward = Reward.objects.create(tenant=customer.tenant, name="Mug", cost=5_00)
    Redemption.objects.create(
        **common, reward=reward, entry=spent, name="Mug", cost=5_00, coupon=f"C{customer.pk.hex}"
    )


def _plant_messages(tenant, customer, mark):
    """Messages on their way: to a sign-in that waits for its code, and to whoever typed one."""
    to = f"{mark('waiting').lower()}@example.org"
    queue_message(
        tenant,
        "change_email",
        channel="email",
        to=to,
        customer_id=customer.pk,
        business=mark("word"),
    )
    for written in TYPED:
        queue_for_stranger(ActivationCode.Purpose.RESET_PASSWORD, written(customer))


def picture():
    """A JPEG that tells where it was taken and carries a comment."""
    image = Image.new("RGB", (40, 30), "teal")
    exif = Image.Exif()
    exif[0x010E] = IN_THE_UPLOAD[0]
    out = io.BytesIO()
    image.save(out, "JPEG", exif=exif.tobytes(), comment=IN_THE_UPLOAD[1].encode())
    return io.BytesIO(out.getvalue())


# --- Looking for marks ------------------------------------------------------------------------
def dump():
    """Every value of every table of the database, sessions decoded, in lower case."""
    told = []
    with connection.cursor() as cursor:
        for table in sorted(connection.introspection.table_names(cursor)):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            told += [f"{table}: {row!r}" for row in cursor.fetchall()]
    for session in SessionStore.get_model_class().objects.all():
        told.append(f"session: {session.get_decoded()!r}")
    return "\n".join(told).lower()


def files():
    """Names and bytes of everything below the media folder, and the erasure journal."""
    told = []
    for path in sorted(settings.MEDIA_ROOT.rglob("*")):
        if path.is_file():
            told.append(str(path.relative_to(settings.MEDIA_ROOT)).encode() + path.read_bytes())
    if settings.ERASURE_JOURNAL.exists():
        told.append(settings.ERASURE_JOURNAL.read_bytes())
    return b"\n".join(told).lower()


def found(marks):
    """The marks that stand anywhere in database, files or journal."""
    database, stored = dump(), files()
    return [mark for mark in marks if mark in database or mark.encode() in stored]


def ids_of(customer):
    """The ids of the customer and of all its rows, as either database writes them."""
    rows = [row for table in registry.about_customers() if table.owner for row in
            table.rows_of(customer)]  # fmt: skip
    keys = {row.pk for row in rows} | {customer.pk}
    return {text for key in keys for text in (str(key), getattr(key, "hex", str(key)))}


def rows_of_others(ids):
    """The raw rows that name none of these ids, by table: what must stay to the byte."""
    others = {}
    with connection.cursor() as cursor:
        for table in sorted(connection.introspection.table_names(cursor)):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            rows = [repr(row) for row in cursor.fetchall()]
            others[table] = sorted(row for row in rows if not any(key in row for key in ids))
    return others
