"""Groups and memberships: what the services do, and what they refuse."""

import pytest
from django.core.exceptions import ValidationError

from customers.models import Customer
from customers.services import VersionConflict
from events.actors import Actor, acting
from events.models import Event, HistoryEntry
from groups.models import Group, Subscription
from groups.services import (
    clean_wish,
    create_group,
    delete_group,
    find_group,
    join_groups,
    remove_from_group,
    subscribe_customer,
    unsubscribe_customer,
    update_group,
)
from tenancy.scoping import in_tenant
from tests.factories import GroupFactory, StoreFactory, TenantFactory

pytestmark = pytest.mark.django_db


def refused(error):
    """Field -> codes of a ValidationError; "" for one without a field."""
    if hasattr(error.value, "error_dict"):
        return {name: [e.code for e in errors] for name, errors in error.value.error_dict.items()}
    return {"": [e.code for e in error.value.error_list]}


def as_customer(customer):
    return acting(Actor("customer", customer.pk))


# --- Groups ----------------------------------------------------------------------------------
def test_a_group_is_created_with_a_history_and_an_event(acme):
    group = create_group(code="vip", title="  Our best ", subscribable="public")

    assert (group.code, group.title, group.subscribable) == ("vip", "Our best", "public")
    assert HistoryEntry.objects.get(subject_id=group.pk).deed == "group.created"
    assert Event.objects.get(subject_id=group.pk).kind == "group.created"


def test_a_group_without_a_title_is_called_by_its_code(acme):
    assert create_group(code="vip").title == "vip"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {"code": ["required"]}),
        ({"code": "a\0b"}, {"code": ["null_character"]}),
        ({"code": "x" * 65}, {"code": ["max_length"]}),
        ({"code": "vip\u200b"}, {"code": ["invisible_character"]}),
        ({"code": "vip", "title": 7}, {"title": ["not_text"]}),
        ({"code": "vip", "subscribable": "maybe"}, {"subscribable": ["invalid_choice"]}),
        ({"code": "vip", "subscribable": ["public"]}, {"subscribable": ["invalid_choice"]}),
        ({"code": "vip", "parent": "nowhere"}, {"parent": ["does_not_exist"]}),
        ({"code": "vip", "description": "x" * 4001}, {"description": ["max_length"]}),
    ],
)
def test_a_bad_group_is_refused_by_the_name_of_the_field(acme, fields, expected):
    with pytest.raises(ValidationError) as error:
        create_group(**fields)

    assert refused(error) == expected
    assert not Group.objects.exists()


def test_a_taken_code_is_refused_by_the_constraint(acme):
    create_group(code="vip")

    with pytest.raises(ValidationError) as error:
        create_group(code="vip")

    assert refused(error) == {"code": ["unique"]}


def test_two_tenants_may_use_the_same_code(acme):
    create_group(code="vip")
    other = TenantFactory()

    with in_tenant(other):
        create_group(code="vip")

        assert Group.objects.count() == 1


def test_a_parent_of_another_tenant_does_not_exist(acme):
    stranger = GroupFactory(tenant=TenantFactory(), code="theirs")

    for reference in (stranger, stranger.pk, "theirs"):
        with pytest.raises(ValidationError) as error:
            create_group(code="vip", parent=reference)

        assert refused(error) == {"parent": ["does_not_exist"]}


def test_a_misspelt_field_is_a_mistake_of_the_caller(acme):
    with pytest.raises(TypeError, match="titel"):
        create_group(code="vip", titel="VIP")


def test_an_update_changes_what_it_names_and_tells_the_history(acme):
    group = GroupFactory(tenant=acme, code="vip", title="VIP", description="Old")

    updated = update_group(group, description=None, reason="tidied")

    assert (updated.title, updated.description) == ("VIP", "")
    assert updated.updated_at > group.updated_at
    entry = HistoryEntry.objects.get(subject_id=group.pk)
    assert (entry.changes, entry.reason) == ({"description": ["Old", ""]}, "tidied")


def test_an_update_that_changes_nothing_writes_nothing(acme):
    parent = GroupFactory(tenant=acme)
    group = GroupFactory(tenant=acme, code="vip", title="VIP", parent=parent)

    updated = update_group(group, title="VIP ", parent=parent.code)

    assert updated.updated_at == group.updated_at
    assert not HistoryEntry.objects.exists()


