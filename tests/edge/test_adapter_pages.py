"""The adapters' pages and the commands that ask a running hub, on a whole product."""

from __future__ import annotations

import json
import sqlite3
import tomllib
import urllib.error
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from deskhub.cli import app
from tests.support.desk import Desk, call, desk, until

pytestmark = pytest.mark.timeout(240)
Run = Callable[..., Result]


@pytest.fixture(scope="module")
def product() -> Iterator[Desk]:
    with desk() as running:
        running.adapters_ready(running.sign_in("admin"))
        yield running


@pytest.fixture(scope="module")
def admin(product: Desk) -> str:
    return product.sign_in("admin")


@pytest.fixture(scope="module")
def deskhub(product: Desk) -> Run:
    """Run a command as an operator would: with an API token, on the hub's own file."""
    config = str(product.folder / "hub.toml")
    made = CliRunner().invoke(
        app, ["token", "new", "t", "--scope", "adapters.admin", "-c", config]
    )

    def run(*arguments: object, token: str = made.stdout.strip()) -> Result:
        result = CliRunner().invoke(
            app, [*map(str, arguments), "-c", config], env={"DESKHUB_TOKEN": token}
        )
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


def refused(code: str, *arguments: Any, **more: Any) -> dict[str, Any]:
    with pytest.raises(urllib.error.HTTPError) as caught:
        call(*arguments, **more)
    problem = json.loads(caught.value.read())
    assert problem["code"] == code, problem
    return problem


def put(product: Desk, admin: str, instance: str, wanted: dict[str, Any]) -> Any:
    """Preview *wanted* and make it, as the console does."""
    path = f"{product.api}/api/v1/adapters/{instance}/settings"
    shown = call("POST", f"{path}/preview", wanted, token=admin)
    return shown, call("PUT", path, {**wanted, "digest": shown["digest"]}, token=admin)


def secrets_of(product: Desk) -> list[str]:
    return [one.read_text() for one in (product.folder / "secrets").iterdir()]


def test_a_page_says_what_runs_and_how_it_felt(product: Desk, admin: str) -> None:
    page = product.get("/api/v1/adapters/orders", admin)

    assert (page["state"], page["isolation"]) == ("ready", "inline")
    assert page["samples"][0].keys() == {"at", "calls", "errors", "p95_ms", "state"}
    assert "get_orders" in page["methods"]
    assert page["breaker"] == "closed"
    assert page["net"] == ["{config.base_url}"]


def test_switched_off_and_on_again_with_the_difference_shown(product: Desk, admin: str) -> None:
    before = (product.folder / "hub.toml").read_text()

    shown, done = put(product, admin, "crm", {"enabled": False})

    assert "+enabled = false" in shown["diff"]
    assert shown["changes"] == ["adapters.crm ends its calls and stops: it is switched off."]
    assert done["done"] == shown["changes"]
    assert product.get("/api/v1/adapters/crm", admin)["state"] == "disabled"
    after = (product.folder / "hub.toml").read_text()
    assert after.replace("enabled = false\n", "") == before

    put(product, admin, "crm", {"enabled": True})
    until(lambda: product.get("/api/v1/adapters/crm", admin)["state"] == "ready", "crm is back")


def test_the_form_shows_where_secrets_stand_and_never_what_they_are(
    product: Desk, admin: str
) -> None:
    form = product.get("/api/v1/adapters/orders/settings", admin)

    fields = {one["name"]: one for one in form["settings"]}
    assert fields["token"]["value"] == {"file": "secrets/token"}
    assert fields["base_url"]["value"] == product.shop
    assert (fields["base_url"]["required"], fields["token"]["secret"]) == (True, True)
    assert form["read_only"] == ""
    assert not any(one in json.dumps(form) for one in secrets_of(product))


@pytest.mark.parametrize(
    "value", ["hunter2hunter2", {"file": "/etc/passwd"}, {"env": "DESKHUB_KEK"}]
)
def test_a_secret_in_clear_or_from_any_file_is_refused(
    product: Desk, admin: str, value: object
) -> None:
    path = f"{product.api}/api/v1/adapters/crm/settings"

    problem = refused("invalid", "PUT", path, {"config": {"token": value}}, token=admin)

    assert problem["errors"][0]["path"] == "config.token"
    assert "hunter2" not in json.dumps(problem)


def test_a_setting_that_cannot_be_is_refused_with_its_place(product: Desk, admin: str) -> None:
    path = f"{product.api}/api/v1/adapters/crm/settings"
    before = (product.folder / "hub.toml").read_text()

    problem = refused(
        "config_refused", "PUT", path, {"config": {"profile_ttl_s": "soon"}}, token=admin
    )
    stale = refused(
        "config_not_editable", "PUT", path, {"enabled": False, "digest": "x"}, token=admin
    )

    assert [one["code"] for one in problem["errors"]] == ["DH202"]
    assert stale["status"] == 409
    assert (product.folder / "hub.toml").read_text() == before


