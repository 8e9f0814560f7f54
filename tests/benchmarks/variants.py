"""The applications that the bench drives: bare, and measured by Laptime and by others.

Each is built in a process of its own, so it imports only what it measures with. Peers are set up as their
documentation says to.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

App = Callable[[dict[str, Any], Any], Iterable[bytes]]

KINDS = ("wsgi", "flask")
LAPTIME = "Laptime, everything on"
NO_HEADERS = "Laptime, headers off"
PROMETHEUS = "prometheus_client, multiprocess"
EXPORTER = "prometheus-flask-exporter, multiprocess"
OTEL = "opentelemetry-instrumentation-flask, metrics"
FMD = "Flask-MonitoringDashboard"
BARE = "bare"
OURS = (BARE, LAPTIME, NO_HEADERS)
BOTH = (*OURS, PROMETHEUS)
OF_KIND = {"wsgi": BOTH, "flask": (*BOTH, EXPORTER, OTEL, FMD)}


def build(kind: str, variant: str, folder: Path) -> App:
    """The application of a kind, measured as the variant says; what that writes goes below `folder`."""
    if kind == "wsgi":
        return _around(trivial, variant, folder)
    if variant in (PROMETHEUS, EXPORTER):
        _multiprocess(folder)
    app = flask_app()
    if variant == EXPORTER:
        exporter = importlib.import_module("prometheus_flask_exporter.multiprocess")
        exporter.MultiprocessPrometheusMetrics(app)
        return _wsgi(app)
    if variant == OTEL:
        _instrument(app)
        return _wsgi(app)
    if variant == FMD:
        dashboard: Any = importlib.import_module("flask_monitoringdashboard")
        dashboard.config.database_name = f"sqlite:///{folder / 'dashboard.db'}"
        dashboard.bind(app)
        return _wsgi(app)
    return _around(_wsgi(app), variant, folder)


def trivial(_environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """The least that a WSGI application can be."""
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"ok"]


def flask_app(routes: int = 0, work: Callable[[], object] = lambda: None) -> Any:
    """A Flask application with `/`, and as many routes more as are asked for, which do some work."""
    flask: Any = importlib.import_module("flask")
    app = flask.Flask("bench")
    app.config["SECRET_KEY"] = "bench"
    app.add_url_rule("/", "index", lambda: "ok")

    def tool() -> str:
        work()
        return "ok"

    for number in range(routes):
        app.add_url_rule(f"/tool{number}", f"tool{number}", tool)
    return app


def laptime(app: App, folder: Path, *, response_headers: bool = True) -> App:
    """The application behind Laptime, its state below `folder`."""
    from app.monitor import Monitor
    from app.settings import Settings

    settings = Settings(api_key="bench-key-0123456789", state_dir=folder, response_headers=response_headers)
    hook: App = Monitor(settings).wrap(app)
    return hook


def _around(app: App, variant: str, folder: Path) -> App:
    if variant == BARE:
        return app
    if variant == PROMETHEUS:
        _multiprocess(folder)
        return _Prometheus(app)
    return laptime(app, folder, response_headers=variant == LAPTIME)


def _wsgi(app: Any) -> App:
    wsgi: App = app.wsgi_app
    return wsgi


def _multiprocess(folder: Path) -> None:
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = os.environ["prometheus_multiproc_dir"] = str(folder)  # noqa: SIM112


def _instrument(app: Any) -> None:
    metrics: Any = importlib.import_module("opentelemetry.metrics")
    sdk: Any = importlib.import_module("opentelemetry.sdk.metrics")
    export: Any = importlib.import_module("opentelemetry.sdk.metrics.export")
    metrics.set_meter_provider(sdk.MeterProvider([export.InMemoryMetricReader()]))
    importlib.import_module("opentelemetry.instrumentation.flask").FlaskInstrumentor().instrument_app(app)


class _Prometheus:
    """A histogram and a counter by path and status, observed when the body is closed."""

    def __init__(self, app: App) -> None:
        client: Any = importlib.import_module("prometheus_client")
        self.app = app
        self.seconds = client.Histogram("request_seconds", "Response time", ["path"])
        self.requests = client.Counter("requests", "Requests", ["path", "status"])

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        began = perf_counter()
        seen = ["500"]

        def start(status: str, headers: Any, exc_info: Any = None) -> Any:
            seen[0] = status[:3]
            return start_response(status, headers, exc_info)

        return _Body(self, self.app(environ, start), environ["PATH_INFO"], seen, began)


class _Body:
    __slots__ = ("began", "body", "metrics", "path", "seen")

    def __init__(
        self, metrics: _Prometheus, body: Iterable[bytes], path: str, seen: list[str], began: float
    ) -> None:
        self.metrics, self.body, self.path, self.seen, self.began = metrics, body, path, seen, began

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.body)

    def close(self) -> None:
        close = getattr(self.body, "close", None)
        if close is not None:
            close()
        self.metrics.seconds.labels(self.path).observe(perf_counter() - self.began)
        self.metrics.requests.labels(self.path, self.seen[0]).inc()
