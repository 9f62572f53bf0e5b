"""Looks at every page of the built site as a reader does: ``python tests/site/check_site.py
docs/_build/html``.

In headless Chromium, on a wide and on a narrow screen: no error in the console, nothing wider than
the screen. No link to a page, file or heading that is not there. Exit code 1, with one line per
fault.
"""

from __future__ import annotations

import shutil
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

WIDTHS = (1280, 390)
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


class Links(HTMLParser):
    """Targets of the links of a page, and the places in it that a link can name."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.targets: set[str] = set()
        self.places: set[str] = {""}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.places |= {values[name] for name in ("id", "name") if values.get(name)}
        self.targets |= {values[name] for name in ("href", "src") if values.get(name)}


def broken_links(site: Path) -> list[str]:
    """Links to what is not in the site, as "page: target"."""
    pages = {path: Links(path.read_text(encoding="utf-8")) for path in pages_of(site)}
    faults = []
    for page, links in pages.items():
        for target in sorted(links.targets):
            address = urlsplit(target)
            if address.scheme or target.startswith("//"):
                continue
            file = (page.parent / unquote(address.path)).resolve() if address.path else page
            is_there = file.exists() and (
                file not in pages or unquote(address.fragment) in pages[file].places
            )
            if not is_there:
                faults.append(f"{page.relative_to(site)}: {target}")
    return faults


def seen_faults(site: Path, pictures: Path | None = None) -> list[str]:
    """Errors in the console and what is wider than the screen, page by page."""
    from playwright.sync_api import sync_playwright

    faults = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"]
        )
        messages: list[str] = []
        for width in WIDTHS:
            page = browser.new_page(viewport={"width": width, "height": 900})
            page.on(
                "console",
                lambda message: messages.append(message.text) if message.type == "error" else None,
            )
            page.on("pageerror", lambda error: messages.append(str(error)))
            for path in pages_of(site):
                messages.clear()
                page.goto(path.resolve().as_uri(), wait_until="load")
                name = f"{path.relative_to(site)} at {width} pixels"
                faults += [f"{name}: {message}" for message in messages]
                wide = page.evaluate("document.documentElement.scrollWidth")
                if wide > width:
                    faults.append(f"{name}: {wide} pixels wide")
                if pictures is not None:
                    page.screenshot(path=pictures / f"{path.stem}-{width}.png")
        browser.close()
    return faults


def chromium() -> str | None:
    """Path of the browser; None where there is none."""
    return next((path for path in map(shutil.which, CHROMIUM) if path), None)


def pages_of(site: Path) -> list[Path]:
    """Pages of the site, without the templates that its theme leaves among static files."""
    return [path for path in sorted(site.rglob("*.html")) if "_static" not in path.parts]


def main(site: Path, pictures: Path | None = None) -> int:
    """Print every fault; 1 where there is one."""
    faults = broken_links(site)
    if chromium() is None:
        print("Chromium is not installed: pages were not looked at, links were.")
    else:
        faults += seen_faults(site, pictures)
    print(*faults, sep="\n")
    print(f"{len(pages_of(site))} pages, {len(faults)} faults")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
