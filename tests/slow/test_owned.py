"""A thousand calls that name another customer's orders, reservations and payment methods: none is let through."""

from tests.kit.errands import counter, served


def test_of_a_thousand_calls_for_things_of_others_none_is_let_through() -> None:
    with counter(24) as made:
        users = made.shop.users
        mine: list[str] = []
        theirs: list[str] = []
        for number, user in enumerate(users):
            others = [users[(number + step) % len(users)] for step in range(1, 11)]
            own, foreign = served(made, user, others)
            mine, theirs = mine + own, theirs + foreign
        assert len(theirs) >= 1000
        assert set(mine) == {"allowed"}
        assert set(theirs) <= {"owner_unknown", "object_not_owned"}
