"""What a host application imports: `Monitor().wrap(application)` puts Laptime in front of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .capture.hook import Hook
from .factory import compose, wrap
from .service import Service
from .settings import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


class Monitor:
    """Measures WSGI applications and serves the dashboard and the JSON API in front of them.

        application = Monitor().wrap(application)     # any WSGI callable
        app.wsgi_app = Monitor().wrap(app.wsgi_app)   # Flask

    `settings` default to the environment. Raises SettingError for a wrong one.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self._web = compose(Service(settings or Settings.from_environ()))

    def wrap(self, application: WSGIApplication) -> Hook:
        """`application`, measured, with `/dashboard` and `/performance` in front; all else goes through."""
        self._web.service.measured = "the application that it wraps"
        return wrap(self._web, application)
