"""`list` beside `show`: the word that people try first for all there is, and that `show` says without a name."""

from typing import Any

import click


class Listing(click.Group):
    """A group whose `list` is its `show` of nothing in particular."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in order."""
        return sorted({*super().list_commands(ctx), *(["list"] if "show" in self.commands else [])})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name."""
        found, show = super().get_command(ctx, cmd_name), super().get_command(ctx, "show")
        if found is not None or cmd_name != "list" or show is None:
            return found
        bare = {one.name: None for one in show.params if isinstance(one, click.Argument) and one.name}

        def every(**given: Any) -> Any:
            return show.callback(**bare, **given) if show.callback else None

        options = [one for one in show.params if isinstance(one, click.Option)]
        return click.Command("list", callback=every, params=[*options], help="List all.")
