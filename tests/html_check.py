"""Runs the Nu HTML checker over every page of a real service: `python -m tests.html_check vnu.jar`.

Pages are found as a reader finds them, by following links and the addresses of panels from the dashboard on,
once before there is any traffic and once after it, so a new page is checked without being named here. A link
that leads nowhere is an error too.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter, deque
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urljoin, urlsplit

from .journeys.load import mixed, send
from .journeys.service import KEY, Service

_START = ("/dashboard", "/dashboard/signin", "/dashboard/signin?out=", "/dashboard/signin?link=unknown")
_NOWHERE = "/dashboard/no-such-page"
_VARIANTS = 3
_SHELL = '<!DOCTYPE html>\n<html lang="en"><head><title>Part</title></head><body>{}\n{}\n</body></html>\n'


class Links(HTMLParser):
    """The addresses that a page names: what a browser follows or fetches, and what htmx puts in place."""

    def __init__(self) -> None:
        super().__init__()
        self.pages: list[str] = []
        self.parts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        """Keep the addresses of whatever tag it is."""
        self.pages += [value for name, value in attrs if name in ("href", "src") and value]
        self.parts += [value for name, value in attrs if name in ("hx-get", "data-hx-get") and value]


@dataclass(frozen=True, slots=True)
class Visit:
    """One address to read, as a browser opens it or as htmx asks for a `part`; `source` links to it."""

    path: str
    source: str
    part: bool = False

    @property
    def name(self) -> str:
        """What tells this visit from all others."""
        return f"{self.path} (part)" if self.part else self.path

    @property
    def kind(self) -> tuple[str, frozenset[str], bool]:
        """The same for visits whose query differs in its values only."""
        address, _, query = self.path.partition("?")
        return address, frozenset(pair.partition("=")[0] for pair in query.split("&")), self.part


@dataclass(slots=True)
class Crawl:
    """Every HTML answer that can be reached, by the visit's name; `broken` are answers with a wrong status.

    Of one kind of visit the first `_VARIANTS` stand for all.
    """

    service: Service
    answers: dict[str, str] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    def run(self) -> None:
        """Follow links until nothing new comes up."""
        self._read(Visit(_NOWHERE, "nothing"), expected=404)
        waiting = deque(Visit(path, "the start") for path in _START)
        seen: set[str] = set()
        kinds: Counter[object] = Counter()
        while waiting:
            visit = waiting.popleft()
            if visit.name not in seen and kinds[visit.kind] < _VARIANTS:
                seen.add(visit.name)
                kinds[visit.kind] += 1
                waiting += self._read(visit)

    def _read(self, visit: Visit, expected: int = 200) -> list[Visit]:
        """Read one address; where it leads to."""
        answer = self.service.get(visit.path, headers={"HX-Request": "true"} if visit.part else {})
        if answer.status in (301, 302, 303, 307, 308):
            return self._inside(visit, [answer.headers["Location"]])
        if answer.status != expected:
            self.broken.append(f"{visit.name} answers {answer.status}; {visit.source} links there")
        if answer.headers.get_content_type() != "text/html":
            return []
        self.answers[visit.name] = answer.body.decode()
        links = Links()
        links.feed(self.answers[visit.name])
        parts = self._inside(visit, links.parts)
        return [*parts, *(replace(part, part=True) for part in parts), *self._inside(visit, links.pages)]

    def _inside(self, visit: Visit, links: list[str]) -> list[Visit]:
        """Those of the links on a page that stay on this service."""
        found = [urlsplit(urljoin(self.service.url + visit.path, link)) for link in links]
        return [
            Visit(parts.path + (f"?{parts.query}" if parts.query else ""), visit.path)
            for parts in found
            if parts.scheme == "http" and parts.port == self.service.port
        ]


def collect(folder: Path, pages: Path) -> tuple[int, list[str]]:
    """Write every page of a fresh service to `pages`; the number of files, and the broken links."""
    count, broken = 0, []
    with Service(folder) as service:
        for state in ("idle", "busy"):
            crawl = Crawl(service)
            crawl.run()
            for number, (name, text) in enumerate(crawl.answers.items()):
                file = f"{state}-{number:03}-{re.sub('[^a-z0-9=&]+', '-', name)}.html"
                (pages / file).write_text(_document(text))
            count += len(crawl.answers)
            broken += crawl.broken
            send(service.url, KEY, mixed(60), clients=2)
    return count, broken


def _document(text: str) -> str:
    """A part as a whole document, with the heading of level 1 that its page would have."""
    if text.lstrip().lower().startswith("<!doctype"):
        return text
    return _SHELL.format("" if "<h1" in text else "<h1>Part</h1>", text)


def main(jar: str) -> int:
    """Check every page; the exit status."""
    with TemporaryDirectory(prefix="laptime-html-") as name:
        pages = Path(name) / "pages"
        pages.mkdir()
        count, broken = collect(Path(name), pages)
        checked = subprocess.run(["java", "-jar", jar, "--Werror", str(pages)], check=False)
    sys.stdout.write("".join(f"broken link: {text}\n" for text in broken))
    sys.stdout.write(f"HTML checked: {count} pages and panels\n")
    return 1 if broken or checked.returncode or not count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