def test_a_group_cannot_stand_below_itself_or_its_own(acme):
    top = GroupFactory(tenant=acme)
    middle = GroupFactory(tenant=acme, parent=top)
    bottom = GroupFactory(tenant=acme, parent=middle)

    for parent in (top, middle, bottom):
        with pytest.raises(ValidationError) as error:
            update_group(top, parent=parent)

        assert refused(error) == {"parent": ["cycle"]}


def test_a_group_may_move_within_the_tree_and_to_its_top(acme):
    top = GroupFactory(tenant=acme)
    middle = GroupFactory(tenant=acme, parent=top)
    bottom = GroupFactory(tenant=acme, parent=middle)

    update_group(bottom, parent=top)
    update_group(middle, parent=bottom)
    update_group(bottom, parent=None)

    assert update_group(middle, title="x").parent == bottom
    assert Group.objects.get(pk=bottom.pk).parent is None


def test_a_group_with_groups_below_it_is_not_deleted(acme):
    top = GroupFactory(tenant=acme)
    GroupFactory(tenant=acme, code="below", parent=top)

    with pytest.raises(ValidationError, match="below") as error:
        delete_group(top)

    assert refused(error) == {"": ["has_children"]}
    assert Group.objects.count() == 2


def test_deleting_a_group_takes_its_members_out_and_tells_their_history(acme, ada, grace):
    group = GroupFactory(tenant=acme, code="vip")
    for customer in (ada, grace):
        subscribe_customer(customer, group)

    delete_group(group, reason="closed")

    assert not Group.objects.exists()
    for customer in Customer.objects.all():
        assert customer.version == 3
        entry = HistoryEntry.objects.about("customer", customer.pk).first()
        assert (entry.changes, entry.reason) == ({"groups": [["vip"], []]}, "closed")
    assert Event.objects.filter(kind="group.deleted", subject_id=group.pk).exists()


def test_a_group_is_found_by_id_and_by_code(acme):
    group = GroupFactory(tenant=acme, code="vip")

    assert find_group("vip") == find_group(str(group.pk)) == find_group(group) == group


@pytest.mark.parametrize("text", ["", "a\0", "\ud800", "x" * 10_000, "VIP", None, 7, ["vip"]])
def test_whatever_else_is_asked_for_there_is_no_such_group(acme, text):
    GroupFactory(tenant=acme, code="vip")

    with pytest.raises(ValidationError) as error:
        find_group(text)

    assert refused(error) == {"": ["does_not_exist"]}


# --- Memberships -----------------------------------------------------------------------------
def test_joining_writes_evidence_version_history_and_event_once(acme, ada):
    group = GroupFactory(tenant=acme, code="news")
    store = StoreFactory(tenant=acme)
    before = ada.updated_at

    with acting(Actor("staff", ada.pk, "Sally Seller")):
        member = subscribe_customer(
            ada, group, store=store.code, source="form 7", wording_version="v2", custom_data1="x"
        )

    assert (member.subscribed, member.store, member.source) == (True, store, "form 7")
    assert (member.actor_kind, member.actor_label, member.actor_id) == (
        "staff",
        "Sally Seller",
        ada.pk,
    )
    assert (member.wording_version, member.custom_data1, member.code) == ("v2", "x", 1)
    assert (ada.version, ada.updated_at > before) == (2, True)
    entry = HistoryEntry.objects.about("customer", ada.pk).first()
    assert (entry.version, entry.changes) == (2, {"groups": [[], ["news (custom_data1: x)"]]})
    assert Event.objects.filter(subject_id=ada.pk, version=2).count() == 1


def test_the_same_flag_again_changes_nothing(acme, ada):
    group = GroupFactory(tenant=acme)
    first = subscribe_customer(ada, group, source="form")
    seen = (ada.version, ada.updated_at)

    again = subscribe_customer(ada, group, source="another form")

    assert (again.pk, again.at, again.source) == (first.pk, first.at, "form")
    assert (ada.version, ada.updated_at) == seen


def test_unsubscribing_keeps_the_membership_and_stamps_anew(acme, ada):
    group = GroupFactory(tenant=acme, code="news")
    first = subscribe_customer(ada, group, source="form", custom_data2="kept")

    member = unsubscribe_customer(ada, group, source="by mail")

    assert (member.pk, member.code) == (first.pk, first.code)
    assert (member.subscribed, member.source, member.custom_data2) == (False, "by mail", "kept")
    assert member.at > first.at
    assert ada.version == 3


