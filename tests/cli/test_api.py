"""An API is registered from the command line by its OpenAPI document."""

import json

from tests.kit.shell import Shell
from tests.kit.shopapi import DOCUMENT, KEY


def test_an_api_is_registered_with_its_operations_and_says_what_it_leaves_out(tmp_path):
    shell = Shell(tmp_path)
    shell.ok("remit up --no-serve")
    shell.write("openapi.json", json.dumps(DOCUMENT))
    shell.write("key", KEY)
    shell.ok("remit secret put pay-key --from file:key")
    add = "remit resource add pay --api https://api.pay.example/v1 --domain office --owner olga"
    ran = shell.run(f"{add} --openapi openapi.json --secret pay-key --header x-api-key")
    assert ran.code == 0, ran.err
    assert "left out: POST /form: its body is nothing that can be decided" in ran.err
    shown = json.loads(shell.ok("remit resource show pay -o json"))
    assert shown["kind"] == "http"
    kinds = {one["name"]: one.get("reads", False) for one in shown["tools"]}
    assert (kinds["list_orders"], kinds["refund"], kinds["talk"]) == (True, False, False)
    assert KEY not in json.dumps(shown)
    assert shell.run(add).code == 2
    assert "[resource_invalid]" in shell.run("remit resource repin pay").err
    shell.write("openapi.json", "[]")
    assert "[openapi_invalid]" in shell.run(f"{add} --openapi openapi.json").err
    bad = add.replace("api.pay.example", "2130706433")
    assert "[origin_invalid]" in shell.run(f"{bad} --openapi openapi.json").err
