"""Who may come in: a key or a session for every route but the few that are declared open.

Programs send the key in `X-API-Key` or as `Authorization: Bearer`. People sign in at `/dashboard/signin`
with the key or a one-time link and get a session in a cookie. `guard` is the one place that decides.
"""

from __future__ import annotations

import time

from flask import Blueprint, Flask, Response, current_app, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from ..capture.naming import TOOL, UNMATCHED
from ..errors import BadRequestError, TooManyTriesError, UnauthorizedError
from .keys import SESSION_MOST_S, Keys
from .tries import TRIES, Tries

_RENEW_S = 300
_OPEN = frozenset({"health.health", "auth.sign_in", "auth.sign_in_page", "pages.static"})
_PAGES = ("pages.", "alerts.", "settings.", "auth.", "front.")
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

blueprint = Blueprint("auth", __name__)


class Door:
    """What decides: the keys, the tries, and where people reach the service (`public_url`, "" if not said).

    By an https address, cookies go by https only. Its host is ours even where a proxy puts another into
    the Host header.
    """

    def __init__(self, keys: Keys, tries: Tries, *, public_url: str) -> None:
        self.keys = keys
        self.tries = tries
        self.https = public_url.startswith("https://")
        self.public_host = public_url.partition("://")[2].partition("/")[0].lower()

    @property
    def cookie(self) -> str:
        """The session cookie's name; the prefix binds it to this host, and only works by https."""
        return "__Host-laptime" if self.https else "laptime"


def guard(app: Flask, door: Door, *, sessions: bool) -> None:
    """Let nobody into `app` without a key; with `sessions`, a signed-in browser may come in too."""
    app.extensions["laptime.door"] = door

    @app.before_request
    def check() -> AnyResponse | None:
        if request.endpoint in _OPEN:
            return None
        if sessions and _session(door):
            if request.method not in SAFE:
                check_form(door)
            return None
        if not sessions:  # whoever is turned away calls no tool: strangers must not raise its alerts
            request.environ[TOOL] = UNMATCHED
        if _has_key(door):
            request.environ.pop(TOOL, None)
            return None
        if sessions and request.endpoint and request.endpoint.startswith(_PAGES):
            return _to_sign_in()
        raise UnauthorizedError("this needs a key in X-API-Key or as Authorization: Bearer")

    if sessions:
        app.jinja_env.globals["csrf_token"] = lambda: _form_token(door)

        @app.after_request
        def renew(response: Response) -> Response:
            return _renew(door, response)


def need_admin() -> None:
    """Ask whether this request may change what all share; the one place where scopes will be told apart.

    There is one key, which may do everything, and so may who signed in with it.
    """


def check_form(door: Door) -> None:
    """Refuse a change that another site sends. Raises BadRequestError."""
    check_origin(door)
    token = request.form.get("csrf_token", "") or request.headers.get("X-CSRF-Token", "")
    if not door.keys.is_form_token(token, _session_id()):
        raise BadRequestError("the form is out of date; load the page again and send it once more")


def check_origin(door: Door) -> None:
    """Refuse what a browser says another site sent. Raises BadRequestError."""
    origin = request.headers.get("Origin")
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    if site not in ("same-origin", "none"):
        raise BadRequestError("another site sent this form")
    # An origin is scheme://host and nothing more (RFC 6454, section 6.2), or the word null.
    if origin is not None and origin.partition("://")[2].lower() not in _hosts(door):
        raise BadRequestError(
            "another site sent this form; behind a proxy that changes the Host header, set LAPTIME_PUBLIC_URL"
        )


@blueprint.get("/signin")
def sign_in_page() -> str:
    """The sign-in page; with `?link=` the page that uses a one-time link up (a GET changes nothing)."""
    link = request.args.get("link", "")
    state = "out" if "out" in request.args else "start"
    if link:
        state = "link" if _door().keys.is_link(link, time.time()) else "expired"
    return _page(state, link_token=link)


