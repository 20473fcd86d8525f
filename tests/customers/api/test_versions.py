"""ETag and If-Match: nobody overwrites what they have not seen."""

import pytest

from tenancy.services import update_tenant

pytestmark = pytest.mark.django_db


def match(tag):
    return {"If-Match": tag}


def test_a_change_that_names_the_present_version_passes(admin, ada):
    answer = admin.patch(f"customers/{ada.pk}/", {"first_name": "Adele"}, headers=match('"1"'))

    assert answer.status_code == 200
    assert answer["ETag"] == '"2"'


@pytest.mark.parametrize("tag", ['"9"', '"0"', '"x"', "nonsense", '""', '"99999999999999999999"'])
def test_a_stale_version_is_refused_with_the_present_one(admin, ada, tag):
    answer = admin.patch(f"customers/{ada.pk}/", {"first_name": "Adele"}, headers=match(tag))

    assert answer.status_code == 412
    assert answer["ETag"] == '"1"'
    assert admin.get(f"customers/{ada.pk}/").json()["first_name"] == "Ada"


@pytest.mark.parametrize("tag", ['"1"', 'W/"1"', '"7", "1"', "*"])
def test_the_header_may_say_it_in_several_ways(admin, ada, tag):
    answer = admin.patch(f"customers/{ada.pk}/", {"first_name": "Adele"}, headers=match(tag))

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("patch", "", {"first_name": "Adele"}),
        ("delete", "", None),
        ("post", "activate/", {}),
        ("post", "deactivate/", {}),
        ("post", "anonymise/", {}),
        ("post", "set-password/", {"password": "correct horse battery"}),
        ("post", "change-login/", {"login_email": "new@example.org"}),
        ("post", "emails/", {"address": "new@example.org"}),
        ("post", "labels/", {"key": "k"}),
        ("post", "consents/", {"purpose": "marketing", "granted": True}),
        ("post", "devices/", {"token": "t"}),
        ("post", "devices/remove/", {"token": "t"}),
        ("delete", "avatar/", None),
        ("put", "stores/default/", {"note": "x"}),
        ("put", "charge-account/", {"number": "7"}),
        ("delete", "charge-account/", None),
    ],
)
def test_every_write_heeds_the_version(admin, acme, ada, method, path, body):
    path = path.replace("default", _default_store())

    answer = admin.send(method, f"customers/{ada.pk}/{path}", body, headers=match('"5"'))

    assert answer.status_code == 412
    ada.refresh_from_db()
    assert ada.version == 1


def _default_store():
    from tenancy.models import Store

    return Store.objects.get().code


def test_the_body_may_name_the_version(admin, ada):
    path = f"customers/{ada.pk}/"

    stale = admin.patch(path, {"first_name": "Adele", "version": 7})
    right = admin.patch(path, {"first_name": "Adele", "version": 1})

    assert (stale.status_code, right.status_code) == (412, 200)


@pytest.mark.parametrize("version", ["1", 1.0, True, [], {}])
def test_a_version_in_the_body_is_a_whole_number(admin, ada, version):
    answer = admin.patch(f"customers/{ada.pk}/", {"version": version})

    assert answer.status_code == 400


def test_header_and_body_must_agree(admin, ada):
    answer = admin.patch(f"customers/{ada.pk}/", {"version": 2}, headers=match('"1"'))

    assert answer.status_code == 400


def test_a_strict_tenant_requires_the_version(admin, acme, ada):
    update_tenant(acme, settings={"require_if_match": True})
    path = f"customers/{ada.pk}/"

    without = [
        admin.patch(path, {"first_name": "Adele"}),
        admin.delete(path),
        admin.put(f"{path}charge-account/", {"number": "7"}),
    ]
    named = admin.patch(path, {"first_name": "Adele"}, headers=match('"1"'))
    posted = admin.post(f"{path}deactivate/", {})

    assert {answer.status_code for answer in without} == {428}
    assert named.status_code == posted.status_code == 200


def test_a_reader_who_is_up_to_date_gets_nothing_again(admin, ada):
    path = f"customers/{ada.pk}/"

    assert admin.get(path, headers={"If-None-Match": '"1"'}).status_code == 304
    assert admin.get(path, headers={"If-None-Match": '"2"'}).status_code == 200


def test_a_change_that_changes_nothing_keeps_the_version(admin, ada):
    answer = admin.patch(f"customers/{ada.pk}/", {"first_name": "Ada"})

    assert answer["ETag"] == '"1"'
