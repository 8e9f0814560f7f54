"""Stand-ins for `Sources`: one deterministic service in many conditions, so that panels meet them all.

The story: eleven tools, 400 requests a minute; `analyze_code` is slow since 29 minutes, `run_query` fails
since 12. Nothing here measures anything; the real sources are tested where they live.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from app.model.alerting import Alert, SystemSample
from app.model.defaults import default_rules
from app.model.histogram import Histogram, bucket_of
from app.model.rules import StoredRule
from app.model.series import EMPTY, Restarts, Series, Snapshot, ToolTotals, Worker, total
from app.model.silencing import Silence
from app.model.staffing import saturation_percent
from app.model.vitals import Vitals, of_samples
from app.model.windows import Window
from app.settings import Settings
from app.sources import Traffic
from app.store.history import Reported
from app.store.releases import Release

NOW_S = 1_763_995_260.0  # a Monday in November 2025, 14:41 UTC
MB = 1024**2
SLOW_S, FAILING_S, RELEASED_S = 29 * 60, 12 * 60, 31 * 60


@dataclass(frozen=True)
class Tool:
    """A tool's habits: requests a minute, median and p95 in milliseconds, percent of client errors."""

    per_minute: float
    p50_ms: float
    p95_ms: float
    client_percent: float = 0.0


TOOLS = {
    "list_files": Tool(103.6, 18, 61),
    "read_file": Tool(85.0, 8, 27, 0.4),
    "ping": Tool(60.0, 0.6, 0.9),
    "search_docs": Tool(56.3, 118, 331),
    "run_query": Tool(31.7, 241, 1180),
    "fetch_url": Tool(23.5, 102, 497, 0.6),
    "analyze_code": Tool(12.4, 700, 1650, 0.5),
    "get_system_status": Tool(12.0, 4, 6),
    "embed_text": Tool(10.2, 88, 164),
    "render_diff": Tool(4.8, 49, 142),
    "(unmatched)": Tool(0.6, 1, 2, 100.0),
}
HOSTILE = {
    "<script>alert(1)</script>": Tool(20, 50, 90),
    '"><img src=x onerror=alert(2)>': Tool(10, 50, 90),
    "{{ 7 * 7 }} {% raw %}": Tool(5, 50, 90),
    "a" * 300: Tool(3, 50, 90),
    "GET /naïve/<path:日本>/\u202edrow": Tool(2, 50, 90),
    "' OR 1=1 -- &amp;": Tool(1, 50, 90),
}

ALERTS = (
    Alert(
        "low_success_rate", "run_query", "error", "Low success rate: 30.6%", 30.6, 90.0, NOW_S - FAILING_S
    ),
    Alert(
        "high_response_time", "analyze_code", "warning", "High average response time: 2150.45ms",
        2150.45, 2000.0, NOW_S - SLOW_S,
    ),
)  # fmt: skip


def made(tool: Tool, requests: int, seed: str, slower: float = 1.0, server_errors: int = 0) -> Series:
    """`requests` of a tool with log-normal times."""
    rng = random.Random(seed)
    spread = math.log(tool.p95_ms / tool.p50_ms) / 1.645
    times = [int(tool.p50_ms * 1e6 * slower * math.exp(rng.gauss(0, spread))) for _ in range(requests)]
    client = sum(rng.random() * 100 < tool.client_percent for _ in range(requests))
    failed = min(requests, client + server_errors)
    return Series(
        ok=Histogram.from_counts(Counter(map(bucket_of, times[failed:]))),
        failed=Histogram.from_counts(Counter(map(bucket_of, times[:failed]))),
        client_errors=min(client, failed),
        server_errors=failed - min(client, failed),
        total_ns=sum(times),
        min_ns=min(times, default=0),
        max_ns=max(times, default=0),
        response_bytes=1000 * requests,
    )


