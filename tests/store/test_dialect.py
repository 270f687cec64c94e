from remit.store.dialect import dollars, translated
from remit.store.migrate import packaged


def test_values_are_numbered():
    assert dollars("SELECT a FROM b WHERE c = ? AND d = ?") == "SELECT a FROM b WHERE c = $1 AND d = $2"


def test_a_schema_is_said_in_the_other_words():
    table = "CREATE TABLE a (b TEXT PRIMARY KEY, c INTEGER NOT NULL, d BLOB)"
    said = 'CREATE TABLE a (b TEXT COLLATE "C" PRIMARY KEY, c BIGINT NOT NULL, d BYTEA);'
    for options in ("", " STRICT", " WITHOUT ROWID", " STRICT, WITHOUT ROWID", " WITHOUT ROWID, STRICT"):
        assert translated(f"-- why\n{table}{options};\n") == said


def test_no_migration_keeps_a_word_that_only_one_store_knows():
    for migration in packaged():
        for word in ("BLOB", "INTEGER", "WITHOUT", "STRICT", "AUTOINCREMENT", "--"):
            assert word not in translated(migration.sql), f"{migration.name}: {word}"
