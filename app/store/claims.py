"""What only one instance of a fleet may do at a time: claimed in the store, for a while, with a number.

A claim expires, so an instance that is gone holds up nobody for longer than that. Each new owner gets the
next number: whoever was frozen and comes back finds another number in its transaction, and writes nothing.
"""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from .rows import insert_new
from .schema import claims

LEASE_S = 15.0


def take(connection: Connection, name: str, owner: str, now_s: float) -> int | None:
    """Claim `name` for `owner`, or renew its claim: the fencing number; None while another holds it.

    A claim that runs longer than any can, was made by a clock that has been set back since: it is void.
    """
    insert_new(connection, claims, [{"name": name, "owner": "", "fence": 0, "expires_s": 0.0}])
    held = connection.execute(select(claims).where(claims.c.name == name).with_for_update()).one()
    is_free = not now_s < held.expires_s <= now_s + 2 * LEASE_S
    if held.owner != owner and not is_free:
        return None
    fence: int = held.fence + (held.owner != owner)
    renewed = {"owner": owner, "fence": fence, "expires_s": now_s + LEASE_S}
    connection.execute(update(claims).where(claims.c.name == name).values(renewed))
    return fence


def holds(connection: Connection, name: str, owner: str, fence: int) -> bool:
    """Whether that claim is still the owner's: to be asked in the transaction that writes on its behalf."""
    mine = (claims.c.name == name) & (claims.c.owner == owner) & (claims.c.fence == fence)
    return connection.execute(select(claims.c.name).where(mine).with_for_update()).one_or_none() is not None
