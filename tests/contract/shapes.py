"""The contract's answers as a table of shapes, and a strict check of a JSON value against one.

A shape is a dict (exactly these members), a list of one shape (any number of it), `ByName`, `OrNull`, or a
rule: a function that says whether a value fits. JSON has one kind of number, clients have two: `1` is no
response time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class ByName:
    """An object whose members are names of any kind, each with the same shape."""

    shape: Any


@dataclass(frozen=True, slots=True)
class OrNull:
    """The shape, or null for "not known"."""

    shape: Any


def differences(value: object, shape: Any, at: str = "body") -> list[str]:
    """Every place where `value` does not have `shape`, in words; empty if it does."""
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            return [f"{at} is {value!r}, not an object"]
        found = [f"{at}.{name} is missing" for name in shape.keys() - value.keys()]
        found += [f"{at}.{name} is not in the contract" for name in value.keys() - shape.keys()]
        both = shape.keys() & value.keys()
        return found + [
            line for name in both for line in differences(value[name], shape[name], f"{at}.{name}")
        ]
    if isinstance(shape, ByName):
        if not isinstance(value, dict):
            return [f"{at} is {value!r}, not an object"]
        return [line for name in value for line in differences(value[name], shape.shape, f"{at}[{name!r}]")]
    if isinstance(shape, OrNull):
        return [] if value is None else differences(value, shape.shape, at)
    if isinstance(shape, list):
        if not isinstance(value, list):
            return [f"{at} is {value!r}, not a list"]
        return [line for n, one in enumerate(value) for line in differences(one, shape[0], f"{at}[{n}]")]
    return [] if shape(value) else [f"{at} is {value!r}, which is no {shape.__name__}"]


def count(value: object) -> bool:
    return type(value) is int and value >= 0


def percent(value: object) -> bool:
    return type(value) is float and 0 <= value <= 100


def count_or_measure(value: object) -> bool:
    return type(value) in (int, float)


def milliseconds(value: object) -> bool:
    return type(value) is float and value >= 0


def number(value: object) -> bool:
    return type(value) is float and value >= 0


def duration(value: object) -> bool:
    return type(value) is float and value >= 0


def text(value: object) -> bool:
    return type(value) is str and value != ""


def text_or_empty(value: object) -> bool:
    return type(value) is str


def flag(value: object) -> bool:
    return type(value) is bool


def yes(value: object) -> bool:
    return value is True


def instant(value: object) -> bool:
    """ISO 8601 with the offset of UTC."""
    return isinstance(value, str) and datetime.fromisoformat(value).utcoffset() == timedelta(0)


def unless_unmeasured(rule: Callable[[object], bool]) -> Callable[[object], bool]:
    """What the rule says, or null for "not measured"."""

    def fits(value: object) -> bool:
        return value is None or rule(value)

    return fits


def one_of(*allowed: str) -> Callable[[object], bool]:
    def member(value: object) -> bool:
        return value in allowed

    return member


STATUS = one_of("healthy", "warning", "error", "critical")
MACHINE = one_of("healthy", "warning", "critical")
SEVERITY = one_of("info", "warning", "error", "critical")
RECENT = {"timestamp": instant, "response_time": milliseconds, "success": flag}
TOOL = {
    "tool_name": text,
    "total_requests": count,
    "success_rate": percent,
    "avg_response_time": milliseconds,
    "min_response_time": milliseconds,
    "max_response_time": milliseconds,
    "error_count": count,
    "recent_performance": [RECENT],
    "p50_response_time": milliseconds,
    "p95_response_time": milliseconds,
    "p99_response_time": milliseconds,
    "client_errors": count,
    "server_errors": count,
    "response_bytes": count,
    "avg_first_byte_time": milliseconds,
    "avg_queue_time": unless_unmeasured(milliseconds),
}
USAGE = {"current": percent, "average": percent, "max": percent}
METRICS = {
    "overview": {
        "total_requests": count,
        "total_errors": count,
        "overall_success_rate": percent,
        "uptime_seconds": duration,
        "start_time": instant,
    },
    "system_metrics": {
        "cpu_usage": USAGE,
        "memory_usage": USAGE,
        "disk_usage": USAGE,
        "load_average": unless_unmeasured(number),
        "network": OrNull({"received_bytes_per_second": count, "sent_bytes_per_second": count}),
        "disk_io": OrNull({"read_bytes_per_second": count, "written_bytes_per_second": count}),
        "container": OrNull(
            {
                "cpu_limit_cores": unless_unmeasured(number),
                "memory_limit_bytes": unless_unmeasured(count),
                "throttled_periods": count,
                "oom_kills": count,
            }
        ),
    },
    "tools": ByName(TOOL),
    "queue_time": {
        "measured_requests": count,
        **dict.fromkeys(("average", "p50", "p95", "p99"), unless_unmeasured(milliseconds)),
    },
    "instances": [
        {
            "name": text,
            "status": one_of("reporting", "gone"),
            "start_time": instant,
            "last_reported": instant,
        }
    ],
    "own_cost": {
        "timed_requests": count,
        "microseconds_per_request": unless_unmeasured(milliseconds),
        "worker_time_percent": unless_unmeasured(percent),
        "page_requests": count,
        "page_avg_response_time": milliseconds,
        "page_worker_time_percent": percent,
    },
    "workers": {
        "count": count,
        "busy": count,
        "slots": unless_unmeasured(count),
        "saturation_percent": unless_unmeasured(percent),
        "needed": unless_unmeasured(count),
        "restarts": dict.fromkeys(("recycled", "killed", "out_of_memory", "timed_out"), count),
        "processes": [
            {
                "pid": count,
                "age_seconds": duration,
                "requests": count,
                "in_flight": count,
                "busy_percent": unless_unmeasured(percent),
                **dict.fromkeys(("resident_bytes", "open_files", "threads"), unless_unmeasured(count)),
            }
        ],
    },
}
LEVEL = {"severity": SEVERITY, "threshold": duration}
RULE = {
    "id": count,
    "type": text,
    "is_default": flag,
    "changed_at": OrNull(instant),
    "changed_by": OrNull(text),
    "name": text,
    "kind": one_of("threshold", "objective", "digest"),
    "metric": text,
    "tools": [text],
    "together": flag,
    "condition": one_of("above", "below"),
    "window_s": count,
    "levels": [LEVEL],
    "hold_s": count,
    "recovery": OrNull(duration),
    "recovery_s": count,
    "least_requests": count,
    "least_failures": count,
    "slower_than_ms": OrNull(duration),
    "target_percent": OrNull(percent),
    "every": one_of("day", "week"),
    "at": text,
    "message": text_or_empty,
    "channels": [text],
    "enabled": flag,
}
SILENCE = {
    "id": count,
    "state": one_of("planned", "standing", "over"),
    "start": instant,
    "end": instant,
    "rule": OrNull(text),
    "tools": [text],
    "severity": OrNull(SEVERITY),
    "reason": text_or_empty,
    "author": text,
}
NOTICE = {
    "id": text,
    "kind": one_of("alerts", "digest", "test"),
    "state": one_of("waiting", "delivered", "dead", "dropped"),
    "severity": SEVERITY,
    "created_at": instant,
    "finished_at": OrNull(instant),
    "due_at": OrNull(instant),
    "tries": count,
    "title": text_or_empty,
    "detail": OrNull(text),
}
LOGGED = NOTICE | {
    "channel": text,
    "tries": [{"timestamp": instant, "seconds": OrNull(duration), "detail": text}],
}
CHANNEL = {
    "id": count,
    "name": text,
    "enabled": flag,
    "least_severity": SEVERITY,
    "types": [text],
    "quiet_from": text_or_empty,
    "quiet_to": text_or_empty,
    "time_zone": text,
    "service": text,
    "shown": text,
    "source": one_of("store", "environment"),
    "newest_notice": OrNull(NOTICE),
}
ALERT = {
    "type": text,  # of a default rule, or of one that somebody made
    "tool": text,
    "severity": SEVERITY,
    "message": text,
    "timestamp": instant,
    "id": count,
    "state": one_of("firing", "acknowledged", "flapping", "no_data", "resolved"),
    "value": duration,
    "threshold": duration,
    "since": instant,
    "peak": OrNull(duration),
    "peak_severity": SEVERITY,
    "instance": text_or_empty,
    "requests": OrNull(count),
    "failures": OrNull(count),
    "release": OrNull(text),
    "acknowledged_by": OrNull(text),
    "acknowledged_at": OrNull(instant),
    "acknowledged_note": OrNull(text),
    "resolved_at": OrNull(instant),
    "resolved_by": OrNull(text),
    "resolved_note": OrNull(text),
    "silenced_until": OrNull(instant),
}
TOOL_LINE = {
    "tool_name": text,
    "total_requests": count,
    "success_rate": percent,
    "avg_response_time": milliseconds,
    "error_count": count,
}
DASHBOARD = {
    "overview": {
        "total_requests": count,
        "total_errors": count,
        "overall_success_rate": percent,
        "uptime_hours": duration,
        "system_health": MACHINE,
    },
    "system_metrics": {
        "cpu_usage": percent,
        "memory_usage": percent,
        "disk_usage": percent,
        "status": MACHINE,
    },
    "alerts": {"count": count, "critical": count, "warnings": count, "errors": count},
    "top_tools": [TOOL_LINE],
    "problematic_tools": [TOOL_LINE],
}
HEALTH = {
    "status": STATUS,
    "alerts_count": count,
    "critical_count": count,
    "error_count": count,
    "warning_count": count,
    "degraded": flag,
    "reasons": [text],
}
HISTORY = {
    "metric": text,
    "tool": unless_unmeasured(text),
    "unit": one_of("requests", "percent", "milliseconds", "bytes", "workers"),
    "step_seconds": count,
    "releases": [{"timestamp": instant, "release": text, "instance": text}],
    "points": [{"timestamp": instant, "value": unless_unmeasured(count_or_measure)}],
}
_SUCCESS = {"success": yes, "timestamp": instant}
ANSWERS = {
    "/performance/metrics": _SUCCESS | {"metrics": METRICS},
    "/performance/metrics?tool_name=ping": _SUCCESS | {"metrics": TOOL},
    "/performance/metrics?tool_name=never-seen": _SUCCESS | {"metrics": TOOL},
    "/performance/metrics?window=15m": _SUCCESS | {"metrics": METRICS},
    "/performance/metrics?window=1y&tool_name=ping": _SUCCESS | {"metrics": TOOL},
    "/performance/alerts": _SUCCESS | {"alert_count": count, "alerts": [ALERT]},
    "/performance/dashboard": _SUCCESS | {"dashboard": DASHBOARD},
    "/performance/dashboard?window=24h": _SUCCESS | {"dashboard": DASHBOARD},
    "/performance/health": _SUCCESS | {"health": HEALTH},
    "/performance/history?metric=requests": _SUCCESS | {"history": HISTORY},
    "/performance/history?metric=p95&tool=ping&window=15m": _SUCCESS | {"history": HISTORY},
    "/performance/history?metric=cpu&window=6h": _SUCCESS | {"history": HISTORY},
    "/health": {"status": one_of("healthy"), "version": text, "timestamp": instant},
    "/performance/alerts/history": _SUCCESS | {"alerts": [ALERT], "next": OrNull(text)},
    "/performance/rules": _SUCCESS | {"rules": [RULE]},
    "/performance/silences": _SUCCESS | {"silences": [SILENCE]},
    "/performance/channels": _SUCCESS | {"channels": [CHANNEL]},
    "/performance/notices": _SUCCESS | {"notices": [LOGGED], "next": OrNull(text)},
}
CALLED = {"success": yes, "tool": text, "content": [{"type": one_of("text"), "text": text}]}
