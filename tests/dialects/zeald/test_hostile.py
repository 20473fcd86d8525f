"""XML and keys that nobody means well by: refused fast, and nothing is written."""

import time

from customers.models import Customer
from dialects.zeald.markup import escaped, read
from tenancy.scoping import in_tenant
from tests.dialects.zeald.client import body, counts, customer, node, one, refusal, tree
from tests.factories import CustomerFactory

GOOD = customer(username="good@x.nz")
LAUGHS = (
    "<!DOCTYPE r [<!ENTITY a0 'ha'>"
    + "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 10))
    + "]>"
)
FETCHING = '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
UTF_16 = body(GOOD).encode("utf-16")
MANY_ATTRIBUTES = " ".join(f'a{n}="1"' for n in range(65))


def wide(n):
    return customer("".join(f"<f{place}>1</f{place}>" for place in range(n)), username="wide")


BROKEN = [
    (LAUGHS + body(GOOD, customer(username="&a9;")), "document types"),
    (FETCHING + body(customer(username="&x;")), "document types"),
    ('<!DOCTYPE r SYSTEM "http://evil.example/x.dtd">' + body(GOOD), "document types"),
    (body(GOOD) + "<!DOCTYPE r>", "well-formed"),
    (body(GOOD, "<a>" * 100_000), "levels"),
    (body(GOOD, customer("<b>" * 5)), "levels"),
    (body(GOOD, wide(6_000)), "elements in one record"),
    (body(GOOD, wide(4_000)), "There is no field"),
    (body(*[GOOD] * 1_001), "more than 1000 records"),
    (body(customer(username="x" * 200_000)), "longer than"),
    (body(GOOD, f"<Customer {MANY_ATTRIBUTES}/>"), "attributes"),
    (body(GOOD)[:-3], "well-formed"),
    (body(GOOD, customer(username="&unknown;")), "well-formed"),
    (body(GOOD, customer(username="a&#0;b")), "well-formed"),
    (body(GOOD, customer(username="a&#11;b")), "well-formed"),
    (body(GOOD, customer(username="a\x0bb")), "well-formed"),
    (body(GOOD, customer(username="a&#xFFFE;b")), "well-formed"),
    (body(GOOD, "stray"), "between the elements"),
    (body(GOOD, "<Customer>stray<username>x</username></Customer>"), "between the elements"),
    (body(GOOD, customer("<username>a</username>", username="b")), "comes twice"),
    (customer(username="x"), "ResultSet"),
    ("", "no Customer"),
    ("not XML", "well-formed"),
    ('{"username": "x"}', "well-formed"),
    ('<?xml version="1.0" encoding="iso-8859-1"?>' + body(GOOD), "UTF-8"),
    ('<?xml version="1.0" encoding="nothing"?>' + body(GOOD), "UTF-8"),
    (UTF_16, "UTF-8"),
    (body(customer(username="\xff")).encode("latin-1"), "UTF-8"),
    (body(customer(username="\ud800")).encode("utf-8", "surrogatepass"), "UTF-8"),
]  # fmt: skip


def test_a_body_that_is_no_plain_result_set_is_refused_at_once(shop, admin):
    began = time.process_time()

    for place, (document, why) in enumerate(BROKEN):
        status, message = refusal(admin.send("POST", "Customer", document))
        assert (status, why in message) == (400, True), (place, message)

    assert time.process_time() - began < 10
    with in_tenant(shop):
        assert not Customer.objects.exists()


MISFITS = [
    (customer(usernmae="x"), "usernmae"),
    (customer(username=" "), "username: "),
    (customer(b_fname="x"), "username: "),
    ("<Customer/>", "username: "),
    ("<UserGroup><code>x</code></UserGroup>", "UserGroup is not expected here"),
    (customer(node("UserCustomerGroup", group_code="a"), username="x"), "is not a part"),
    (customer(username="y" * 255), "username: "),
    (customer(username="a&#x202E;b"), "username: "),
    (customer(username="x", inactive="maybe"), "inactive: "),
    (customer(username="x", password="short"), "password: "),
    (customer(username="x", discount="20%"), "discount: "),
    (customer(username="x", discount="1.5"), "discount: "),
]


def test_a_record_is_refused_by_its_place_and_all_with_it(shop, admin):
    for inside, why in MISFITS:
        status, message = refusal(admin.post("Customer", GOOD, inside))
        assert (status, "Customer 2" in message, why in message) == (400, True, True), message

    with in_tenant(shop):
        assert not Customer.objects.exists()


