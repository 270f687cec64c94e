"""What an agent names for one customer must be that customer's, on a real database behind the real gate."""

import pytest

from tests.kit.errands import Counter, counter, served


@pytest.fixture(scope="module")
def shop():
    with counter(4) as made:
        yield made


def test_nothing_of_another_customers_is_touched_and_all_of_ones_own_is(shop: Counter) -> None:
    first, second, third, _ = shop.shop.users
    mine, theirs = served(shop, first, [second, third])
    assert set(mine) == {"allowed"}
    assert set(theirs) <= {"owner_unknown", "object_not_owned"}
    assert "object_not_owned" in theirs
    own = {(table, one) for table in ("purchase", "reservation") for one in shop.shop.ids(table, first)}
    assert shop.shop.moved() == own


def test_what_nobody_has_looked_up_belongs_to_nobody(shop: Counter) -> None:
    last = shop.shop.users[3]
    client = shop.errand(last)
    order = shop.shop.ids("purchase", last)[0]
    assert client.call("cancel_order", {"order": order}).code == "owner_unknown"
    assert client.call("cancel_order", {"order": [order]}).code == "owner_unknown"
    assert client.call("cancel_order", {"order": {"id": order}}).code == "argument_refused"
    assert client.call("get_order", {"order": order}).code == ""
    assert client.call("cancel_order", {"order": order}).code == ""
