"""What the store holds, for who decides how long that is kept."""

from __future__ import annotations

from ..store import sizes
from ..store.sizes import Size
from .door import Door


class StorageDesk:
    """Answers from the store. Raises UnavailableError while it is away."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def size(self) -> Size:
        """How large the store is, and what of it belongs to each period."""
        with self._door.reading() as connection:
            return sizes.read_size(connection)