def test_every_wrong_field_of_a_record_is_named(admin):
    wrong = {
        "b_country": "Atlantis", "country": "Atlantis", "address3": "y" * 251, "discount": "101",
        "no_email": "2", "email": "nobody", "phone_night": "none", "b_fname": "y" * 121,
        "custom_data1": "y" * 4_001,
    }  # fmt: skip

    made = refusal(admin.post("Customer", customer(username="x", **wrong)))
    admin.post("Customer", customer(username="x", b_city="Queens", phone_night="021 555 001"))
    changed = refusal(admin.post("Customer", customer(username="x", **wrong)))

    for status, message in (made, changed):
        assert status == 400
        assert [name for name in wrong if f"{name}: " not in message] == []


def test_a_body_may_have_a_head_a_mark_and_a_namespace(admin):
    for head in ("", "\ufeff", '<?xml version="1.0"?>', "<?xml version='1.0' encoding='UTF-8'?>\n"):
        document = (
            f'{head}<z:ResultSet xmlns:z="http://www.zeald.com"><!-- hello --><z:Customer href="x" '
            'id="y"><z:username>u</z:username></z:Customer></z:ResultSet>'
        )
        answer = admin.send("POST", "Customer", document.encode())
        assert one(answer)["username"] == "u"


def test_a_body_is_xml_whatever_a_simple_client_calls_it(admin):
    types = {
        "application/xml; charset=utf-8": 201,
        "application/x-www-form-urlencoded": 200,
        "application/vnd.zeald+xml": 200,
        "application/json": 415,
        "multipart/form-data; boundary=x": 415,
    }

    for content_type, status in types.items():
        answer = admin.send("POST", "Customer", body(GOOD), content_type=content_type)
        assert answer.status_code == status, content_type


def test_a_body_without_records_is_refused(admin):
    assert refusal(admin.post("Customer"))[0] == 400


def test_a_path_names_one_record(admin, peter):
    answer = admin.put(f"Customer/{peter}", customer(b_fname="A"), customer(b_fname="B"))

    assert refusal(answer)[0] == 400
    assert one(admin.get(f"Customer/{peter}"))["b_fname"] == "Peter"


def test_a_method_that_a_list_has_not_is_refused_in_the_envelope(admin):
    for method in ("PATCH", "OPTIONS", "PUT", "DELETE"):
        assert refusal(admin.send(method, "Customer"))[0] == 405


def test_a_body_that_is_too_long_is_refused_in_the_envelope(admin, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10

    assert refusal(admin.post("Customer", GOOD))[0] == 413


def test_a_bug_is_told_in_the_envelope_and_says_nothing(admin, monkeypatch):
    def broken(*args, **options):
        raise RuntimeError("peter@parker.nz")

    monkeypatch.setattr("dialects.zeald.views.shown", broken)
    admin.client.raise_request_exception = False

    answer = admin.get("Customer")

    assert refusal(answer)[0] == 500
    assert b"peter" not in answer.content


# --- Out ---------------------------------------------------------------------------------------
def test_any_key_is_found_where_its_record_says(admin):
    keys = ["a b", "a/b", "a%b", "a?b#c", "a;b&c", "ø@å.no", "<&\"'>", "../x", "a+b", "(a)"]
    admin.post("Customer", *(customer(username=escaped(key)) for key in keys))

    elements = list(tree(admin.get("Customer")))

    ids = {element.get("id"): element.get("href") for element in elements}
    assert set(ids) == {f"Model::Customer::{key}" for key in keys}
    for key in keys:
        answer = admin.get(ids[f"Model::Customer::{key}"].removeprefix("http://testserver"))
        assert one(answer)["username"] == key


def test_what_xml_cannot_hold_is_replaced_and_a_carriage_return_survives():
    assert escaped("a\x0b\x00\ufffeb\r\n\U0001f600]]>") == (
        "a\ufffd\ufffd\ufffdb&#13;\n\U0001f600]]&gt;"
    )


def test_a_list_is_well_formed_whatever_is_stored(admin, shop):
    with in_tenant(shop):
        customer_row = CustomerFactory(tenant=shop, username="u")
        Customer.objects.filter(pk=customer_row.pk).update(custom_data1="\x1f\ufffe<&>]]>")

    assert counts(admin.get("Customer")) == (0, 1, 1)
    assert one(admin.get("Customer/u"))["custom_data1"] == "\ufffd\ufffd<&>]]>"


def test_the_text_of_an_element_comes_whole_however_it_is_cut():
    text = "ø" * 100_000

    (node,) = read(body(customer(custom_data1=text)).encode())

    assert node.fields == {"custom_data1": text}
