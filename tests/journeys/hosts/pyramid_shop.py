"""The shop in Pyramid, with included routes, and a resource tree for what is not a route."""

from pathlib import Path

from laptime import Monitor
from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPForbidden, HTTPNotFound, HTTPSeeOther
from pyramid.response import Response

STATIC = Path(__file__).parent / "static"


class Shelf(dict):
    """A resource that traversal finds."""


def text(form):
    return lambda request: Response(form.format(**request.matchdict), content_type="text/plain")


def raises(error):
    def view(request):
        raise error

    return view


def orders(request):
    return Response("ordered", 201)


def pay(request):
    Monitor.name_tool(request.environ, "pay by " + request.matchdict["way"])
    return Response(request.matchdict["way"])


def declined(request):
    Monitor.report_failure(request.environ)
    return Response("declined")


VIEWS = {
    "/": (text("shop"), "GET"),
    "/health": (text("well"), "GET"),
    "/orders": (orders, "POST"),
    r"/users/{id:\d+}": (text("user {id}"), ("GET", "HEAD")),
    "/users/{name}/news/": (text("news of {name}"), "GET"),
    "/sold/{id}": (raises(HTTPNotFound), "GET"),
    "/refused": (raises(HTTPForbidden), "GET"),
    "/fails": (raises(RuntimeError), "GET"),
    "/pay/{way}": (pay, "GET"),
    "/declined": (declined, "GET"),
}


def inner(config):
    config.add_route("inner user", "/users/{id}")
    config.add_view(text("inner user {id}"), route_name="inner user")


def create(kind):
    with Configurator(root_factory=lambda request: Shelf(books=Shelf())) as config:
        if kind == "measured":
            config.add_tween("laptime.middleware.pyramid")
        config.add_static_view("static", str(STATIC))
        config.include(inner, route_prefix="/inner")
        for route, (view, method) in VIEWS.items():
            config.add_route(route, route, request_method=method)
            config.add_view(view, route_name=route)
        config.add_view(lambda request: Response("a shelf"), context=Shelf)
        config.add_view(lambda request: HTTPSeeOther("/"), context=Shelf, name="move")
        config.add_notfound_view(lambda request: HTTPNotFound(), append_slash=True)
        application = config.make_wsgi_app()
    return application if kind == "bare" else Monitor().wrap(application)
