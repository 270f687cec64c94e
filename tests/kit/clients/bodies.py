"""A program that sends a form, and a form with a file, by the library that is named. `bodies.py LIBRARY URL TOKEN`."""

import asyncio
import io
import json
import sys

FORM = {"to": "acct-7", "amount": "5", "note": "two words"}


def by_requests(base, headers):
    import requests

    file = {"photo": ("a.png", io.BytesIO(b"PNG"), "image/png")}
    one = requests.post(f"{base}/charges", data=FORM, headers=headers, timeout=20)
    return [one, requests.post(f"{base}/uploads", data={"title": "A cat"}, files=file, headers=headers, timeout=20)]


def by_httpx(base, headers):
    import httpx

    file = {"photo": ("a.png", io.BytesIO(b"PNG"), "image/png")}
    one = httpx.post(f"{base}/charges", data=FORM, headers=headers)
    return [one, httpx.post(f"{base}/uploads", data={"title": "A cat"}, files=file, headers=headers)]


def by_aiohttp(base, headers):
    import aiohttp

    async def run():
        form = aiohttp.FormData()
        form.add_field("title", "A cat")
        form.add_field("photo", b"PNG", filename="a.png", content_type="image/png")
        async with aiohttp.ClientSession(headers=headers) as session:
            one = await session.post(f"{base}/charges", data=FORM)
            return [one, await session.post(f"{base}/uploads", data=form)]

    return asyncio.run(run())


KNOWN = {"requests": by_requests, "httpx": by_httpx, "aiohttp": by_aiohttp}
ANSWERS = KNOWN[sys.argv[1]](sys.argv[2], {"authorization": f"Bearer {sys.argv[3]}"})
sys.stdout.write(json.dumps([getattr(one, "status_code", None) or one.status for one in ANSWERS]))