def tried(product: Desk, admin: str, instance: str, **config: Any) -> dict[str, Any]:
    path = f"{product.api}/api/v1/adapters/{instance}/settings/check"
    found: dict[str, Any] = call("POST", path, {"config": config}, token=admin)
    return found


def test_settings_are_tried_before_they_are_saved(product: Desk, admin: str) -> None:
    before = (product.folder / "hub.toml").read_text()
    page = product.get("/api/v1/adapters/crm", admin)

    good = tried(product, admin, "crm", token="", profile_ttl_s=90)
    away = tried(product, admin, "crm", base_url="http://127.0.0.1:9")
    wrong = tried(product, admin, "crm", profile_ttl_s="soon", colour="red")

    assert (good["ok"], good["code"], "limits" in good["layers"]) == (True, "", True)
    assert (away["ok"], away["code"]) == (False, "DH411")
    assert "Check its address" in away["fix"]
    assert sorted(one["code"] for one in wrong["faults"]) == ["DH202", "DH203"]
    assert (product.folder / "hub.toml").read_text() == before
    assert product.get("/api/v1/adapters/crm", admin)["since"] == page["since"]
    assert not list((product.folder / "data" / "workers").glob("~trial*"))
    assert not any(one in json.dumps([good, away, wrong]) for one in secrets_of(product))


def test_a_trial_takes_no_secret_in_clear_and_names_what_was_tried(
    product: Desk, admin: str
) -> None:
    path = f"{product.api}/api/v1/adapters/crm/settings/check"

    refused("invalid", "POST", path, {"config": {"token": "hunter2hunter2"}}, token=admin)
    tried(product, admin, "crm", profile_ttl_s=91)

    with closing(sqlite3.connect(product.folder / "data" / "deskhub.db")) as db:
        query = "SELECT object, data FROM audit WHERE what = 'adapter.tried' ORDER BY seq DESC"
        object_, data = db.execute(query).fetchone()
    assert (object_, json.loads(data)) == ("adapter:crm", {"settings": ["profile_ttl_s"]})


def test_a_refused_secret_is_told_as_that(product: Desk, admin: str) -> None:
    product.fault("crm", kind="401", match="*", times=0)
    try:
        found = tried(product, admin, "crm")
    finally:
        call("DELETE", f"{product.systems['crm'].url}/_sim/faults")

    assert (found["ok"], found["code"]) == (False, "DH412")


def test_the_command_tries_settings_and_writes_nothing(deskhub: Run, product: Desk) -> None:
    before = (product.folder / "hub.toml").read_text()

    good = deskhub("adapter", "check", "crm", "profile_ttl_s=90")
    away = deskhub("adapter", "check", "crm", "base_url=http://127.0.0.1:9", "--json")
    wrong = deskhub("adapter", "check", "crm", "colour=red")

    assert (good.exit_code, "nothing was written" in good.stdout) == (0, True), good.output
    assert (away.exit_code, json.loads(away.stdout)["error"]["code"]) == (6, "DH411")
    assert (wrong.exit_code, "DH203" in wrong.stderr) == (3, True)
    assert (product.folder / "hub.toml").read_text() == before


def test_what_is_installed_is_offered_with_what_it_asks_for(product: Desk, admin: str) -> None:
    offers = {one["id"]: one for one in product.get("/api/v1/market", admin)["offers"]}

    assert offers["orders"]["instances"] == ["orders"]
    assert offers["crm"]["package"] == "deskhub-crm"
    assert "customer.email" in offers["crm"]["reads"]


def test_what_is_wrong_is_on_the_repairs_page_until_it_is_mended(
    product: Desk, admin: str
) -> None:
    file = product.folder / "hub.toml"
    good = file.read_text()
    assert product.get("/api/v1/repairs", admin)["repairs"] == []

    file.write_text(good + "\n[adapters.crm2]\nuse = 'crmm'\n")
    until(lambda: product.get("/api/v1/repairs", admin)["repairs"], "the mistake is told")
    (repair,) = product.get("/api/v1/repairs", admin)["repairs"]
    file.write_text(good)
    until(lambda: not product.get("/api/v1/repairs", admin)["repairs"], "it is mended")

    assert (repair["severity"], repair["code"], repair["remedy"]) == (
        "critical",
        "DH201",
        "file",
    )
    assert "last good hub.toml" in repair["who"]
    assert "crm" in repair["fix"]


def test_a_system_that_is_away_is_told_with_whom_it_affects(product: Desk, admin: str) -> None:
    product.fault("tickets", kind="500", match="*", times=0)
    try:
        product.post("/api/v1/adapters/tickets/test", {}, admin)
        until(lambda: product.get("/api/v1/repairs", admin)["repairs"], "it is told")
        (repair,) = product.get("/api/v1/repairs", admin)["repairs"]
    finally:
        call("DELETE", f"{product.systems['tickets'].url}/_sim/faults")

    assert (repair["instance"], repair["severity"]) == ("tickets", "warning")
    assert "Agents see no cards of Tickets." in repair["who"]
    product.post("/api/v1/adapters/tickets/test", {}, admin)
    until(lambda: not product.get("/api/v1/repairs", admin)["repairs"], "it is mended")


