"""What gunicorn serves while memory is measured: 100 tools, measured, or plain with some modules imported.

It tells which worker answers (`X-Worker`) and, at `/modules`, what that one has imported. Nothing of `app`
is imported here: a bare worker has none of it.
"""

from __future__ import annotations

import importlib
import json
import os
import random
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from .variants import App, flask_app, laptime

TOOLS = 100
_OURS = frozenset({"app", "tests", "__main__"})


def application() -> App:
    """The kind that the environment names, its state below the folder that it names."""
    kind, folder = os.environ["BENCH"].split("|")
    app = flask_app(TOOLS, _work)
    if kind == "plain":
        for name in json.loads((Path(folder) / "modules").read_text()):
            with suppress(ImportError):  # a module that another makes up while it runs
                importlib.import_module(name)
    return _Telling(laptime(app.wsgi_app, Path(folder)) if kind == "measured" else app.wsgi_app)


def _work() -> None:
    time.sleep(random.lognormvariate(-6, 1))  # 2.5 ms in the median, 13 ms in the 95th percentile


class _Telling:
    def __init__(self, app: App) -> None:
        self.app = app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            return start_response(status, [*headers, ("X-Worker", str(os.getpid()))], exc_info)

        if environ["PATH_INFO"] == "/modules":
            start("200 OK", [])
            names = [name for name in sys.modules if name.partition(".")[0] not in _OURS]
            return [json.dumps(names).encode()]
        return self.app(environ, start)
