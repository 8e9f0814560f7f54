"""What people change, and read of alerting beyond the figures: rules, silences, channels, acknowledgements,
and how large the store is.

The desk stands between the pages and the JSON API on one side and the store on the other. Every change is
checked, says who made it, and waits for a round of judging that is under way, so that neither undoes the
other.
"""

from __future__ import annotations

from ..courier import Courier
from ..settings import Settings
from ..sources import Sources
from .alerts import AlertDesk
from .channels import ChannelDesk
from .door import Door
from .rules import RuleDesk
from .silences import SilenceDesk
from .storage import StorageDesk

__all__ = ["Desk", "Door"]


class Desk:
    """The whole desk of one process."""

    def __init__(self, settings: Settings, sources: Sources, door: Door, courier: Courier) -> None:
        self.alerts = AlertDesk(door)
        self.rules = RuleDesk(settings, sources, door)
        self.silences = SilenceDesk(door)
        self.channels = ChannelDesk(door, courier)
        self.storage = StorageDesk(door)
