"""A service whose figures are what a test says: stands in for time, not for the store, which is real."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from app.courier import Courier, Message, Outcome
from app.desk import Desk, Door
from app.jobs.environment import Environment
from app.jobs.evaluate_alerts import EvaluateAlerts
from app.jobs.send_notices import SendNotices
from app.model.alerting import Alert, SystemSample
from app.model.channels import Channel
from app.model.rules import Rule, StoredRule
from app.model.series import Series, Snapshot, total
from app.model.silencing import Silence
from app.model.vitals import Vitals
from app.model.windows import Window
from app.settings import Settings
from app.sources import Traffic
from app.store import Connection, Engine, alert_pages, channels, notice_log, reading, rules, writing
from app.store.alert_pages import Filter
from app.store.history import Reported
from app.store.notices import Notice
from app.store.releases import Release

NOW_S = 1_795_000_000.0


@dataclass
class Script:
    """Sources that tell `tools` and `machines` of any window."""

    settings: Settings
    tools: dict[str, Series] = field(default_factory=dict)
    machines: dict[str, Vitals] = field(default_factory=dict)
    is_whole: bool = True

    def snapshot(self) -> Snapshot:
        return Snapshot("run", NOW_S, {}, {}, ())

    def traffic(self, window: Window) -> Traffic:
        points = [total(self.tools.values())] * len(window.starts())
        return Traffic(window, dict(self.tools), points, self.is_whole)

    def courses(self, window: Window, tools: Collection[str]) -> Mapping[str, Sequence[Series | None]]:
        return {name: [self.tools.get(name)] * len(window.starts()) for name in tools}

    def vitals(self, window: Window) -> Sequence[Mapping[str, Vitals]]:
        return [self.machines, *[{}] * (len(window.starts()) - 1)]

    def instances(self, since_s: float) -> Sequence[Reported]:
        return [Reported(name, since_s, since_s) for name in self.machines]

    def releases(self, window: Window) -> Sequence[Release]:  # noqa: ARG002
        return ()

    def samples(self, since_s: float) -> Sequence[SystemSample]:  # noqa: ARG002
        return ()

    def alerts(self) -> Sequence[Alert]:
        return ()

    def rules(self) -> Sequence[StoredRule]:
        return ()

    def newest_alerts(self, limit: int, tool: str = "") -> Sequence[Alert]:  # noqa: ARG002
        return ()

    def silences(self) -> Sequence[Silence]:
        return ()

    def troubles(self) -> Sequence[str]:
        return ()


class Post(Courier):
    """A courier that keeps what it is given; `fails` says with which words each channel's tries fail."""

    def __init__(self) -> None:
        super().__init__(b"secret", allow_private=True)
        self.sent: list[tuple[str, Message]] = []
        self.fails: dict[str, str] = {}

    def send(self, url: str, message: Message) -> Outcome:
        """Keep it, or fail as told."""
        if url in self.fails:
            return Outcome(False, self.fails[url], 0.01)
        self.sent.append((url, message))
        return Outcome(True, "delivered", 0.01)


class Scene:
    """A store with the default rules, whatever is added to them, and a clock that only `pass_s` moves."""

    def __init__(self, engine: Engine, **changes: object) -> None:
        self.engine = engine
        self.settings = Settings(public_url="https://laptime.example", **changes)  # type: ignore[arg-type]
        self.script = Script(self.settings)
        self.now_s = NOW_S
        self.post = Post()
        self.leads = True
        self.door = StandingDoor(self)
        self.desk = Desk(self.settings, self.script, self.door, self.post)
        self.start()

    def start(self) -> None:
        """Begin anew with what the store has, as another leader does."""
        self.judge = EvaluateAlerts(self.script, self.engine, "one", lambda: self.leads)
        environment = Environment(self.settings, b"secret", self.post)
        self.send = SendNotices(
            self.script, self.engine, "one", self.post, environment, lambda: self.leads, lambda: self.now_s
        )

    def pass_s(self, span_s: float, turn_s: float = 5.0) -> None:
        """Judge and send, turn by turn."""
        end_s = self.now_s + span_s
        while self.now_s < end_s:
            self.now_s = min(end_s, self.now_s + turn_s)
            self.judge.run(self.now_s)
            self.deliver()

    def deliver(self) -> None:
        """Send what is due, and wait for it."""
        self.send.run(self.now_s)
        self.send.join()

    def rule(self, rule: Rule) -> str:
        """Add a rule; its type."""
        return self.desk.rules.make(rule, "a test").type

    def channel(self, name: str, **changes: object) -> int:
        """Add a channel whose address is its name; its id."""
        made = Channel(name=name, **changes)  # type: ignore[arg-type]
        with writing(self.engine) as connection:
            return channels.add(connection, made, {"service": "test", "shown": name, "sealed": name})

    def alerts(self) -> list[Alert]:
        """All alerts, newest first."""
        with reading(self.engine) as connection:
            return list(alert_pages.page(connection, Filter(), 1000).alerts)

    def states(self) -> list[tuple[str, str, str]]:
        """Type, tool and state of all alerts, newest first."""
        return [(one.type, one.tool, one.stage) for one in self.alerts()]

    def notices(self) -> list[Notice]:
        """All notices, newest first."""
        with reading(self.engine) as connection:
            return notice_log.log(connection, 1000)

    def events(self, channel: str = "") -> list[tuple[str, str]]:
        """Tool and event of all that was or will be told, oldest first; of one channel."""
        found = []
        with reading(self.engine) as connection:
            names = {one.id: one.channel.name for one in channels.read_channels(connection)}
            tools = {one.id: one.tool for one in alert_pages.page(connection, Filter(), 1000).alerts}
            for notice in reversed(notice_log.log(connection, 1000)):
                if channel in ("", names[notice.channel_id]):
                    told = notice_log.events(connection, notice.id)
                    found += [(tools[one.alert_id], one.event) for one in told]
        return found

    def watches(self) -> int:
        """How many rules and targets are remembered."""
        with reading(self.engine) as connection:
            return len(rules.read_watches(connection))


class StandingDoor(Door):
    """The desk's door with the scene's clock."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        super().__init__(scene.engine, self._reading)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with reading(self._scene.engine) as connection:
            yield connection

    def now_s(self) -> float:
        """The scene's time."""
        return self._scene.now_s
