"""A person and an operator at the console, in a real browser: by keyboard, on a phone and at a desk, in light and dark.

Run in the browser peer's environment with one JSON argument: `url`, `person` and `operator` (paths of one-time links),
`task`, `out` (a folder for pictures), `axe` (the script of axe-core), `chromium`. Prints what was found as JSON.
"""

import json
import re
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ASKED = json.loads(sys.argv[1])
OUT = Path(ASKED["out"])
INNER = {
    "Reviews": "/console/reviews/rvw_", "Reach": "/console/reach/of", "Right-size": "/console/rightsize/rsz_",
}  # fmt: skip
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
FOUND: dict[str, list[str]] = {"overflow": [], "axe": [], "foreign": [], "errors": [], "heavy": [], "steps": []}


def watch(page: Page) -> None:
    page.set_default_timeout(15_000)
    page.on("console", lambda said: FOUND["errors"].append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda fault: FOUND["errors"].append(str(fault)))
    page.on("request", lambda one: None if one.url.startswith(ASKED["url"]) else FOUND["foreign"].append(one.url))


def look(page: Page, name: str) -> None:
    """Take a picture, and look for what scrolls sideways, cannot be read or cannot be reached."""
    page.screenshot(path=OUT / f"{name}.png", full_page=True)
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    if wide > 0:
        FOUND["overflow"].append(f"{name}: {wide}")
    page.evaluate(Path(ASKED["axe"]).read_text(encoding="utf-8"))
    result = page.evaluate(
        "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice']})"
    )
    for one in result["violations"]:
        places = "; ".join(node["html"][:120] for node in one["nodes"][:3])
        FOUND["axe"].append(f"{name}: {one['id']}: {one['help']}: {places}")
    if len(page.content().encode()) > 150_000:
        FOUND["heavy"].append(name)


def tab(page: Page, wanted: str, most: int = 60) -> None:
    """Go on by the keyboard until what is focused says this."""
    for _ in range(most):
        page.keyboard.press("Tab")
        said = page.evaluate(
            "(e => e ? (e.innerText || e.value || e.name || '') + ' ' + (e.getAttribute('href') || '') : '')"
            "(document.activeElement)"
        )
        if re.search(wanted, said):
            return
    raise SystemExit(f"the keyboard does not reach {wanted} at {page.url}")


def enter(page: Page, link: str) -> None:
    page.goto(ASKED["url"] + link)
    tab(page, "Open the console")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/console(/approvals)?$"))


def person(browser, scheme: str) -> None:
    """By keyboard alone, and without script: come in, read the first question and its like, and say yes."""
    context = browser.new_context(
        viewport=PHONE, color_scheme=scheme, device_scale_factor=2, java_script_enabled=False, is_mobile=True
    )
    page = context.new_page()
    watch(page)
    enter(page, ASKED["person"])
    FOUND["steps"].append(page.inner_text("h1"))
    state = context.storage_state()
    context.close()
    for size, where in ((PHONE, "phone"), (DESK, "desk")):
        seen = browser.new_context(viewport=size, color_scheme=scheme, device_scale_factor=2, storage_state=state)
        page = seen.new_page()
        watch(page)
        page.goto(ASKED["url"] + "/console/approvals")
        look(page, f"approvals-{where}-{scheme}")
        page.locator("a.card").first.click()
        look(page, f"approval-{where}-{scheme}")
        seen.close()
    plain = browser.new_context(viewport=PHONE, java_script_enabled=False, storage_state=state)
    page = plain.new_page()
    watch(page)
    page.goto(ASKED["url"] + "/console/approvals")
    tab(page, "/console/approvals/apr_")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("apr_"))
    FOUND["steps"].append(page.inner_text("h1"))
    tab(page, "^Yes")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("said=yes"))
    FOUND["steps"].append(page.inner_text("[role=status]"))
    plain.close()


def operator(browser, scheme: str) -> None:
    """See what is here, follow the task, and take its evidence."""
    context = browser.new_context(viewport=DESK, color_scheme=scheme, accept_downloads=True)
    page = context.new_page()
    watch(page)
    enter(page, ASKED["operator"])
    look(page, f"home-desk-{scheme}")
    tab(page, "Tasks")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/console/tasks"))
    look(page, f"tasks-desk-{scheme}")
    for size, where in ((DESK, "desk"), (PHONE, "phone")):
        page.set_viewport_size(size)
        page.goto(f"{ASKED['url']}/console/tasks/{ASKED['task']}?live=no")
        look(page, f"task-{where}-{scheme}")
        page.get_by_role("link", name="See its flow").click()
        look(page, f"flow-{where}-{scheme}")
        page.go_back()
    beyond(page, scheme)
    answers(browser, context.storage_state())
    page.set_viewport_size(DESK)
    page.goto(f"{ASKED['url']}/console/tasks/{ASKED['task']}?live=no")
    with page.expect_download() as taken:
        page.get_by_role("button", name="Download its evidence").click()
    taken.value.save_as(OUT / "evidence.json")
    page.goto(f"{ASKED['url']}/console/tasks/{ASKED['task']}")
    before = page.inner_text("ol.course")
    Path(OUT / "looking").write_text("now")
    page.locator("ol.course").get_by_text("passwd").wait_for(timeout=20_000)
    FOUND["steps"].append("live" if "passwd" not in before and "passwd" in page.inner_text("ol.course") else "still")
    context.close()


def beyond(page: Page, scheme: str) -> None:
    """What is lent, how far agents reach, and what of their briefs is used: by keyboard from the top of each page."""
    for name in ("Leases", "Reviews", "Reach", "Right-size"):
        page.set_viewport_size(DESK)
        page.goto(f"{ASKED['url']}/console/tasks")
        tab(page, f"^{name} ")
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile("/console/(leases|reviews|reach|rightsize)$"))
        FOUND["steps"].append(page.inner_text("h1"))
        inner = INNER.get(name)
        for size, where in ((DESK, "desk"), (PHONE, "phone")):
            page.set_viewport_size(size)
            look(page, f"{name.lower()}-{where}-{scheme}")
            if inner:
                page.locator(f'a.card[href^="{inner}"]').first.click()
                page.wait_for_url(re.compile(re.escape(inner)))
                look(page, f"{name.lower()}-one-{where}-{scheme}")
                page.go_back()


def answers(browser, state) -> None:
    """On a phone, by keyboard and without script: tick what a scan put forward, and approve it."""
    plain = browser.new_context(viewport=PHONE, java_script_enabled=False, storage_state=state, is_mobile=True)
    page = plain.new_page()
    watch(page)
    page.goto(ASKED["url"] + "/console/reviews")
    tab(page, INNER["Reviews"])
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("rvw_"))
    tab(page, "^yes ")
    page.keyboard.press("Space")
    tab(page, "^Approve what is ticked")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("said=yes"))
    FOUND["steps"].append(page.inner_text("[role=status]"))
    plain.close()


with sync_playwright() as play:
    chrome = play.chromium.launch(executable_path=ASKED["chromium"], args=["--no-sandbox"])
    person(chrome, "light")
    operator(chrome, "dark")
    chrome.close()
sys.stdout.write(json.dumps(FOUND))