@dataclass
class FakeSources:
    """Answers like a service of `tools` that began `history_s` ago; in the spans `away_s` it did not run."""

    tools: Mapping[str, Tool] = field(default_factory=lambda: TOOLS)
    now_s: float = NOW_S
    history_s: float = 40 * 86_400
    requests_each: int | None = None
    away_s: Sequence[tuple[float, float]] = ()
    active: Sequence[Alert] = ALERTS
    past: Sequence[Alert] = ()
    is_sampled: bool = True
    sample_age_s: float = 2.0
    cpu_percent: float = 54.8
    is_contained: bool = False
    workers: int = 4
    slots_each: int | None = 1
    in_flight: float = 0.8
    restarts: Restarts = Restarts()
    degraded: Sequence[str] = ()
    is_released: bool = False
    own_rules: Sequence[StoredRule] = ()
    silenced: Sequence[Silence] = ()
    reported: Sequence[Reported] = (Reported("one", NOW_S - 2280, NOW_S - 4),)
    settings: Settings = field(default_factory=Settings)
    _known: dict[tuple[float, Window], Traffic] = field(default_factory=dict)
    _drawn: dict[tuple[float, Window], dict[str, list[Series | None]]] = field(default_factory=dict)

    @property
    def started_s(self) -> float:
        return self.now_s - self.history_s

    def traffic(self, window: Window) -> Traffic:
        if (self.now_s, window) not in self._known:
            self._known[self.now_s, window] = self._traffic(window)
        return self._known[self.now_s, window]

    def courses(self, window: Window, tools: Collection[str]) -> Mapping[str, Sequence[Series | None]]:
        known = self._points(window)
        return {name: known.get(name) or [None] * len(window.starts()) for name in tools}

    def vitals(self, window: Window) -> Sequence[Mapping[str, Vitals]]:
        points: list[dict[str, Vitals]] = []
        samples = self.samples(window.starts().start)
        for start_s in window.starts():
            before = [one for one in samples if one.at_s < start_s]
            there = [one for one in samples if start_s <= one.at_s < start_s + window.step_s]
            middle_s = start_s + window.step_s / 2
            if not there and self.is_sampled and self.started_s < middle_s < self.now_s - 3600:
                there = [self._sample(middle_s)]  # of the store, where an hour of samples is not all
            points.append({"one": of_samples(there, before[-1] if before else None)} if there else {})
        return points

    def instances(self, since_s: float) -> Sequence[Reported]:
        return [one for one in self.reported if one.rolled_up_s >= since_s]

    def releases(self, window: Window) -> Sequence[Release]:
        known = [Release(self.now_s - RELEASED_S, "one", "3f9c2ab")] if self.is_released else []
        return [one for one in known if one.at_s >= window.start_s]

    def snapshot(self) -> Snapshot:
        hour = Window("1h", self.now_s - 3600, self.now_s, 60, 60)
        counted = {name: ToolTotals(series) for name, series in self.traffic(hour).tools.items()}
        requests = sum(one.series.requests for one in counted.values())
        began_s = max(self.started_s, self.now_s - 2280)
        workers = tuple(
            self._worker(number, began_s, requests // self.workers) for number in range(self.workers)
        )
        return Snapshot("run", self.started_s, counted, {}, workers, restarts=self.restarts)

    def _worker(self, number: int, began_s: float, requests: int) -> Worker:
        in_flight = int(number < 2 and requests > 0)
        if self.slots_each is None:  # one that tells nothing of itself
            return Worker(41 + number, began_s, requests, in_flight)
        share = 100 * self.in_flight / (self.workers * self.slots_each)
        return Worker(
            41 + number, began_s, requests, in_flight, self.slots_each, min(100.0, share), 71 * MB, 23, 4
        )

    def samples(self, since_s: float) -> Sequence[SystemSample]:
        if not self.is_sampled:
            return []
        newest_s = self.now_s - self.sample_age_s
        first_s = max(since_s, newest_s - 3600, self.started_s)
        count = int((newest_s - first_s) // 5) + 1
        times = [newest_s - 5 * (count - 1 - index) for index in range(max(0, count))]
        return [self._sample(at_s) for at_s in times]

    def alerts(self) -> Sequence[Alert]:
        return self.active

    def newest_alerts(self, limit: int, tool: str = "") -> Sequence[Alert]:
        known = sorted((*self.active, *self.past), key=lambda one: -one.since_s)
        return [one for one in known if tool in ("", one.tool)][:limit]

    def rules(self) -> Sequence[StoredRule]:
        known = default_rules(self.settings)
        defaults = [
            StoredRule(id=number, type=type, rule=rule, is_default=True)
            for number, (type, rule) in enumerate(known.items(), 1)
        ]
        return [*defaults, *self.own_rules]

    def silences(self) -> Sequence[Silence]:
        return self.silenced

    def troubles(self) -> Sequence[str]:
        return self.degraded

    def _traffic(self, window: Window) -> Traffic:
        points = self._points(window)
        everything: list[Series | None] = []
        for index, start_s in enumerate(window.starts()):
            there = [series[index] for series in points.values()]
            known = [series for series in there if series is not None]
            is_there = self._is_measured(start_s, window.step_s)
            everything.append(total(known) if is_there else None)
        sums = {name: total(one for one in series if one) for name, series in points.items()}
        return Traffic(window, {name: one for name, one in sums.items() if one.requests}, everything)

    def _points(self, window: Window) -> dict[str, list[Series | None]]:
        if (self.now_s, window) not in self._drawn:
            self._drawn[self.now_s, window] = {
                name: [self._point(name, start_s, window) for start_s in window.starts()]
                for name in self.tools
            }
        return self._drawn[self.now_s, window]

    def _sample(self, at_s: float) -> SystemSample:
        sway = math.sin(at_s / 400) * 6 + math.sin(at_s / 97) * 3
        back_s = self.now_s - at_s
        memory = 371 * MB - back_s / 3600 * 40 * MB
        return SystemSample(
            at_s=at_s,
            cpu_percent=self.cpu_percent if back_s < 10 else max(0.0, min(100.0, self.cpu_percent + sway)),
            memory_percent=100 * memory / (512 * MB),
            disk_percent=45.8,
            memory_used_bytes=int(memory),
            memory_total_bytes=512 * MB,
            disk_used_bytes=int(4.58 * 1024**3),
            disk_total_bytes=10 * 1024**3,
            load_average=0.52,
            received_bytes_per_s=12_300,
            sent_bytes_per_s=401_000,
            read_bytes_per_s=0,
            written_bytes_per_s=1_300_000,
            memory_source="container" if self.is_contained else "host",
            cpu_limit_cores=0.5 if self.is_contained else 0.0,
            throttled_periods=max(0, 1200 - int(back_s)) // 100,
            oom_kills=int(back_s < 300),
            workers=self.workers,
            slots=self.workers * self.slots_each if self.slots_each else None,
            in_flight=self.in_flight,
            saturation_percent=saturation_percent(self.in_flight, self.workers * (self.slots_each or 0)),
        )

    def _is_measured(self, start_s: float, step_s: float) -> bool:
        if start_s + step_s <= self.started_s or start_s > self.now_s:
            return False
        return not any(from_s <= start_s and start_s + step_s <= to_s for from_s, to_s in self.away_s)

    def _point(self, name: str, start_s: float, window: Window) -> Series | None:
        if not self._is_measured(start_s, window.step_s):
            return None
        tool = self.tools[name]
        end_s = min(start_s + window.step_s, self.now_s, window.end_s)
        span_s = max(0.0, end_s - max(start_s, self.started_s))
        seed = f"{name}{start_s}"
        wave = 1 + 0.08 * math.sin(start_s / 700) + random.Random(seed).gauss(0, 0.03)
        requests = round(min(tool.per_minute * wave * span_s / 60, 400))
        if self.requests_each is not None:
            requests = self._few(name, start_s, window)
        back_s = self.now_s - start_s
        told = {alert.type for alert in self.active if alert.tool == name}
        slower = 2.6 if "high_response_time" in told and back_s < SLOW_S else 1.0
        errors = round(requests * 0.69) if "low_success_rate" in told and back_s < FAILING_S else 0
        return made(tool, requests, seed, slower, errors) if requests else EMPTY

    def _few(self, name: str, start_s: float, window: Window) -> int:
        starts = window.starts()
        chosen = random.Random(name).sample(
            range(len(starts) - 1), min(self.requests_each or 0, len(starts) - 1)
        )
        return int((start_s - starts[0]) // window.step_s in chosen)


def troubled() -> FakeSources:
    """As in the story: one tool fails, one is slow."""
    return FakeSources()


def healthy() -> FakeSources:
    """The same without any trouble."""
    return FakeSources(active=())


def critical() -> FakeSources:
    """The machine is full: a critical alert of the system before the tools'."""
    words = "High CPU usage: 98.2%"
    alert = Alert("high_cpu_usage", "system", "critical", words, 98.2, 95.0, NOW_S - 130)
    return FakeSources(active=(alert, *ALERTS), cpu_percent=98.2)


def empty() -> FakeSources:
    """Just started: no request, no sample, no worker."""
    return FakeSources(tools={}, history_s=8, is_sampled=False, active=(), workers=0)


def first_minutes() -> FakeSources:
    """Started four minutes ago, so most of the window lies before the start."""
    return FakeSources(history_s=250, active=())


def thin() -> FakeSources:
    """Seven requests of one tool in the window: too few for a line or a comparison."""
    return FakeSources(tools={"ping": Tool(1, 84, 130)}, requests_each=7, active=())


def gap() -> FakeSources:
    """Nothing was measured for eight minutes."""
    return FakeSources(away_s=((NOW_S - 33 * 60, NOW_S - 24 * 60),))


def contained() -> FakeSources:
    """In a container whose limits hold it back."""
    return FakeSources(is_contained=True, active=())


def hostile() -> FakeSources:
    """Names that try to be markup, code or very long, one of them with an alert."""
    first = next(iter(HOSTILE))
    bad = tuple(
        Alert("low_success_rate", name, "error", f"Low: {name}", 10.0, 90.0, NOW_S - 60) for name in HOSTILE
    )
    odd = Alert("made_by_a_user", first, "info", f"Odd: {first}", 1.0, 0.0, NOW_S - 60)
    return FakeSources(tools=HOSTILE, active=(*bad, odd))


def many() -> FakeSources:
    """130 tools and forty workers."""
    tools = {
        f"GET /items/{number}/detail": Tool(1 + number % 7, 5 + number, 30 + 3 * number)
        for number in range(130)
    }
    return FakeSources(tools=tools, active=(), workers=40, slots_each=8, in_flight=213.0)


def quiet() -> FakeSources:
    """Thirty tools, one request each: more than a table shows, and nothing to wait for."""
    tools = {f"GET /items/{number}": Tool(1, 5, 30) for number in range(30)}
    return FakeSources(tools=tools, requests_each=1, active=())


def unsampled() -> FakeSources:
    """The machine has not been sampled for three minutes."""
    return FakeSources(sample_age_s=180, active=())


def restless() -> FakeSources:
    """Workers that ended in every way there is, and none left to wait for."""
    return FakeSources(active=(), in_flight=3.7, restarts=Restarts(1204, 1, 2, 3))


def untold() -> FakeSources:
    """Workers that tell nothing of themselves, as greenlets or another system's do."""
    return FakeSources(active=(), slots_each=None)


def degraded() -> FakeSources:
    """The disk of the state folder is full."""
    return FakeSources(active=(), degraded=("counting in private memory: no room for <cells>",))


VARIANTS = {
    one.__name__: cache(one)
    for one in (
        troubled,
        healthy,
        critical,
        empty,
        first_minutes,
        thin,
        gap,
        contained,
        hostile,
        many,
        quiet,
        unsampled,
        restless,
        untold,
        degraded,
    )
}
