"""Whoever comes in one way is the same person on every other."""

import pytest

from config.dialects_page import kept
from tests.dialects.ways import PERSON, ways
from tests.factories import (
    GroupFactory,
    StaffMemberFactory,
    StoreFactory,
    TenantFactory,
    UserFactory,
    make_token,
)

pytestmark = pytest.mark.django_db


WAYS_IN = [way for way in ways() if way.dialect.registers]


@pytest.mark.parametrize("way_in", WAYS_IN, ids=lambda way: way.dialect.name)
def test_what_one_way_takes_every_other_tells_that_has_a_word_for_it(way_in):
    tenant = TenantFactory(code="crossing")
    StoreFactory(tenant=tenant, code="s1")
    GroupFactory(tenant=tenant, code="club")
    StaffMemberFactory(tenant=tenant, role="seller", user=UserFactory(email=PERSON["seller"]))
    token = make_token(tenant)

    customer_id = way_in(tenant, token).register(PERSON)

    for way_out in ways():
        told = way_out(tenant, token).read(customer_id)
        names = kept(way_in.dialect, way_out.dialect)
        assert {name: told.get(name) for name in names} == {name: PERSON[name] for name in names}, (
            way_out.dialect.name
        )


def test_every_word_that_a_way_takes_is_tried():
    for way in ways():
        assert set(way.dialect.registers) <= set(PERSON), way.dialect.name
        assert set(way.dialect.registers) <= set(way.dialect.spoken), way.dialect.name
