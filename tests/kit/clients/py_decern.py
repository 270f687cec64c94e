"""An AuthZEN client that others wrote: ask what stands in the script, and print what it understood, as JSON."""

import json
import sys

from decern import Client, DecernError


def main(url: str, token: str, script: str) -> None:
    """Ask each question in turn."""
    client = Client(url, token=token)
    told = []
    for one in json.loads(script):
        try:
            found = client.evaluate(**one)
            told.append({"allowed": found.allowed})
        except DecernError as fault:
            told.append({"fault": str(fault)[:300]})
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