@blueprint.post("/signin")
def sign_in() -> AnyResponse:
    """Sign in by the form's `key` or `link`; a wrong one is told the same whatever is wrong with it."""
    door, now_s = _door(), time.time()
    check_origin(door)
    link, key = request.form.get("link", ""), request.form.get("key", "")
    accepted = door.keys.use_link(link, now_s) if link else door.keys.is_key(key.strip())
    if accepted:
        response = redirect(_next_url(), 303)
        _set_cookie(door, response, door.keys.new_session(now_s))
        return response
    if link:
        return Response(_page("expired"), 401)
    address = request.remote_addr or ""
    try:
        door.tries.wrong(address, now_s)
    except TooManyTriesError as error:
        page = _page("limit", retry_at_s=now_s + error.retry_after_s)
        return Response(page, 429, {"Retry-After": str(error.retry_after_s)})
    return Response(_page("wrong", tries_left=door.tries.left(address, now_s)), 401)


@blueprint.post("/signout")
def sign_out() -> AnyResponse:
    """End this browser's session."""
    door = _door()
    response = redirect(url_for("auth.sign_in_page", out=""), 303)
    response.delete_cookie(door.cookie, path="/", secure=door.https, httponly=True, samesite="Lax")
    g.pop("session", None)  # or it would be renewed on the way out
    return response


def _page(state: str, **context: object) -> str:
    defaults: dict[str, object] = {"link_token": "", "retry_at_s": None, "tries_left": TRIES}
    return render_template(
        "signin.html", state=state, host=request.host, next_url=_next_url(), **(defaults | context)
    )


def _door() -> Door:
    door: Door = current_app.extensions["laptime.door"]
    return door


def _hosts(door: Door) -> set[str]:
    return {host for host in (request.host.lower(), door.public_host) if host}


def _form_token(door: Door) -> str:
    """One for all forms of a page."""
    if "form_token" not in g:
        g.form_token = door.keys.form_token(_session_id())
    token: str = g.form_token
    return token


def _session_id() -> str:
    return g.session.id if "session" in g else ""


def _session(door: Door) -> bool:
    value = request.cookies.get(door.cookie, "")
    session = door.keys.session(value, time.time()) if value else None
    if session is None:
        return False
    g.session = session
    return True


def _has_key(door: Door) -> bool:
    bearer = request.headers.get("Authorization", "")
    given = request.headers.get("X-API-Key", "")
    if not given and bearer[:7].lower() == "bearer ":
        given = bearer[7:].strip()
    if not given:
        return False
    if not door.keys.is_key(given):
        door.tries.wrong(request.remote_addr or "", time.time())
        raise UnauthorizedError("the key is not known")
    return True


def _to_sign_in() -> AnyResponse:
    if request.headers.get("HX-Request"):  # a fragment can't show a page: the script goes there itself
        raise UnauthorizedError("the session is over; sign in again")
    back = request.full_path.rstrip("?") if request.method in SAFE else None
    return redirect(url_for("auth.sign_in_page", next=back), 303)


def _next_url() -> str:
    """Where to go after signing in: a page of ours, never another site."""
    wanted = request.values.get("next", "")
    home = url_for("pages.overview")
    is_ours = wanted.partition("?")[0] == home or wanted.startswith(f"{home}/")
    return wanted if is_ours and "\\" not in wanted and wanted.isprintable() else home


def _renew(door: Door, response: Response) -> Response:
    """Keep a session that is in use alive; its end after SESSION_MOST_S stays."""
    now_s = time.time()
    if "session" in g and now_s - g.session.made_s > _RENEW_S:
        _set_cookie(door, response, door.keys.new_session(now_s, g.session))
    return response


def _set_cookie(door: Door, response: AnyResponse, value: str) -> None:
    response.set_cookie(
        door.cookie,
        value,
        max_age=SESSION_MOST_S,
        path="/",
        secure=door.https,
        httponly=True,
        samesite="Lax",
    )
