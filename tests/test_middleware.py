"""Routes that are regular expressions are told as words; `journeys/test_frameworks` has the rest."""

from __future__ import annotations

import pytest

from app.middleware import readable


@pytest.mark.parametrize(
    ("route", "words"),
    [
        ("", ""),
        ("users/<int:id>/", "users/<int:id>/"),
        ("price(net)/", "price(net)/"),
        ("^$", ""),
        (r"^users/(?P<id>\d+)/$", "users/<id>/"),
        (r"^archive/([0-9]{4})/(?:page-(?P<page>\d+)/)?$", "archive/<var>/page-<page>/"),
        (r"shops/<int:shop>/(?P<slug>[^/()]+)/\Z", "shops/<int:shop>/<slug>/"),
        (r"^(?P<kind>(a|b(c)?)[)]\))/(?!new)edit/$", "<kind>/edit/"),
        (r"^(?P<name>[]\]a-z]{2,8})?/v1\.0/\w+/$", r"<name>/v1.0/\w+/"),
        (r"(?i)^admin/(?P<url>.*)$", "admin/<url>"),
        (r"^a)b\d", r"a)b\d"),
    ],
)
def test_a_route_that_is_a_regular_expression_is_told_by_its_words(route: str, words: str) -> None:
    assert readable(route) == words
