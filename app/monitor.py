"""What a host application imports: `Monitor().wrap(application)` puts Laptime in front of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .capture.measure import Measure
from .capture.naming import FAILURE, TOOL
from .factory import compose, wrap
from .service import Service
from .settings import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment


class Monitor:
    """Measures WSGI applications and serves the dashboard and the JSON API in front of them.

        monitor = Monitor()
        application = monitor.wrap(application)     # any WSGI callable
        app.wsgi_app = monitor.wrap(app.wsgi_app)   # Flask

    `settings` default to the environment. Raises SettingError for a wrong one.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self._web = compose(Service(settings or Settings.from_environ()))

    def wrap(self, application: WSGIApplication) -> WSGIApplication:
        """`application`, measured, with the dashboard and the API in front; all else goes through."""
        self._web.service.measured = "the application that it wraps"
        return wrap(self._web, application)

    def measure(self, name: str) -> Measure:
        """Measure as the tool `name` what is no request: a function by decorator, a block by `with`.

        Each `with` takes a measure of its own. Counting starts in this process if it had not: call it
        where the work is done, not while a server that forks later imports the application.
        """
        service = self._web.service
        return Measure(name, service.recorder, service.ensure_started)

    @staticmethod
    def name_tool(environ: WSGIEnvironment, name: str) -> None:
        """Count this request as the tool `name`; before the response's headers are sent."""
        environ[TOOL] = name

    @staticmethod
    def report_failure(environ: WSGIEnvironment) -> None:
        """Count this request as failed whatever its status says; before its body is closed."""
        environ[FAILURE] = True
