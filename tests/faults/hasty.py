"""The host of these tests in a service whose jobs take their turns more often: nobody waits for a boundary.

Time is what may be stood in for; the jobs are the real ones. Turns every half second would leave the store's
thread no rest on a small machine.
"""

from __future__ import annotations

from app.jobs import prune, timetable
from app.model import telling

from .host import application

__all__ = ["application"]

ROLL_UP_EVERY_S, EVALUATE_EVERY_S, PRUNE_EVERY_S, SEND_EVERY_S = 1, 2, 2, 1
GROUP_S = FOLLOWING_S = 3.0
SETTLED_S = 20

assert hasattr(prune, "SETTLED_S")
prune.SETTLED_S = float(SETTLED_S)

for _name in ("GROUP_S", "FOLLOWING_S"):
    assert hasattr(telling, _name)
    setattr(telling, _name, globals()[_name])
for _name in ("ROLL_UP_EVERY_S", "EVALUATE_EVERY_S", "PRUNE_EVERY_S", "SEND_EVERY_S"):
    assert hasattr(timetable, _name), f"the timetable has no {_name} any more"
    setattr(timetable, _name, globals()[_name])