def test_diagnostics_hold_much_and_no_secret(product: Desk, admin: str) -> None:
    told = json.dumps(product.get("/api/v1/adapters/orders/diagnostics", admin))

    assert '"secrets/token"' not in told
    assert not any(one in told for one in secrets_of(product))
    assert '"samples"' in told
    assert '"logs"' in told


def test_nobody_but_an_admin_changes_anything(product: Desk) -> None:
    agent = product.sign_in("agent")

    for method, path in (
        ("GET", "orders/logs"), ("GET", "orders/settings"), ("PUT", "orders/settings"),
        ("POST", "orders/test"), ("POST", "orders/events"),
    ):  # fmt: skip
        body = {"kind": "k", "object": "o"} if path.endswith("events") else {}
        refused("forbidden", method, f"{product.api}/api/v1/adapters/{path}",
                body if method != "GET" else None, token=agent)  # fmt: skip


def test_health_asks_every_far_side(deskhub: Run) -> None:
    one = deskhub("adapter", "health", "orders")
    every = deskhub("adapter", "health", "--json")

    assert one.exit_code == 0, one.output
    assert one.stdout.splitlines()[1].split()[:2] == ["orders", "ready"]
    assert all(found["ok"] for found in json.loads(every.stdout)["data"].values())


def test_a_read_goes_through_the_adapter(deskhub: Run) -> None:
    found = deskhub("adapter", "call", "orders.get_orders", "1001", "nowhere", "--json")
    unknown = deskhub("adapter", "call", "orders.delete_orders", "1001")

    assert found.exit_code == 0, found.output
    assert list(json.loads(found.stdout)["data"]) == ["1001"]
    assert unknown.exit_code == 4


def test_an_event_is_made_and_seen(deskhub: Run) -> None:
    made = deskhub(
        "event", "trigger", "order.shipped", "--id", "1042", "--instance", "orders", "--json"
    )
    event = json.loads(made.stdout)["data"]["id"]

    def settled() -> bool:
        events = json.loads(deskhub("event", "tail", "orders", "--json").stdout)["data"]
        return any(one["id"] == event and one["state"] != "pending" for one in events)

    until(settled, "the event was routed")
    replayed = deskhub("event", "replay", "orders")
    missing = deskhub("event", "replay", "orders", event)

    assert "order.shipped" in deskhub("event", "tail", "orders").stdout
    assert (replayed.exit_code, replayed.stderr) == (0, "nothing to do\n")
    assert missing.exit_code == 4


def test_logs_and_reconnect(deskhub: Run, product: Desk, admin: str) -> None:
    again = deskhub("adapter", "reconnect", "erp")
    until(lambda: product.get("/api/v1/adapters/erp", admin)["state"] == "ready", "erp is back")
    logs = deskhub("adapter", "logs", "erp", "--json")

    assert again.exit_code == 0, again.output
    assert json.loads(logs.stdout)["ok"] is True


def test_a_plan_is_shown_and_nothing_changes(deskhub: Run, product: Desk) -> None:
    new = product.folder / "new.toml"
    text = (product.folder / "hub.toml").read_text()
    new.write_text(text.replace("[adapters.erp]\n", "[adapters.erp]\nenabled = false\n"))

    other = deskhub("config", "plan", new, "--json")
    asked = deskhub("config", "plan")

    assert json.loads(other.stdout)["data"] == [
        {"kind": "remove", "where": "adapters.erp", "why": "it is switched off"}
    ]
    assert (asked.exit_code, asked.stderr) == (0, "nothing to do\n")
    assert "enabled" not in tomllib.loads(text)["adapters"]["erp"]


@pytest.mark.parametrize(
    ("token", "code", "exit_code"), [("", "DH164", 5), ("dhk_x", "DH165", 5)]
)
def test_who_is_not_known_gets_nothing(
    deskhub: Run, token: str, code: str, exit_code: int
) -> None:
    result = deskhub("adapter", "health", token=token)

    assert (result.exit_code, code in result.stderr) == (exit_code, True)


def test_a_token_without_the_scope_is_told_so(deskhub: Run) -> None:
    reader = deskhub("token", "new", "r", "--scope", "adapters.read").stdout.strip()

    result = deskhub("adapter", "logs", "orders", token=reader)

    assert (result.exit_code, "DH166" in result.stderr) == (5, True)


def test_an_adapter_that_is_not_there_and_a_hub_that_is_not(deskhub: Run) -> None:
    missing = deskhub("adapter", "logs", "nowhere")
    away = deskhub("adapter", "health", "--url", "http://127.0.0.1:9")

    assert (missing.exit_code, "unknown_instance" in missing.stderr) == (4, True)
    assert (away.exit_code, "DH158" in away.stderr) == (6, True)
