"""A program that knows nothing of any of this: it asks an API with the library that is named, as its documents say.

`proxied.py LIBRARY URL`: a GET of URL/orders/o-1, a POST of URL/refunds, a GET of another host. Prints JSON.
"""

import asyncio
import json
import sys

BODY = {"order": "o-1", "amount": 5}


def by_urllib(base):
    import urllib.error
    import urllib.request

    def ask(url, data=None):
        headers = {"content-type": "application/json"} if data else {}
        try:
            with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=20) as answer:
                return answer.status
        except urllib.error.HTTPError as fault:
            return fault.code
        except OSError as fault:
            return type(fault).__name__

    return [ask(f"{base}/orders/o-1"), ask(f"{base}/refunds", json.dumps(BODY).encode()), ask("https://evil.test/")]


def by_requests(base):
    import requests

    def ask(method, url, **more):
        try:
            return requests.request(method, url, timeout=20, **more).status_code
        except requests.exceptions.ProxyError as fault:
            return type(fault).__name__

    return [
        ask("GET", f"{base}/orders/o-1"),
        ask("POST", f"{base}/refunds", json=BODY),
        ask("GET", "https://evil.test/"),
    ]


def by_httpx(base):
    import httpx

    def ask(method, url, **more):
        try:
            return httpx.request(method, url, timeout=20, **more).status_code
        except httpx.ProxyError as fault:
            return type(fault).__name__

    return [
        ask("GET", f"{base}/orders/o-1"),
        ask("POST", f"{base}/refunds", json=BODY),
        ask("GET", "https://evil.test/"),
    ]


def by_aiohttp(base):
    import aiohttp

    async def run():
        async with aiohttp.ClientSession(trust_env=True) as session:

            async def ask(method, url, **more):
                try:
                    async with session.request(method, url, **more) as answer:
                        await answer.read()
                        return answer.status
                except aiohttp.ClientHttpProxyError as fault:
                    return type(fault).__name__

            return [
                await ask("GET", f"{base}/orders/o-1"), await ask("POST", f"{base}/refunds", json=BODY),
                await ask("GET", "https://evil.test/"),
            ]  # fmt: skip

    return asyncio.run(run())


KNOWN = {"urllib": by_urllib, "requests": by_requests, "httpx": by_httpx, "aiohttp": by_aiohttp}
sys.stdout.write(json.dumps(KNOWN[sys.argv[1]](sys.argv[2])))
