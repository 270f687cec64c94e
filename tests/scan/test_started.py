"""What code starts, with what its names stand for put in place."""

import ast

import pytest

from remit.scan import spelled, started

CODE = """
WORK = "/srv/work"
HOME = os.path.expanduser("~")
MORE = ["-v", f"{HOME}/.ssh:/s"]
twice = "/"
twice = "/srv"
words = ["run"]
words += ["-v", "/root:/r"]
words.append("acme/a:1.0.0")
"""


@pytest.mark.parametrize(
    ("call", "told"),
    [
        ("StdioServerParameters(command='docker', args=['run', *MORE, 'a:1.0.0'])", ["AG122"]),
        ("MCPServerStdio('docker', words)", ["AG122"]),
        ("StdioServerParameters(command='docker', args=['run', '-v', f'{WORK}:/w', 'a:1.0.0'])", []),
        ("StdioServerParameters(command='fs-filesystem', args=[twice])", []),
        ("containers.run('acme/a', environment={'A_TOKEN': key})", ["AG120"]),
        ("containers.run('acme/a', environment={'SIZE': '1'})", []),
        ("subprocess.run(['npx', '-y', 'a'], env={'A_TOKEN': key})", ["AG120"]),
        ("subprocess.run(['npx', '-y', 'a'])", []),
        ("Mount('/h', HOME, type='bind')", ["AG122"]),
        ("Mount('/h', 'home', type='volume')", []),
    ],
)
def test_what_a_call_starts_is_told(call: str, told: list[str]) -> None:
    tree = ast.parse(CODE + call)
    node = ast.parse(call, mode="eval").body
    assert isinstance(node, ast.Call)
    given = {one.arg: one.value for one in node.keywords if one.arg}
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    assert [kind for kind, *_ in started.told(node, name, given, spelled.names(tree))] == told
