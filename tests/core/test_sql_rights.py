"""What a plan's steps ask of a database: only what they list, by name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.core.sql_rights import Right, rights, writes
from remit.core.step import Step
from tests.kit.nouns import code


def step(verb="select", relation=("public.orders",), columns=None, **members):
    limits = {} if relation is None else {"relation": [{"one_of": list(relation)}]}
    if columns is not None:
        limits["/columns/*"] = [{"one_of": list(columns)}]
    form = {"action": f"sql:crm/{verb}", "path": "own", "arguments": limits} | members
    return Step.from_json(form)


def test_a_table_and_its_columns():
    assert rights([step(columns=["id", "total"])]) == (Right("public", "orders", "select", ("id", "total")),)
    assert rights([step("delete", columns=["id"])]) == (Right("public", "orders", "delete"),)
    assert rights([step(relation=["orders"])]) == (Right("public", "orders", "select"),)
    assert rights([step(relation=["a.x", "b.y"], columns=["a.x.id", "y.n"])]) == (
        Right("a", "x", "select", ("id",)),
        Right("b", "y", "select", ("n",)),
    )


def test_columns_of_several_steps_add_up_and_the_whole_table_wins():
    found = rights([step(columns=["id"]), step(columns=["total"]), step("insert", columns=["id"])])
    assert found == (
        Right("public", "orders", "insert", ("id",)),
        Right("public", "orders", "select", ("id", "total")),
    )
    assert rights([step(columns=["id"]), step()]) == (Right("public", "orders", "select"),)
    assert rights([step(), step(columns=["id"])]) == (Right("public", "orders", "select"),)


def test_every_limit_on_an_argument_holds():
    narrowed = step(arguments={"relation": [{"one_of": ["a.x", "a.y"]}, {"one_of": ["a.y", "a.z"]}]})
    assert rights([narrowed]) == (Right("a", "y", "select"),)
    bounded = step(arguments={"relation": [{"one_of": ["a.x", "b.y"]}, {"prefix": "b."}]})
    assert rights([bounded]) == (Right("b", "y", "select"),)


def test_reading_and_writing():
    assert not writes(rights([step()]))
    assert writes(rights([step(), step("update")]))
    assert rights([step("call", ["public.bump"])]) == (Right("public", "bump", "call"),)
    assert rights([step("truncate", columns=["id"])]) == (Right("public", "orders", "truncate"),)
    assert rights([step("@read", relation=None)]) == ()
    free = step(
        arguments={"relation": [{"equals": "public.orders"}], "columns": [{"any": True}], "where": [{"any": True}]}
    )
    assert rights([free]) == (Right("public", "orders", "select"),)
    whole = step(arguments={"relation": [{"equals": "public.orders"}], "columns": [{"equals": ["id", "total"]}]})
    assert rights([whole]) == (Right("public", "orders", "select", ("id", "total")),)


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        ({}, "rights_unbounded"),
        ({"relation": [{"any": True}]}, "rights_unbounded"),
        ({"relation": [{"prefix": "public."}]}, "rights_unbounded"),
        ({"relation": [{"pattern": ".*"}]}, "rights_unbounded"),
        ({"relation": [{"one_of": ["t"]}], "/columns/*": [{"pattern": "x"}]}, "rights_unbounded"),
        ({"relation": [{"one_of": ["t"]}], "/columns/*": [{"one_of": ["*"]}]}, "rights_unbounded"),
        ({"relation": [{"one_of": [7]}]}, "rights_invalid"),
        ({"relation": [{"one_of": ['x"; DROP ROLE admin; --']}]}, "rights_invalid"),
        ({"relation": [{"one_of": ["a.b.c.d"]}]}, "rights_invalid"),
        ({"relation": [{"one_of": ["pg_catalog.pg_authid"]}]}, "rights_invalid"),
        ({"relation": [{"one_of": ["x" * 64]}]}, "rights_invalid"),
        ({"relation": [{"one_of": ["a."]}]}, "rights_invalid"),
        ({"relation": [{"one_of": ["t"]}], "/columns/*": [{"one_of": ["a\0"]}]}, "rights_invalid"),
    ],
)
def test_what_cannot_be_listed_or_cannot_be_is_refused(arguments, wrong):
    assert code(rights, [step(arguments=arguments)]) == wrong


NAMES = st.sampled_from(["a", "b", "c"])
STEPS = st.lists(
    st.builds(
        lambda verb, tables, columns: step(verb, sorted(tables), columns and sorted(columns)),
        st.sampled_from(["select", "insert", "update", "delete"]),
        st.sets(st.tuples(NAMES, NAMES).map(".".join), min_size=1),
        st.none() | st.sets(NAMES, min_size=1),
    ),
    min_size=1,
    max_size=4,
)


@given(STEPS)
def test_a_right_is_given_exactly_where_some_step_lists_it(steps):
    found = {(one.schema, one.table, one.verb): one.columns for one in rights(steps)}
    for schema in "abc":
        for table in "abc":
            for verb in ("select", "insert", "update", "delete"):
                mine = [one for one in steps if one.action.endswith(verb) and lists(one, f"{schema}.{table}")]
                whole = any("/columns/*" not in one.arguments for one in mine) or verb == "delete"
                columns = {
                    c for one in mine for c in "abc" if "/columns/*" in one.arguments and lists(one, c, "/columns/*")
                }
                wanted = None if not mine else (() if whole else tuple(sorted(columns)))
                assert found.get((schema, table, verb)) == wanted


def lists(one, value, name="relation"):
    return all(limit.allows(value) for limit in one.arguments[name])
