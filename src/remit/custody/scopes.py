"""The table of OAuth scopes that comes along: read when it is asked for."""

from importlib.resources import files


def text() -> str:
    """The table's text."""
    return files("remit.custody").joinpath("scopes.tsv").read_text(encoding="utf-8")
