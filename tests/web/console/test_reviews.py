"""The pages of reviews: all that was put forward, inert; answered by the operator alone, by exactly what was shown."""

import re
from html import unescape

import pytest

from remit.control import agent, login, principal, resource, review
from remit.control.review import Acting, Server
from remit.core.agent import Agent
from remit.core.brief import Brief
from remit.core.grant import Step
from remit.core.resource import Resource, Upstream
from remit.core.review import MOST, Review
from remit.store import payload
from remit.store.log import newest
from remit.store.record import Reader
from tests.kit import stores
from tests.kit.browser import Browser
from tests.kit.site import site
from tests.kit.world import DAY, TOOLS

HOME = "/console/reviews"
READ = Step.from_json({"action": "mcp:mail/read_note", "path": "own", "allow_unknown": True})
TRAP = "</dd><script>alert(1)</script><img src=x onerror=alert(2)> \u202egpj.exe b\u0430nk"
LONG = "x" * 10_000


class Met:
    """One agent with two servers, put forward: one whole, one whose command holds a secret."""

    def __init__(self, place):
        self.site, self.world = place, place.world
        self.by, self.due = self.world.owner.id, self.world.authority.clock.now() + DAY
        kept = {"name": "MAIL_TOKEN", "file": "/site/.env", "line": 2}
        said = {"file": "/site/.mcp.json", "line": 3, "credentials": [kept]}
        servers = [
            Server("mail", Upstream(url="http://127.0.0.1:9/mail"), self.by, said),
            Server("desk", Upstream(argv=("desk", "***")), self.by, said, "its command holds a secret"),
        ]
        acting = Acting("site-1", "Met as a client.", self.by, ("desk", "mail"), (READ,), said)
        self.one = self.put(servers, [acting])
        self.where = f"{HOME}/{self.one.id}"

    def put(self, servers, acting):
        return self.site.act(lambda c: review.open_review(c, servers, acting, self.due, self.by))

    def browser(self, person=""):
        return Browser(self.site.url).enter(self.site.act(lambda c: login.issue(c, "link", "operator", person)))

    def every(self, noun):
        return self.site.read(lambda view: list(Reader(view).where(noun)))

    def states(self):
        """How all that was put forward stands now."""
        met = {"resource": Resource, "agent": Agent, "brief": Brief}
        found = {f"{kind}/{one.name}": one.state for kind, noun in met.items() for one in self.every(noun)}
        return [found[item.key] for item in self.one.items]


@pytest.fixture(params=stores.KINDS[:1])
def place(request, tmp_path):
    with site(stores.place(request.param, tmp_path / "store")) as one:
        yield one


@pytest.fixture
def met(place):
    return Met(place)


def plain(page):
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page)))


def fields(page, do, *keys, **more):
    """What a browser sends of a page's form, with these ticked and this button pressed."""
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]+)">', page))
    [chosen] = re.findall(r'<option value="(\d+)" selected>', page)
    assert set(keys) <= set(re.findall(r'<input type="checkbox" name="([^"]+)" value="yes">', page))
    return hidden | {"next": chosen} | dict.fromkeys(keys, "yes") | {"do": do} | more


@pytest.mark.parametrize("place", stores.KINDS, indirect=True)
def test_the_operator_finds_it_sees_what_it_gives_and_answers_it_in_parts(met):
    browser = met.browser()
    home = browser.get("/console").body.decode()
    assert f'href="{met.where}"' in home
    assert "4 things wait for your answer" in plain(home)
    assert f'href="{met.where}"' in browser.get(HOME).body.decode()
    page = browser.get(met.where).body.decode()
    for told in (
        "mail resource proposed", "reached by http://127.0.0.1:9/mail", "where /site/.mcp.json:3", "owner Olga",
        "lacks its command holds a secret", "ceiling mcp:desk/* mcp:mail/*", "rests on resource/desk, proposed",
        "steps mcp:mail/read_note (own, any arguments)", "rests on agent/site-1, proposed resource/mail, proposed",
        "credential 1 MAIL_TOKEN: stands there in full at /site/.env:2", met.one.shown,
    ):  # fmt: skip
        assert told in plain(page), told
    ticked = fields(page, "approve", "resource/mail", "agent/site-1", "brief/site-1", next="30")
    done = browser.post(met.where, ticked)
    assert (done.status, done.headers["location"]) == (303, f"{met.where}?said=yes")
    assert met.states() == ["active", "proposed", "active", "live"]
    [acts] = [a for a in met.every(Agent) if a.name == "site-1"]
    assert abs(acts.review_due - met.world.authority.clock.now() - 30 * DAY) < DAY
    page = browser.get(f"{met.where}?said=yes").body.decode()
    assert "Your answer is recorded." in plain(page)
    assert re.findall(r'type="checkbox" name="([^"]+)"', page) == ["resource/desk"]
    assert browser.post(met.where, fields(page, "refuse", "resource/desk")).status == 303
    assert met.states() == ["active", "refused", "active", "live"]
    over = browser.get(met.where).body.decode()
    assert "<button" not in over
    assert "Nothing put forward waits." in plain(browser.get(HOME).body.decode())
    assert f'href="{met.where}"' in browser.get(f"{HOME}?all=yes").body.decode()
    assert met.where not in browser.get("/console").body.decode()
    assert b"transition_refused" in browser.post(met.where, ticked).body


