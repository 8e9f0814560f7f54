"""Every page of the service, a row each: what judges pages or takes pictures of them reads this table.

Pages that are made of panels come from the registry. Another one is a row in OTHERS.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter
from urllib.parse import urlencode

from app.panels.registry import PAGES, Page

WINDOW = "1h"


@dataclass(frozen=True, slots=True)
class Place:
    """A page: its `name` in reports and files, and its path below the service's address.

    The path may name what only a service that is in use has, `{tool}` or `{alert}`: without it there is no
    such page. `status` is what is answered there; `is_inside` says that one has to be signed in.
    """

    name: str
    path: str
    status: int = 200
    is_inside: bool = True

    def of(self, known: Mapping[str, str]) -> str | None:
        """The path for what a service has; None if it lacks something that the path names."""
        names = {name for _, name, _, _ in Formatter().parse(self.path) if name}
        return self.path.format_map(known) if names <= known.keys() else None


def _of_panels(page: Page) -> Place:
    needed = {option.name for panel in page.panels for option in panel.options.values() if option.needed}
    query = urlencode({"window": WINDOW, **{name: f"{{{name}}}" for name in sorted(needed)}}, safe="{}")
    return Place(page.slug.replace("_", "-"), f"/dashboard{page.path}?{query}")


OTHERS = (
    Place("alerts", "/dashboard/alerts"),
    Place("alert", "/dashboard/alerts/{alert}"),
    Place("alert-history", "/dashboard/alerts/history"),
    Place("rules", "/dashboard/alerts/rules"),
    Place("rule", "/dashboard/alerts/rules/{rule}"),
    Place("new-rule", "/dashboard/alerts/rules/new"),
    Place("silences", "/dashboard/alerts/silences"),
    Place("channels", "/dashboard/alerts/channels"),
    Place("channel", "/dashboard/alerts/channels/{channel}"),
    Place("settings", "/dashboard/settings"),
    Place("find", "/dashboard/find?q=e"),
    Place("missing", "/dashboard/no-such-page", status=404),
    Place("signin", "/dashboard/signin", is_inside=False),
    Place("signed-out", "/dashboard/signin?out=", is_inside=False),
    Place("link-used", "/dashboard/signin?link=unknown", is_inside=False),
)
PLACES = (*map(_of_panels, PAGES), *OTHERS)
