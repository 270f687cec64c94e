"""The report of a scan in a real browser, on a phone and at a desk: read, narrowed by keyboard, and nothing run.

Run in the browser peer's environment with one JSON argument: `file` (the report), `out` (a folder for pictures), `axe`
(the script of axe-core), `chromium`. Prints what was found as JSON.
"""

import json
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ASKED = json.loads(sys.argv[1])
OUT = Path(ASKED["out"])
PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 900}
FOUND: dict[str, list[object]] = {"overflow": [], "axe": [], "foreign": [], "errors": [], "small": [], "steps": []}
SMALL = """[...document.querySelectorAll('body *')].filter(e => [...e.childNodes].some(n => n.nodeType == 3 &&
 n.textContent.trim()) && parseFloat(getComputedStyle(e).fontSize) < 15).map(e => e.tagName)"""
TIGHT = """[...document.querySelectorAll('label, summary')].filter(e => e.offsetParent &&
 e.getBoundingClientRect().height < 44).map(e => e.innerText)"""
SEEN = "[...document.querySelectorAll('article')].filter(e => getComputedStyle(e).display != 'none').length"
HELD = "(e => e ? (e.id || e.tagName) : '')(document.activeElement)"


def look(page: Page, name: str) -> None:
    """Take a picture, and look for what scrolls sideways, cannot be read or cannot be reached."""
    page.screenshot(path=OUT / f"{name}.png", full_page=True)
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    if wide > 0:
        FOUND["overflow"].append(f"{name}: {wide}")
    FOUND["small"] += page.evaluate(SMALL) + page.evaluate(TIGHT)


def examine(page: Page, name: str) -> None:
    """What axe-core finds; it is put in past the page's policy, so this comes last."""
    page.evaluate(Path(ASKED["axe"]).read_text(encoding="utf-8"))
    result = page.evaluate("axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']})")
    FOUND["axe"] += [f"{name}: {one['id']}: {one['nodes'][0]['html'][:120]}" for one in result["violations"]]


def tab(page: Page, wanted: str) -> None:
    """Go on by the keyboard until this is focused."""
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate(HELD) == wanted:
            return
    raise SystemExit(f"the keyboard does not reach {wanted}")


def narrowed(page: Page) -> None:
    """By keyboard: hide a severity, show it again, open the codes and choose one."""
    step = FOUND["steps"].append
    step(page.evaluate(SEEN))
    tab(page, "is-high")
    page.keyboard.press("Space")
    step(page.evaluate(SEEN))
    page.keyboard.press("Space")
    tab(page, "SUMMARY")
    page.keyboard.press("Enter")
    tab(page, "is-any")
    page.keyboard.press("ArrowDown")
    step(page.evaluate(SEEN))
    look(page, "phone-narrowed")


with sync_playwright() as playwright:
    chrome = playwright.chromium.launch(executable_path=ASKED["chromium"], args=["--no-sandbox"])
    for name, size, scheme, script in (
        ("phone-light", PHONE, "light", False),
        ("phone-dark", PHONE, "dark", True),
        ("desk-light", DESK, "light", True),
    ):
        context = chrome.new_context(
            viewport=size,
            color_scheme=scheme,
            device_scale_factor=2,
            is_mobile=size is PHONE,
            java_script_enabled=script,
        )
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("console", lambda said: FOUND["errors"].append(said.text))
        page.on("dialog", lambda said: (FOUND["errors"].append(said.message), said.dismiss()))
        page.on("request", lambda one: None if one.url.startswith("file:") else FOUND["foreign"].append(one.url))
        page.goto(Path(ASKED["file"]).as_uri())
        look(page, name)
        if name == "phone-light":
            narrowed(page)
        if script:
            examine(page, name)
        context.close()
    chrome.close()
sys.stdout.write(json.dumps(FOUND))
