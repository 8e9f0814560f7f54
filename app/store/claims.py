"""What only one instance of a fleet may do at a time: claimed in the store, for a while.

A claim expires, so an instance that is gone holds up nobody for longer than that. It is taken in the
transaction that does the work: whoever was frozen finds it another's by then, and does nothing. Each new
owner gets the next number, which tells its work from that of the owner before.
"""

from __future__ import annotations

from sqlalchemy import Connection, func, select, update

from .rows import insert_new
from .schema import claims

# Who holds it judges, and who changes what is judged waits for it.
EVALUATE = "evaluate_alerts"
LEASE_S = 15.0
_AHEAD_S = 3600.0


def shared_now_s(connection: Connection, now_s: float) -> float:
    """The time (Unix seconds) by the one clock that all who claim have in common.

    That is the database server's: the instances' own differ, and one that is ahead would find each claim of
    the others expired. A SQLite file has this host's users alone, so there it is `now_s`.
    """
    if connection.dialect.name != "postgresql":
        return now_s
    # Not now(), which stands still for as long as the transaction does.
    told = connection.execute(select(func.extract("epoch", func.clock_timestamp()))).scalar_one()
    return float(told)


def is_anothers(connection: Connection, name: str, owner: str, now_s: float) -> bool:
    """Whether another holds `name` at this moment: who asks so can spare itself the work."""
    held = connection.execute(select(claims).where(claims.c.name == name)).one_or_none()
    return held is not None and held.owner != owner and now_s < held.expires_s <= now_s + _AHEAD_S


def wait_for(connection: Connection, name: str) -> None:
    """Wait until nobody is at work under `name`; whoever comes waits till this transaction ends."""
    insert_new(connection, claims, [{"name": name, "owner": "", "fence": 0, "expires_s": 0.0}])
    connection.execute(select(claims.c.name).where(claims.c.name == name).with_for_update())


def take(connection: Connection, name: str, owner: str, now_s: float) -> int | None:
    """Claim `name` for `owner`, or renew its claim: its number, 1 or more; None while another holds it.

    `now_s` is of the clock that all share (`shared_now_s`). A claim that runs for an hour more was made by a
    clock that has been set back since: it is void. Others that ask meanwhile wait until the transaction ends.
    """
    insert_new(connection, claims, [{"name": name, "owner": "", "fence": 0, "expires_s": 0.0}])
    held = connection.execute(select(claims).where(claims.c.name == name).with_for_update()).one()
    is_free = not now_s < held.expires_s <= now_s + _AHEAD_S
    if held.owner != owner and not is_free:
        return None
    fence: int = held.fence + (held.owner != owner)
    renewed = {"owner": owner, "fence": fence, "expires_s": now_s + LEASE_S}
    connection.execute(update(claims).where(claims.c.name == name).values(renewed))
    return fence
