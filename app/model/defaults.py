"""The rules that Laptime comes with; the numbers are those of the settings until somebody changes a rule."""

from __future__ import annotations

from types import MappingProxyType

from ..settings import Settings
from .rules import Condition, Level, Rule, Severity

# A busy minute, such as a start or a build, is no alert yet.
_MACHINE_WINDOW_S = 60
# By type, the settings that the limits of a default rule are made of.
DECIDED_BY = MappingProxyType(
    {
        "high_response_time": ("alert_response_time_ms",),
        "low_success_rate": ("alert_success_rate_percent",),
        "high_cpu_usage": ("alert_cpu_percent", "alert_critical_percent"),
        "high_memory_usage": ("alert_memory_percent", "alert_critical_percent"),
        "high_disk_usage": ("alert_disk_percent", "alert_critical_percent"),
    }
)


def default_rules(settings: Settings) -> dict[str, Rule]:
    """The default rules by type."""
    return {
        "high_response_time": Rule(
            name="High response time",
            metric="average",
            window_s=round(settings.alert_window_s),
            levels=(Level("warning", settings.alert_response_time_ms),),
            least_requests=settings.alert_min_requests,
        ),
        "low_success_rate": Rule(
            name="Low success rate",
            metric="success_rate",
            condition="below",
            window_s=round(settings.alert_window_s),
            levels=(Level("error", settings.alert_success_rate_percent),),
            least_requests=settings.alert_min_requests,
            least_failures=settings.alert_min_failures,
        ),
        "high_cpu_usage": _of_machine("cpu", "CPU", settings.alert_cpu_percent, settings),
        "high_memory_usage": _of_machine("memory", "memory", settings.alert_memory_percent, settings),
        "high_disk_usage": _of_machine("disk", "disk", settings.alert_disk_percent, settings),
    }


def _of_machine(metric: str, word: str, limit: float, settings: Settings) -> Rule:
    steps: list[tuple[Severity, float]] = [("warning", limit), ("critical", settings.alert_critical_percent)]
    above: Condition = "above"
    # A limit of the milder level beyond the other's would never be told.
    told = [Level(*step) for step in steps if step[0] == "critical" or limit < steps[1][1]]
    return Rule(
        name=f"High {word} usage",
        metric=metric,
        condition=above,
        window_s=_MACHINE_WINDOW_S,
        levels=tuple(told),
    )
