from remit.store import payload
from tests.kit.nouns import CALL, PERSON, code


def test_values_and_salt_are_erased_together_and_once(tables):
    payload.put(tables, CALL, b"salt", b"body")
    assert payload.get(tables, CALL) == (b"salt", b"body")
    tables.mark()
    assert code(lambda: (payload.put(tables, CALL, b"other", b"body"), tables.flush())) == "store_constraint"
    tables.undo()
    assert payload.erase(tables, CALL)
    assert payload.get(tables, CALL) is None
    assert tables.one("SELECT salt, body, erased FROM payload") == (None, None, 1)
    assert not payload.erase(tables, CALL)
    assert payload.get(tables, "other") is None


def test_a_public_text_stays_what_it_was_first(tables):
    payload.put_blob(tables, "d", b"one")
    payload.put_blob(tables, "d", b"two")
    assert payload.get_blob(tables, "d") == b"one"
    assert payload.get_blob(tables, "e") is None


def test_who_a_person_is_can_be_forgotten(tables):
    payload.put_identity(tables, "idp", "olga", PERSON, "Olga")
    assert payload.person_at(tables, "idp", "olga") == PERSON
    assert payload.person_at(tables, "other", "olga") is None
    assert payload.names(tables, PERSON) == [("idp", "olga", "Olga")]
    assert payload.forget_person(tables, PERSON) == 1
    assert payload.names(tables, PERSON) == []
    assert payload.person_at(tables, "idp", "olga") is None
    assert payload.forget_person(tables, PERSON) == 0


def test_when_groups_were_said_is_kept_until_the_person_is_forgotten(tables):
    assert payload.grouped(tables, PERSON) == 0
    for told in (7, 9):
        payload.regroup(tables, PERSON, told)
        assert payload.grouped(tables, PERSON) == told
    payload.forget_person(tables, PERSON)
    assert payload.grouped(tables, PERSON) == 0


def test_a_single_use_value_is_used_once_for_each_kind(tables):
    assert payload.spend(tables, "jti", "x", 10)
    assert not payload.spend(tables, "jti", "x", 99)
    assert payload.spend(tables, "dpop", "x", 10)
    assert payload.expire_nonces(tables, 10) == 0
    assert payload.expire_nonces(tables, 11) == 2
    assert payload.spend(tables, "jti", "x", 10)
