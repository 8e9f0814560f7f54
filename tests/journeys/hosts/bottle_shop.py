"""The shop in Bottle, with another application merged below a prefix."""

from pathlib import Path

from bottle import Bottle, HTTPResponse, abort, request, static_file
from laptime import Monitor

STATIC = Path(__file__).parent / "static"


def shop(name):
    app = Bottle()

    @app.get("/")
    def index():
        return name

    @app.get("/health")
    def health():
        return "well"

    @app.post("/orders")
    def orders():
        return HTTPResponse("ordered", 201)

    @app.get("/users/<id:int>")
    def user(id):
        return f"user {id} of {name}"

    @app.get("/sold/<id:int>")
    def sold(id):
        abort(404)

    @app.get("/refused")
    def refused():
        abort(403)

    @app.get("/fails")
    def fails():
        raise RuntimeError("the shop fails")

    @app.get("/pay/<way>")
    def pay(way):
        request.environ["laptime.tool"] = f"pay by {way}"
        return way

    @app.get("/declined")
    def declined():
        Monitor.report_failure(request.environ)
        return "declined"

    @app.get("/static/<name:path>")
    def static(name):
        return static_file(name, root=STATIC)

    return app


def create(kind):
    application = shop("shop")
    application.mount("/inner/", shop("inner"))
    return application if kind == "bare" else Monitor().wrap(application)
