"""Logs in with stock libpq 18 by SASL OAUTHBEARER, with a bearer token that is handed to it: prints what it then reads.

Run as a script of its own: DSN on the command line, the token in the environment, empty for none.
"""

import ctypes
import os
import sys
from pathlib import Path

import psycopg
import psycopg_binary

FOUND = sorted((Path(psycopg_binary.__file__).parents[1] / "psycopg_binary.libs").glob("libpq*"))


class Request(ctypes.Structure):
    """PGoauthBearerRequest."""

    _fields_ = [
        ("issuer", ctypes.c_char_p), ("scope", ctypes.c_char_p), ("call", ctypes.c_void_p),
        ("cleanup", ctypes.c_void_p), ("token", ctypes.c_char_p), ("user", ctypes.c_void_p),
    ]  # fmt: skip


TOKEN = os.environ["REMIT_TEST_TOKEN"].encode()
SEEN: list[bytes] = []


@ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
def hook(kind, _, data):
    if kind == 1:
        request = ctypes.cast(data, ctypes.POINTER(Request)).contents
        SEEN.append(request.issuer or b"")
        request.token = TOKEN
        return 1
    return 0


library = ctypes.CDLL(str(FOUND[0]))
library.PQsetAuthDataHook.argtypes = [type(hook)]
library.PQsetAuthDataHook(hook)
with psycopg.connect(sys.argv[1]) as conn:
    found = conn.execute("select total::float from orders where id = 4").fetchone()[0]
    sys.stdout.write(f"{found} {SEEN[0].decode()}\n")
