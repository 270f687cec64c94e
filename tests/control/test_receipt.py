from remit.control import receipt
from remit.core.receipt import Auditor
from remit.ledger import note, proof
from remit.store.log import entries, newest
from tests.kit.nouns import code
from tests.kit.told import size
from tests.kit.world import read_call


def busy(world):
    entry = world.enter(world.a_credential(world.a_task().id).text)
    world.note(world.decide(read_call(), entry))
    world.decide(read_call("/etc"), entry)
    return world.decide(read_call(), entry)


def test_every_table_is_rebuilt_from_the_ledger(world, tmp_path):
    busy(world)
    assert receipt.replay(world.authority, tmp_path / "twin" / "remit.db") == []


def test_a_row_that_no_receipt_explains_is_named(world, tmp_path):
    def sneak(change):
        change.db.run("UPDATE agent SET state = 'retired'")
        change.keep()

    world.act(sneak)
    (found,) = receipt.replay(world.authority, tmp_path / "twin" / "remit.db")
    assert found.startswith("agent: 1 rows")


def test_the_entries_are_sound_and_what_has_no_outcome_is_known(world):
    flying, auditor = busy(world), Auditor()
    found = [auditor(n, body) for n, body in enumerate(entries(world.authority.view, 0, size(world)))]
    assert set(found) == {None}
    assert list(auditor.open) == [flying.call]


def test_an_entry_is_proved_to_whoever_holds_the_key(world):
    leaf = busy(world).leaf
    keys, bundle = [note.parse_vkey(world.authority.verifier())], receipt.prove(world.authority, leaf)
    (entry,) = entries(world.authority.view, leaf, leaf + 1)
    assert proof.verify(bundle, entry, world.authority.name, keys).ok
    assert not proof.verify(bundle, entry.replace(b"allow", b"allov"), world.authority.name, keys).ok
    for wrong in (-1, size(world)):
        assert code(receipt.prove, world.authority, wrong) == "not_found"


def test_an_export_holds_entries_tiles_heads_and_a_checkpoint(world):
    busy(world)
    files = dict(receipt.files(world.authority.view))
    head = newest(world.authority.view)
    assert {"checkpoint", "heads"} < files.keys()
    assert files["checkpoint"] == head.note.encode()
    assert receipt.head_size(head.note) == head.size
    assert note.parse(files["checkpoint"]).text.startswith(world.authority.name)
