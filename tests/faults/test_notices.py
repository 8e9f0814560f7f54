"""Notices of a real service: told once, whoever is killed, and however long the receiver is away."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil
import pytest

from app.errors import UnavailableError
from app.settings import Settings
from app.store import make_engine, notice_log, reading
from app.store.notices import Notice
from tests import postgres
from tests.journeys.loopback import eventually
from tests.journeys.service import Service

from .measured import call, leaders, measured
from .receivers import Hook, http_receiver, mail_server
from .stores import hasty
from .test_killed_leader import STEPPING, is_quiet

FAILING = 5


def told(hook: Hook | str) -> dict[str, str]:
    """The environment of a service that tells this receiver."""
    url = hook if isinstance(hook, str) else hook.url
    # A machine that runs tests is busy, and that is not what they are about.
    calm = {f"LAPTIME_ALERT_{name}_PERCENT": "100" for name in ("CPU", "MEMORY", "DISK", "CRITICAL")}
    return {"LAPTIME_NOTIFY_URLS": url, "LAPTIME_NOTIFY_PRIVATE": "on"} | calm


def outbox(service: Service, database_url: str = "") -> list[Notice]:
    """All notices that there are, oldest first; none before there is a store."""
    engine = make_engine(Settings(state_dir=service.state, database_url=database_url))
    try:
        with reading(engine) as connection:
            return list(reversed(notice_log.log(connection, 1000)))
    except UnavailableError:
        return []
    finally:
        engine.dispose()


def titles(hook: Hook) -> list[str]:
    """What was told, each notice once, in the order that it came first."""
    found = {id: str(body["title"]) for id, body in reversed(list(zip(hook.ids, hook.bodies, strict=True)))}
    return [found[id] for id in dict.fromkeys(hook.ids)]


def break_down(service: Service, tool: str) -> None:
    """Let this tool fail."""
    assert call(service, tool, FAILING).of_status(500) == FAILING


@pytest.mark.timeout(300)
def test_a_leader_killed_at_each_step_tells_each_transition_once_or_twice(
    tmp_path: Path, database_url: str
) -> None:
    taken = tmp_path / "steps"
    with http_receiver() as hook:
        env = {"DATABASE_URL": database_url, "STEPS": str(taken)} | STEPPING | told(hook)
        env |= {"STEPS_ONLY": "/jobs/(evaluate_alerts|judge|send_notices)"}
        with measured(tmp_path, workers=3, preload=True, env=env, tracebacks=True) as service:
            break_down(service, "in_view")
            eventually(lambda: is_quiet(taken), "turns without another step", within_s=150)
            eventually(lambda: outbox(service, database_url), "a notice")
            eventually(
                lambda: all(one.state == "delivered" for one in outbox(service, database_url)),
                "all to be delivered",
                within_s=30,
            )
            notices = outbox(service, database_url)
        steps = taken.read_text().splitlines()
    sent = Counter(hook.ids)
    assert sent.keys() == {one.key for one in notices}
    # each kill between a delivery and its being written down repeats one, and no other does
    repeated = sum("send_notices.py" in step and not step.startswith("subprocess") for step in steps)
    assert sum(sent.values()) <= len(notices) + repeated
    assert {"execute", "commit", "begin", "subprocess.Popen"} <= {step.split()[0] for step in steps}
    alerts = Counter(title for title in titles(hook))
    assert alerts == {"Error: in_view, Low success rate: 0.0%": 1}


def test_a_mail_server_that_was_away_gets_what_it_missed(tmp_path: Path) -> None:
    with mail_server() as mail:
        mail.refusing = lambda step, _: "451 try again later" if step == "rcpt" else None
        with hasty(tmp_path, env=told(mail.url), tracebacks=True) as service:
            break_down(service, "in_view")
            eventually(lambda: [one.tries for one in outbox(service)] > [0], "a try that fails", within_s=30)
            [notice] = outbox(service)
            assert notice.state == "waiting"
            eventually(
                lambda: (
                    outbox(service)[0].detail == "the mail server refused a receiver: 451 try again later"
                ),
                "its outcome",
            )
            mail.refusing = lambda *_: None
            eventually(lambda: mail.messages, "the mail", within_s=40)
            eventually(lambda: outbox(service)[0].state == "delivered", "its end")
    [message] = mail.messages
    assert message["Subject"] == "Error: in_view, Low success rate: 0.0%"
    text = message.get_content()
    assert "5 of 5 requests failed in 5 min." in text
    assert "Last hour" in text
    assert "Worst tools of the last hour" in text


def test_one_slow_receiver_holds_up_no_other_and_no_judging(tmp_path: Path) -> None:
    with http_receiver(*["hangs"] * 50) as slow, http_receiver() as quick:
        urls = f"{slow.url} {quick.url}"
        with hasty(tmp_path, env=told(urls), tracebacks=True) as service:
            break_down(service, "in_view")
            eventually(lambda: slow.ids and quick.ids, "both to be told", within_s=30)
            break_down(service, "answering/500")
            eventually(lambda: len(quick.ids) == 2, "the next one", within_s=30)
            assert "took longer" not in service.output()
    assert titles(quick) == [
        "Error: in_view, Low success rate: 0.0%",
        "Error: answering, Low success rate: 0.0%",
    ]


def test_two_instances_tell_once_and_go_on_when_the_one_that_tells_is_gone(
    tmp_path: Path, postgres_url: str
) -> None:
    url = postgres.new_database(postgres_url)
    with http_receiver() as hook, ExitStack() as stack:

        def instance(name: str) -> Service:
            (tmp_path / name).mkdir()
            env: dict[str, Any] = {"DATABASE_URL": url, "LAPTIME_INSTANCE": name} | told(hook)
            return stack.enter_context(hasty(tmp_path / name, env=env, tracebacks=True))

        one, two = instance("one"), instance("two")
        break_down(one, "in_view")
        eventually(lambda: hook.ids, "the notice", within_s=30)
        [leader] = leaders(one.state)
        for service in (one, two):
            call(service, "quick", 10)
        psutil.Process(leader).kill()
        one.kill()
        break_down(two, "answering/500")
        eventually(lambda: len(hook.ids) == 2, "the other one to tell", within_s=60)
        assert titles(hook) == [
            "Error: in_view, Low success rate: 0.0%",
            "Error: answering, Low success rate: 0.0%",
        ]
