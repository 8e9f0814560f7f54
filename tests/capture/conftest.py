from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.capture.forks import Forks, forks


@pytest.fixture(name="forks")
def _forks() -> Iterator[Forks]:
    with forks() as made:
        yield made
