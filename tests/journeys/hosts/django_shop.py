"""The shop in Django, with views of both kinds and routes of every kind; `last` puts Laptime's line last."""

from pathlib import Path

import django
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.wsgi import get_wsgi_application
from django.http import Http404, HttpResponse
from django.urls import include, path, re_path
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from django.views.static import serve
from laptime import Monitor

STATIC = Path(__file__).parent / "static"
LINE = "laptime.middleware.Django"
OTHERS = ["django.middleware.common.CommonMiddleware", "django.middleware.csrf.CsrfViewMiddleware"]
MIDDLEWARE = {"measured": [LINE, *OTHERS], "last": [*OTHERS, LINE]}


class Orders(View):
    def post(self, request, **named):
        return HttpResponse("ordered", status=201)


class User(View):
    def get(self, request, id):
        return HttpResponse(f"user {id}")


def index(request):
    return HttpResponse("shop")


def health(request):
    return HttpResponse("well")


def year(request, *found, **named):
    return HttpResponse(f"{found} {named}")


def news(request, name):
    return HttpResponse(f"news of {name}")


def sold(request, id):
    raise Http404


def refused(request):
    raise PermissionDenied


def fails(request):
    raise RuntimeError("the shop fails")


def pay(request, way):
    Monitor.name_tool(request.META, f"pay by {way}")
    return HttpResponse(way)


def declined(request):
    Monitor.report_failure(request.META)
    return HttpResponse("declined")


archive = [
    re_path(r"^(?P<year>[0-9]{4})/$", year),
    re_path(r"^([0-9]{4})/([0-9]{2})/$", year),
]
urlpatterns = [
    path("", index),
    path("health", health),
    path("orders", csrf_exempt(Orders.as_view())),
    path("guarded/<int:id>", Orders.as_view()),
    path("users/<int:id>", User.as_view()),
    path("users/<slug:name>/news/", news),
    re_path(r"^archive/", include(archive)),
    path("shops/<int:shop>/archive/", include(archive)),
    path("sold/<int:id>", sold),
    path("refused", refused),
    path("fails", fails),
    path("pay/<str:way>", pay),
    path("declined", declined),
    re_path(r"^static/(?P<path>.*)$", serve, {"document_root": STATIC}),
]


def create(kind):
    settings.configure(
        ALLOWED_HOSTS=["shop.test", "127.0.0.1"],
        LOGGING_CONFIG=None,
        MIDDLEWARE=MIDDLEWARE.get(kind, OTHERS),
        ROOT_URLCONF=__name__,
        SECRET_KEY="none",
    )
    django.setup()
    application = get_wsgi_application()
    return application if kind == "bare" else Monitor().wrap(application)
