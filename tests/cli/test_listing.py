"""A group has `list` where it has `show`, with the same options; one of its own goes before."""

import click

from remit.cli.listing import Listing


@click.group(cls=Listing)
def nouns() -> None:
    pass


@nouns.command()
@click.argument("name", required=False)
@click.option("--all", "every", is_flag=True)
def show(*, name: str | None, every: bool) -> None:
    click.echo(f"{name} {every}")


def test_it_is_show_without_a_name(capsys) -> None:
    nouns.main(["list", "--all"], standalone_mode=False)
    assert capsys.readouterr().out == "None True\n"
    nouns.main(["--help"], standalone_mode=False)
    assert "List all." in capsys.readouterr().out


def test_where_nothing_is_shown_or_a_list_is_there_nothing_is_made(capsys) -> None:
    bare = Listing("bare")
    assert bare.get_command(click.Context(bare), "list") is None
    assert bare.list_commands(click.Context(bare)) == []
    own = Listing("own", commands={"show": show, "list": click.Command("list", callback=lambda: click.echo("own"))})
    own.main(["list"], standalone_mode=False)
    assert capsys.readouterr().out == "own\n"
