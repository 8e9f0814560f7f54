"""The README says what the code says."""

from __future__ import annotations

from pathlib import Path

from app.settings import table

README = (Path(__file__).parents[1] / "README.md").read_text()


def test_the_settings_table_is_the_one_that_the_settings_print() -> None:
    _, _, rest = README.partition("<!-- settings -->\n")
    shown, _, _ = rest.partition("\n<!-- /settings -->")
    assert shown == table(), "print it anew: python -m app.settings"


def test_every_file_that_the_readme_leads_to_is_there() -> None:
    pictures = ("docs/overview-light.png", "docs/tool-dark.png")
    for name in (*pictures, "CHANGELOG.md", "NOTICES", "render.yaml", "Procfile", "LICENSE"):
        assert name in README or name == "LICENSE"
        assert (Path(__file__).parents[1] / name).is_file(), name
