"""A person whose browser goes wherever it is sent: signs in at the provider, reads the consent page, presses yes."""

import http.client
import re
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import urlencode, urljoin, urlsplit

STEPS = 30


@dataclass
class Page:
    """Where the browser stands, and what it sees."""

    url: str
    status: int
    body: str


@dataclass
class Wanderer:
    """One person. Cookies are kept for each origin; `seen` is every page that was shown."""

    name: str = "pia"
    cookies: dict[str, dict[str, str]] = field(default_factory=dict)
    seen: list[Page] = field(default_factory=list)

    def go(self, url: str, stop: str = "", answer: str = "yes", brief: str = "") -> Page:
        """Follow every redirect and fill in every form, until a page has none, or an address begins with `stop`."""
        method, data = "GET", b""
        for _ in range(STEPS):
            if stop and url.startswith(stop):
                return Page(url, 0, "")
            status, headers, body = self.send(method, url, data)
            if 300 <= status < 400:
                method, data, url = "GET", b"", urljoin(url, headers["location"])
                continue
            page = Page(url, status, body)
            self.seen.append(page)
            found = self.filled(page, answer, brief)
            if found is None:
                return page
            method, data, url = "POST", *found
        raise AssertionError(f"still wandering after {STEPS} steps: {url}")

    def filled(self, page: Page, answer: str, brief: str) -> tuple[bytes, str] | None:
        """The form of a page, filled in as this person would."""
        form = re.search(r"<form[^>]*?action=\"([^\"]*)\"[^>]*>(.*?)</form>", page.body, re.DOTALL)
        if form is None or ('name="word"' in form[2] and 'name="request"' not in form[2]):
            return None
        fields: dict[str, str] = {}
        for tag in re.findall(r"<input[^>]*>", form[2]):
            name, value = (re.search(rf'\b{one}="([^"]*)"', tag) for one in ("name", "value"))
            if name is not None:
                fields.setdefault(name[1], unescape(value[1]) if value else "")
        if "login" in fields:
            fields |= {"login": self.name, "password": "whatever"}
        if "request" in fields:
            fields |= {"answer": answer} | ({"brief": brief} if brief else {})
        return urlencode(fields).encode(), urljoin(page.url, unescape(form[1]))

    def send(self, method: str, url: str, data: bytes = b"") -> tuple[int, dict[str, str], str]:
        """One request with this origin's cookies."""
        parts = urlsplit(url)
        jar = self.cookies.setdefault(parts.netloc, {})
        headers = {"accept": "text/html", "cookie": "; ".join(f"{k}={v}" for k, v in jar.items())}
        if method == "POST":
            headers |= {
                "content-type": "application/x-www-form-urlencoded",
                "origin": f"{parts.scheme}://{parts.netloc}",
            }
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        try:
            connection.request(method, parts.path + (f"?{parts.query}" if parts.query else ""), data or None, headers)
            answer = connection.getresponse()
            body = answer.read().decode(errors="replace")
        finally:
            connection.close()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                key, _, held = value.partition(";")[0].partition("=")
                if held and "expires=Thu, 01 Jan 1970" not in value:
                    jar[key] = held
                else:
                    jar.pop(key, None)
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, body
