"""A browser as far as the console needs one: cookies, forms, no redirects followed by itself."""

import http.client
import re
from urllib.parse import urlencode, urlsplit

from tests.kit.site import Answer


class Browser:
    """One person's browser at one address."""

    def __init__(self, url: str, cookies: dict[str, str] | None = None) -> None:
        self._parts = urlsplit(url)
        self.cookies = dict(cookies or {})

    def get(self, path: str, headers: dict[str, str] | None = None) -> Answer:
        return self._send("GET", path, None, headers or {})

    def post(self, path: str, fields: dict[str, str] | None = None, headers: dict[str, str] | None = None) -> Answer:
        given = {"content-type": "application/x-www-form-urlencoded"} | (headers or {})
        return self._send("POST", path, urlencode(fields or {}).encode(), given)

    def enter(self, code: str) -> "Browser":
        assert self.post(f"/console/enter/{code}").status == 303
        return self

    def word(self) -> str:
        found = re.search(rb'name="word" value="([^"]+)"', self.get("/console").body)
        assert found
        return found[1].decode()

    def token(self) -> str:
        answer = self.post("/console/token", {"word": self.word()})
        found = re.search(rb'class="once">.*?<code>([\w-]{43})</code>', answer.body, re.DOTALL)
        assert found
        return found[1].decode()

    def _send(self, method: str, path: str, data: bytes | None, headers: dict[str, str]) -> Answer:
        connection = http.client.HTTPConnection(self._parts.hostname or "", self._parts.port, timeout=60)
        if self.cookies:
            headers = headers | {"cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        connection.request(method, path, data, headers)
        told = connection.getresponse()
        answer = Answer(told.status, {name.lower(): value for name, value in told.getheaders()}, told.read())
        connection.close()
        for value in (v for n, v in told.getheaders() if n.lower() == "set-cookie"):
            name, _, held = value.partition(";")[0].partition("=")
            self.cookies[name] = held
        return answer
