"""Send what lies in the outbox: each channel's notices one after the other, the channels side by side.

A try is written down before it is made, with the time it may take, and its end afterwards. Whoever is killed
in between has perhaps delivered, and the notice is sent once more: at least once, with an id that receivers
can tell the repetition by.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable

from ..courier import Courier, Message, Outcome
from ..errors import LaptimeError
from ..model.telling import retry_after_s
from ..sources import Sources
from ..store import Connection, Engine, alerts, channels, claims, notice_log, notices, reading, rules, writing
from ..store.notices import Notice
from .compose import Composer
from .environment import Environment
from .leader import check

log = logging.getLogger("laptime")

CLAIM = "send_notices"
AT_ONCE = 8
# Longer than a courier takes.
LEASE_S = 30.0
_LONGEST_WAIT_S = 3600.0


class SendNotices:
    """Only the elected worker of the instance that has claimed it sends, while it `leads`."""

    def __init__(
        self,
        sources: Sources,
        engine: Engine,
        instance: str,
        courier: Courier,
        environment: Environment,
        leads: Callable[[], bool] = lambda: True,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._composer = Composer(sources.settings, sources)
        self._engine = engine
        self._instance = instance
        self._courier = courier
        self._environment = environment
        self._leads = leads
        self._clock = clock
        self._busy: dict[int, threading.Thread] = {}  # by channel

    def run(self, now_s: float) -> None:
        """Begin what is due; it goes on in threads of its own. Raises UnavailableError."""
        self._environment.prepare()
        self._busy = {id: thread for id, thread in self._busy.items() if thread.is_alive()}
        with writing(self._engine) as connection:
            check(self._leads)
            shared_s = claims.shared_now_s(connection, now_s)
            if claims.take(connection, CLAIM, self._instance, shared_s) is None:
                return
            self._environment.sync(connection)
            due = notices.due(connection, now_s)
        for notice in due:
            if notice.channel_id not in self._busy and len(self._busy) < AT_ONCE:
                thread = threading.Thread(
                    target=self._deliver, args=[notice], name="laptime-notice", daemon=True
                )
                self._busy[notice.channel_id] = thread
                thread.start()

    def join(self) -> None:
        """Wait for what is under way."""
        for thread in self._busy.values():
            thread.join()

    def _deliver(self, notice: Notice) -> None:
        try:
            self._try(notice)
        except LaptimeError as error:  # the store is away: it is sent again when it is back
            log.error("a notice could not be sent: %s", error)

    def _try(self, notice: Notice) -> None:
        begun_s, now_s = time.monotonic(), self._clock()
        message = self._message(notice, now_s)
        with writing(self._engine) as connection:
            check(self._leads)
            to = channels.one(connection, notice.channel_id)
            if to is None:
                return
            if message is None:
                notices.drop(connection, notice.id, "what it was about was never told", now_s)
                return
            if not notice.title:
                notices.write_text(connection, notice.id, message.title, message.body)
            delivery = notices.begin(connection, notice, now_s, LEASE_S)
        if delivery is not None:
            outcome = self._courier.send(self._environment.url_of(to), message)
            self._finish(notice, delivery, outcome, time.monotonic() - begun_s)

    def _finish(self, notice: Notice, delivery: int, outcome: Outcome, took_s: float) -> None:
        now_s = self._clock()
        # No secret hangs on it: it keeps those that failed together from coming back together.
        wait_s = max(retry_after_s(notice.tries + 1, random.random()), outcome.retry_after_s or 0.0)  # noqa: S311
        due_s = now_s + min(wait_s, _LONGEST_WAIT_S)
        state, detail = notices.DELIVERED, outcome.detail
        if not outcome.delivered:
            is_last = due_s > notice.expires_s or notice.kind == notices.TEST
            state = notices.DEAD if is_last else notices.WAITING
        with writing(self._engine) as connection:
            notices.finish(
                connection, notice, delivery, took_s, detail, state=state, now_s=now_s, due_s=due_s
            )
        if state == notices.DEAD:
            log.error("the notice %s was given up after %d tries: %s", notice.key, notice.tries + 1, detail)

    def _message(self, notice: Notice, now_s: float) -> Message | None:
        """What the notice says, written at its first try; None where nothing is left to say."""
        if notice.title:
            return _signed(notice, notice.title, notice.body)
        with reading(self._engine) as connection:
            if notice.kind == notices.TEST:
                to = channels.one(connection, notice.channel_id)
                return _signed(notice, *self._composer.test(to.channel.name if to else ""))
            told = _still_to_tell(connection, notice)
            there = alerts.some(connection, [one.alert_id for one in told])
            stored = {one.type: one.rule for one in rules.read_rules(connection)}
        if not told:
            return None
        return _signed(notice, *self._composer.alerts(told, there, stored, now_s))


def _still_to_tell(connection: Connection, notice: Notice) -> list[notice_log.Told]:
    """What the notice tells; that something is over only to those who know that it was."""
    told = notice_log.events(connection, notice.id)
    here = {one.alert_id for one in told if one.event != "resolved"}
    return [
        one
        for one in told
        if one.event != "resolved"
        or one.alert_id in here
        or notices.was_told(connection, notice.channel_id, one.alert_id)
    ]


def _signed(notice: Notice, title: str, body: str) -> Message:
    is_over = notice.kind == notices.ALERTS and title.startswith("Resolved")
    text = f"{body}\n\nNotice {notice.key} from Laptime"
    return Message(notice.key, title, text, "ok" if is_over else notice.severity)
