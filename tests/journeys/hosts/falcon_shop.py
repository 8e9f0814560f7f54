"""The shop in Falcon, with a middleware that turns people away before there is a route."""

from pathlib import Path

import falcon
import laptime.middleware
from laptime import Monitor

STATIC = Path(__file__).parent / "static"


class Door:
    def process_request(self, req, resp):
        if req.path.startswith("/staff"):
            raise falcon.HTTPUnauthorized


class Text:
    def __init__(self, text):
        self.text = text

    def on_get(self, req, resp, **fields):
        resp.text = self.text.format(**fields)

    on_head = on_get


class Orders:
    def on_post(self, req, resp):
        resp.status, resp.text = 201, "ordered"


class Raises:
    def __init__(self, error):
        self.error = error

    def on_get(self, req, resp, **fields):
        raise self.error


class Pay:
    def on_get(self, req, resp, way):
        Monitor.name_tool(req.env, f"pay by {way}")
        resp.text = way


class Declined:
    def on_get(self, req, resp):
        Monitor.report_failure(req.env)
        resp.text = "declined"


ROUTES = {
    "/": Text("shop"),
    "/health": Text("well"),
    "/orders": Orders(),
    "/users/{id:int}": Text("user {id}"),
    "/sold/{id:int}": Raises(falcon.HTTPNotFound),
    "/refused": Raises(falcon.HTTPForbidden),
    "/fails": Raises(RuntimeError),
    "/pay/{way}": Pay(),
    "/declined": Declined(),
}


def create(kind):
    line = [laptime.middleware.Falcon()] if kind == "measured" else []
    app = falcon.App(middleware=[Door(), *line])
    for route, resource in ROUTES.items():
        app.add_route(route, resource)
    app.add_static_route("/static", STATIC)
    return app if kind == "bare" else Monitor().wrap(app)