def test_all_of_it_is_answered_at_once_and_what_cannot_be_in_force_says_why(met):
    browser = met.browser()
    page = browser.get(met.where).body.decode()
    done = browser.post(met.where, fields(page, "approve-all"))
    assert done.status == 200
    assert "desk cannot be used as it was met: its command holds a secret." in plain(done.body.decode())
    assert met.states() == ["active", "proposed", "active", "live"]
    assert browser.post(met.where, fields(page, "refuse-all")).status == 303
    assert met.states() == ["active", "refused", "active", "live"]


def test_what_is_ticked_is_answered_together_or_not_at_all(met):
    browser, before = met.browser(), met.site.read(newest).size
    page = browser.get(met.where).body.decode()
    for given, number, code in (
        (fields(page, "approve", "resource/mail", "resource/desk"), 409, b"review_lacks"),
        (fields(page, "approve", "brief/site-1"), 409, b"review_lacks"),
        (fields(page, "approve", "resource/mail", shown="other"), 409, b"review_moved"),
        (fields(page, "approve-all", shown="other"), 409, b"review_moved"),
        (fields(page, "approve") | {"resource/none": "yes"}, 404, b"not_found"),
        (fields(page, "approve"), 400, b"Nothing is ticked"),
        (fields(page, "approve-all", "resource/mail"), 400, b"button for all"),
        (fields(page, "wipe-all"), 400, b"member_invalid"),
        (fields(page, "approve-all", next="100000"), 400, b"member_invalid"),
    ):
        answer = browser.post(met.where, given)
        assert (answer.status, code in answer.body) == (number, True), (given, answer.body)
    assert met.site.read(newest).size == before
    assert set(met.states()) == {"proposed"}


def test_what_moved_since_it_was_shown_is_not_answered(met):
    browser = met.browser()
    page = browser.get(met.where).body.decode()
    given = {"name": "mail", "domain": "post", "owner": met.by, "tools": TOOLS, "by": "operator"}
    met.site.act(lambda c: resource.add(c, upstream=Upstream(url="http://127.0.0.1:9/own"), **given))
    assert b"review_moved" in browser.post(met.where, fields(page, "refuse", "resource/mail")).body
    now = browser.get(met.where).body.decode()
    assert "mail resource moved meanwhile" in plain(now)
    assert 'name="resource/mail"' not in now
    met.site.act(lambda c: (c.keep(), payload.erase(c.db, met.one.id)))
    gone = browser.get(met.where).body.decode()
    assert "it was erased" in gone
    assert "<button" not in gone
    assert met.where not in browser.get(HOME).body.decode()
    assert b"review_moved" in browser.post(met.where, fields(page, "refuse-all")).body
    assert met.states() == ["active", "proposed", "proposed", "proposed"]


def test_nobody_but_the_operator_sees_or_answers_it(met):
    operator = met.browser()
    given = fields(operator.get(met.where).body.decode(), "approve-all")
    ann = met.site.act(lambda c: principal.add_person(c, "local", "ann", "Ann", ("staff",), "operator"))
    for person in (ann.id, met.by):
        other = met.browser(person)
        mine = other.get("/console/approvals").body.decode()
        assert HOME not in mine
        word = re.search(r'name="word" value="([^"]+)"', mine)[1]
        for path in (HOME, met.where):
            seen = other.get(path)
            assert (seen.status, b"forbidden" in seen.body, b"mail" in seen.body) == (403, True, False)
        for held in (given, given | {"word": word}):
            assert other.post(met.where, held).status == 403
    nobody = Browser(met.site.url)
    assert (nobody.get(met.where).status, nobody.post(met.where, given).status) == (401, 401)
    assert HOME in operator.get("/console/tasks").body.decode()
    assert set(met.states()) == {"proposed"}