def test_leaving_removes_the_membership_and_says_whether_there_was_one(acme, ada):
    group = GroupFactory(tenant=acme)
    subscribe_customer(ada, group)

    assert remove_from_group(ada, group.code) is True
    assert remove_from_group(ada, group.code) is False
    assert not Subscription.objects.exists()
    assert ada.version == 3


def test_the_codes_of_memberships_count_up_in_each_tenant(acme, ada, grace):
    groups = [GroupFactory(tenant=acme) for _ in range(2)]

    codes = [subscribe_customer(who, group).code for who in (ada, grace) for group in groups]

    assert codes == [1, 2, 3, 4]


def test_a_customer_joins_and_leaves_a_public_group(acme, ada):
    group = GroupFactory(tenant=acme, subscribable="public")

    with as_customer(ada):
        subscribe_customer(ada, group)
        member = unsubscribe_customer(ada, group)

        assert (member.subscribed, member.actor_kind) == (False, "customer")
        assert remove_from_group(ada, group) is True


def test_a_customer_cannot_touch_a_private_group(acme, ada):
    group = GroupFactory(tenant=acme, subscribable="private")
    joined = GroupFactory(tenant=acme, subscribable="private")
    subscribe_customer(ada, joined)

    for deed in (
        lambda: subscribe_customer(ada, group),
        lambda: unsubscribe_customer(ada, joined),
        lambda: remove_from_group(ada, joined),
    ):
        with as_customer(ada), pytest.raises(ValidationError) as error:
            deed()

        assert refused(error) == {"": ["private_group"]}
    assert Subscription.objects.get().subscribed is True
    assert ada.version == 2


def test_a_customer_cannot_write_what_integrators_write(acme, ada):
    group = GroupFactory(tenant=acme, subscribable="public")

    with as_customer(ada), pytest.raises(ValidationError) as error:
        subscribe_customer(ada, group, custom_data1="x")

    assert refused(error) == {"custom_data1": ["read_only"]}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"group": "nowhere"}, {"group": ["does_not_exist"]}),
        ({"store": "nowhere"}, {"store": ["does_not_exist"]}),
        ({"subscribed": "perhaps"}, {"subscribed": ["invalid_bool"]}),
        ({"source": "x" * 121}, {"source": ["max_length"]}),
        ({"custom_data4": "\0"}, {"custom_data4": ["null_character"]}),
        ({"custom_data5": "x"}, {"custom_data5": ["unknown"]}),
    ],
)
def test_a_bad_membership_is_refused_by_the_name_of_the_field(acme, ada, values, expected):
    GroupFactory(tenant=acme, code="news")

    with pytest.raises(ValidationError) as error:
        subscribe_customer(ada, **({"group": "news"} | values))

    assert refused(error) == expected
    assert not Subscription.objects.exists()


def test_a_version_that_has_passed_refuses_the_change(acme, ada):
    group = GroupFactory(tenant=acme)

    with pytest.raises(VersionConflict):
        subscribe_customer(ada, group, expected_version=7)

    assert not Subscription.objects.exists()


def wishes(*items):
    return [clean_wish(item) for item in items]


def test_groups_are_joined_beside_the_others_as_one_change(acme, ada):
    for code in ("vip", "news", "club"):
        GroupFactory(tenant=acme, code=code)
    subscribe_customer(ada, "vip", custom_data1="kept")
    version = ada.version

    members = join_groups(
        ada, wishes({"group": "news"}, {"group": "club", "subscribed": False}, {"group": "vip"})
    )

    rows = Subscription.objects.filter(customer=ada).order_by("group__code")
    assert list(rows.values_list("group__code", "subscribed", "custom_data1")) == [
        ("club", False, ""),
        ("news", True, ""),
        ("vip", True, "kept"),
    ]
    assert [member.group.code for member in members] == ["news", "club", "vip"]
    assert Customer.objects.get(pk=ada.pk).version == version + 1


def test_a_membership_gets_the_code_that_was_taken_for_it(acme, ada):
    GroupFactory(tenant=acme, code="vip")
    (wish,) = wishes({"group": "vip"})
    wish.code = 4711

    assert join_groups(ada, [wish])[0].code == 4711
