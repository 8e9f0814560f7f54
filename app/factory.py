"""Composition: the one file that puts the pages, the APIs, the host's application and the hook together."""

from __future__ import annotations

import importlib
import importlib.metadata
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, cast

import click
from flask import Flask
from flask.cli import AppGroup
from werkzeug.wrappers import Response

from .capture.hook import Hook
from .errors import SettingError
from .service import Service
from .settings import Settings
from .store import database_url
from .web import alert_pages, auth, front, health, pages, performance_api, problems, settings_page
from .web.compression import compress
from .web.shelf import Shelf
from .web.tries import Tries

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}

# What the settings page tells the versions of.
_SOFTWARE = ("Flask", "SQLAlchemy")


class Web(Flask):
    """Laptime's own pages and APIs. As a WSGI callable it is the whole service: hook, pages and host."""

    def __init__(self, service: Service) -> None:
        super().__init__("laptime", static_folder=None, root_path=str(Path(__file__).parent))
        self.service = service
        self.pipeline: WSGIApplication | None = None

    def ensure_started(self, address: str | None = None) -> None:
        """Start this process's part of the service; for a server's "worker is up" hook."""
        self.service.ensure_started(address)

    def wsgi_app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """The measured service where it was composed, else the pages and APIs alone."""
        return (self.pipeline or self.own)(environ, start_response)

    def own(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """The dashboard and the JSON API, without the hook."""
        return super().wsgi_app(environ, start_response)


def create_app(settings: Settings | None = None) -> Web:
    """The service as `gunicorn wsgi:app` runs it: the host application that is set, or the tool server.

    A wrong setting ends the process with one line on stderr and the status that stops gunicorn's master.
    """
    try:
        settings = settings or Settings.from_environ()
        database_url(settings)
        web = compose(Service(settings))
        host = _named_app(settings.host_app) if settings.host_app else _tool_server(web)
    except SettingError as error:
        stop(error)
    own_paths = frozenset[str]() if settings.host_app else frozenset({"/", "/health", "/favicon.ico"})
    web.pipeline = wrap(web, host, own_paths)
    return web


def wrap(web: Web, application: WSGIApplication, own_paths: frozenset[str] = frozenset()) -> WSGIApplication:
    """`application` measured, with our pages in front of it at their prefixes and at `own_paths`."""
    service = web.service
    settings = service.settings
    hook = Hook(
        service.recorder,
        service.ensure_started,
        response_headers=settings.response_headers,
        slow_ms=settings.slow_ms,
    )
    prefixes = (settings.dashboard_prefix, settings.performance_prefix)
    return hook.wrap(application, web.own, prefixes, own_paths)


def stop(error: SettingError) -> NoReturn:
    """One line, and the exit status that gunicorn's master does not start another worker after."""
    sys.stderr.write(f"laptime: {error}\n")
    raise SystemExit(_EXIT_STATUS)


_EXIT_STATUS = 3


def compose(service: Service) -> Web:
    """Laptime's own pages and APIs."""
    app = Web(service)
    dashboard, performance = service.settings.dashboard_prefix, service.settings.performance_prefix
    app.config["MAX_CONTENT_LENGTH"] = service.settings.max_body_bytes
    tries = Tries(service.settings.state_dir, service.keys.key.encode())
    door = auth.Door(service.keys, tries, public_url=service.settings.public_url)
    auth.guard(app, door, sessions=True)
    problems.register(app, pages=dashboard)
    app.register_blueprint(health.blueprint)
    app.register_blueprint(front.blueprint)
    app.register_blueprint(auth.blueprint, url_prefix=dashboard)
    shelf = Shelf(service.settings.state_dir)
    app.register_blueprint(
        pages.blueprint(service.sources, service.settings.banner, shelf), url_prefix=dashboard
    )
    app.register_blueprint(
        alert_pages.blueprint(service.sources, service.desk), url_prefix=f"{dashboard}/alerts"
    )
    software = {name: importlib.metadata.version(name) for name in _SOFTWARE}
    app.register_blueprint(
        settings_page.blueprint(service.sources, service.desk, software), url_prefix=f"{dashboard}/settings"
    )
    app.register_blueprint(performance_api.blueprint(service.sources, service.desk), url_prefix=performance)
    app.after_request(_harden)
    app.after_request(compress)
    app.cli.add_command(_commands(service))
    return app


def _tool_server(web: Web) -> Flask:
    """The bundled application: what is measured when nobody names another, who would not want its tools."""
    builtin = importlib.import_module(".tools.builtin", __package__)
    tools_api = importlib.import_module(".web.tools_api", __package__)
    settings = web.service.settings
    app = Flask("laptime_tools", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    auth.guard(app, web.extensions["laptime.door"], sessions=False)
    problems.register(app)
    app.register_blueprint(tools_api.blueprint(settings, builtin.Toolbox(settings)))
    app.after_request(_harden)
    return app


def _harden(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def _named_app(name: str) -> WSGIApplication:
    """The WSGI callable that `module:callable` names. Raises SettingError when there is none."""
    module_name, _, attribute = name.partition(":")
    allowed = "allowed is module:callable, a WSGI application that can be imported from here"
    if not module_name or module_name.startswith(".") or not attribute:
        raise SettingError(f"LAPTIME_HOST_APP is {name!r}; {allowed}")
    sys.path.insert(0, str(Path.cwd()))
    try:
        found: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name and not f"{module_name}.".startswith(f"{error.name}."):
            raise  # the host's own import failed: its traceback says where
        raise SettingError(
            f"LAPTIME_HOST_APP is {name!r}, but there is no module {error.name}; {allowed}"
        ) from None
    if found.__name__.partition(".")[0] == __package__:
        raise SettingError(f"LAPTIME_HOST_APP is {name!r}, which is Laptime's own package; {allowed}")
    for part in attribute.split("."):
        found = getattr(found, part, None)
    if not callable(found):
        raise SettingError(f"LAPTIME_HOST_APP is {name!r}, but {module_name} has no such callable; {allowed}")
    return cast("WSGIApplication", found)


def _commands(service: Service) -> AppGroup:
    """`flask --app wsgi laptime ...`: what is done where the service runs."""
    group = AppGroup("laptime", help="Laptime's own commands.")

    @group.command("link")
    def link() -> None:
        """Print a sign-in link that works once."""
        click.echo(service.link())

    return group