def test_ui_02_only_a_button_of_the_operators_own_page_answers(met):
    browser = met.browser()
    mine = fields(browser.get(met.where).body.decode(), "approve-all")
    for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}, {"origin": "null"}):
        assert browser.post(met.where, mine, headers).status == 403
    assert browser.post(met.where, mine | {"word": "guessed"}).status == 403
    bare = {name: value for name, value in mine.items() if name != "word"}
    assert browser.post(met.where, bare).status == 400
    assert set(met.states()) == {"proposed"}


def test_ui_01_what_a_strangers_tree_says_stands_there_whole_and_inert(met):
    kept = {"name": TRAP, "file": f"/tree/{TRAP}", "line": 1, "refers": f"${LONG}", "also": [TRAP]}
    said = {"file": f"/tree/{TRAP}/.mcp.json", "line": 1, "credentials": [kept], "owner": TRAP}
    bad = Server("bad", Upstream(argv=("sh", TRAP, LONG), directory=TRAP), met.by, said)
    one = met.put([bad], [Acting("bad-1", "<b onclick=alert(3)>Helps.</b>", met.by, ("bad",), (), said)])
    browser = met.browser()
    answer = browser.get(f"{HOME}/{one.id}")
    page = answer.body.decode()
    assert "script" not in re.findall(r"<(\w+)", page)
    assert "img" not in re.findall(r"<(\w+)", page)
    assert not re.search(r"<[^>]*\son\w+=", page)
    assert "\u202e" not in page
    assert '<mark title="U+202E RIGHT-TO-LEFT OVERRIDE">\\u202e</mark>' in page
    assert '<mark title="U+0430 CYRILLIC SMALL LETTER A">' in page
    assert "Look closely" in page
    assert "<script>alert(1)</script>" in plain(page), "whole, as text"
    assert plain(page).count(LONG) >= 3
    assert "<b onclick=alert(3)>Helps.</b>" in plain(page)
    assert 'aria-label="reached by of resource bad, 10,' in page, "it scrolls, and pushes nothing out of sight"
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'self';")
    assert "style=" not in page
    assert (answer.headers["x-frame-options"], answer.headers["cache-control"]) == ("DENY", "no-store")
    for path in (HOME, "/console"):
        assert TRAP not in browser.get(path).body.decode()
    given = fields(page, "approve", "brief/bad-1")
    refused = browser.post(f"{HOME}/{one.id}", given)
    assert (refused.status, b"is not active" in refused.body) == (409, True)


def test_ui_01_an_agent_that_came_by_itself_says_who_it_claims_to_be_and_is_refused_here(met):
    given = {"name": "app-1", "owner": met.by, "purpose": "Came by itself.", "review_due": met.due, "by": met.by}
    said = {"client": TRAP, "redirects": ["https://app.example/back?<i>"]}
    one = met.site.act(lambda c: review.open_for(c, agent.propose(c, **given), said, met.by))
    browser = met.browser()
    page = browser.get(f"{HOME}/{one.id}").body.decode()
    assert not {"script", "img", "i"} & set(re.findall(r"<(\w+)", page))
    assert "\u202e" not in page
    assert "client </dd><script>alert(1)</script>" in plain(page)
    assert "sends people to https://app.example/back?<i>" in plain(page)
    assert "remit agent review app-1 --next 90d --ceiling ACTION" in plain(page)
    assert browser.post(f"{HOME}/{one.id}", fields(page, "approve-all")).status == 409
    assert browser.post(f"{HOME}/{one.id}", fields(page, "refuse-all")).status == 303
    assert met.site.act(lambda c: agent.named(c.reader, "app-1")).state == "retired"


@pytest.mark.parametrize("place", stores.KINDS, indirect=True)
def test_as_many_as_a_review_can_hold_are_shown_and_answered_on_one_page(met):
    many = [Server(f"s{n}", Upstream(url="http://127.0.0.1:9/s"), met.by, {}) for n in range(MOST)]
    one = met.put(many, [])
    browser = met.browser()
    page = browser.get(f"{HOME}/{one.id}").body.decode()
    keys = [f"resource/s{n}" for n in range(MOST)]
    assert browser.post(f"{HOME}/{one.id}", fields(page, "refuse", *keys)).status == 303
    assert met.site.act(lambda c: c.need(Review, one.id)).state == "closed"
