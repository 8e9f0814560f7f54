"""axe-core's judgement of a page: WCAG 2.2 AA, and what its makers hold to be good practice.

The script comes in by the debugger's door, so the page's own policy stays as strict as it is.
"""

from __future__ import annotations

from typing import Any

from axe_playwright_python.base import AXE_SCRIPT  # type: ignore[import-untyped]
from playwright.sync_api import Page

ALL = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
# What depends on colours and on the room there is; all else is the same in both themes, at every width.
LOOKS = {
    "type": "rule",
    "values": ["color-contrast", "link-in-text-block", "scrollable-region-focusable", "target-size"],
}
_RUN = "runOnly => axe.run(document, {runOnly, resultTypes: ['violations'], elementRef: false})"


def findings(page: Page, rules: dict[str, Any]) -> list[str]:
    """What breaks one of the `rules` (ALL or LOOKS): a line for each rule, with the first place and why."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found = page.evaluate(_RUN, rules)["violations"]
    return [f"{one['id']} ({len(one['nodes'])} places): {_told(one['nodes'][0])}" for one in found]


def _told(node: dict[str, Any]) -> str:
    why = [check["message"] for kind in ("any", "all", "none") for check in node[kind]]
    return f"{' '.join(map(str, node['target']))}: {'; '.join(why)[:300]}"
