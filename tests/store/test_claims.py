"""Claims: one owner at a time, for a while; who comes back late finds another number."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from app.store import Engine, writing
from app.store.claims import LEASE_S, shared_now_s, take

NOW_S = 1_764_000_000.0


def taken(store: Engine, owner: str, now_s: float, name: str = "judge") -> int | None:
    with writing(store) as connection:
        return take(connection, name, owner, now_s)


def test_the_first_gets_the_claim_and_keeps_it_as_long_as_it_renews_it(store: Engine) -> None:
    assert taken(store, "a", NOW_S) == 1
    for turn in range(1, 20):
        assert taken(store, "b", NOW_S + 5 * turn - 1) is None
        assert taken(store, "a", NOW_S + 5 * turn) == 1
    assert taken(store, "b", NOW_S, name="prune") == 1  # another claim is another's


def test_a_claim_that_has_expired_goes_to_the_next_with_the_next_number(store: Engine) -> None:
    assert taken(store, "a", NOW_S) == 1
    assert taken(store, "b", NOW_S + LEASE_S) == 2
    assert taken(store, "a", NOW_S + LEASE_S + 1) is None


def test_one_that_was_frozen_in_its_turn_finds_the_claim_anothers(store: Engine) -> None:
    assert taken(store, "a", NOW_S) == 1
    assert taken(store, "b", NOW_S + 3 * LEASE_S) == 2
    assert taken(store, "a", NOW_S + 5) is None  # the turn that it had begun before it was frozen
    assert taken(store, "a", NOW_S + 6 * LEASE_S) == 3


def test_a_claim_of_a_clock_that_ran_ahead_is_void(store: Engine) -> None:
    assert taken(store, "a", NOW_S + 86_400) == 1
    assert taken(store, "b", NOW_S) == 2


def test_of_many_that_ask_at_once_one_gets_it(store: Engine) -> None:
    with ThreadPoolExecutor(4) as pool:
        fences = list(pool.map(lambda number: taken(store, f"{number}", NOW_S), range(16)))
    assert [fence for fence in fences if fence is not None] == [1]


def test_instances_whose_clocks_differ_claim_by_the_servers(store: Engine) -> None:
    began_s = time.time()
    with writing(store) as connection:
        behind, ahead = (shared_now_s(connection, began_s + apart_s) for apart_s in (-40, 40))
    if store.dialect.name == "sqlite":  # one host, one clock: its own
        assert (behind, ahead) == (began_s - 40, began_s + 40)
    else:
        assert began_s - 1 < behind <= ahead < time.time() + 1
