"""The shop in Flask, with another Flask application mounted below it; `mounted` measures that one alone."""

from flask import Flask, abort, render_template, request
from flask.views import MethodView
from laptime import Monitor
from werkzeug.middleware.dispatcher import DispatcherMiddleware

monitor = Monitor()


class Orders(MethodView):
    def post(self):
        return "ordered", 201


def shop(name):
    app = Flask(__name__)
    app.add_url_rule("/orders", view_func=Orders.as_view("orders"))

    @app.get("/")
    def index():
        return render_template("base.html", title=name)

    @app.get("/health")
    def health():
        return "well"

    @app.get("/users/<int:id>")
    def user(id):
        return f"user {id} of {name}"

    @app.get("/users/<name>/news/")
    def news(name):
        return f"news of {name}"

    @app.get("/sold/<int:id>")
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
        Monitor.name_tool(request.environ, f"pay by {way}")
        return way

    @app.get("/declined")
    def declined():
        Monitor.report_failure(request.environ)
        return "declined"

    return app


def create(kind):
    app, inner = shop("shop"), shop("inner")
    if kind == "mounted":
        inner.wsgi_app = monitor.wrap(inner.wsgi_app)
    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/inner": inner})
    if kind == "measured":
        app.wsgi_app = monitor.wrap(app.wsgi_app)
    return app
