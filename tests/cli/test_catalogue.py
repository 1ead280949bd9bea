"""The thirty mistakes of set-up and of adapters: each told with code, place, cause and cure.

Every one is printed in at most eight lines, names what was probably meant, repeats no secret,
and has its page.
"""

from __future__ import annotations

import json
import re
import socket
import sqlite3
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from deskhub.clock import SystemClock
from deskhub.config import load
from deskhub.edge import problems
from deskhub.errors import CATALOGUE
from deskhub.host import discovery
from deskhub.host.asked import code_of
from deskhub.host.elsewhere import installed_in
from deskhub.host.guard import Guard
from deskhub.host.reload import Status
from deskhub.host.repairs import repairs
from deskhub.host.running import Running
from deskhub_sdk.testing.kit.run import RULES
from tests.docs.blocks import ROOT
from tests.support.desk import free_port

PAGE = (ROOT / "docs/reference/errors.md").read_text(encoding="utf-8")
SECRET = "hunter2hunter2hunter2"
CRM = '[adapters.crm]\n[adapters.crm.config]\nbase_url = "https://crm.example"\n{more}\n'

# By number: the text of hub.toml, the code, its line, and words of the message.
IN_THE_FILE: dict[int, tuple[str, str, int, list[str]]] = {
    1: ("[hub\n", "DH101", 1, ["hub.toml:1:5", "expected", "brackets and quotes"]),
    2: ("[hub]\n[sever]\n", "DH102", 2, ["unknown table [sever]", "known: ", "remove it"]),
    3: ("[hub]\nlitsen = 'x:1'\n", "DH103", 2, ["unknown key 'litsen'", "did you mean 'listen'?"]),
    4: ('[adapters.crm]\nenabled = "true"\n', "DH104", 2,
        ["got 'true'", "booleans have no quotes", "write: enabled = true"]),
    5: ('[adapters.x]\nuse = "ordesr"\n', "DH201", 2,
        ["'ordesr' is not installed", "installed in this environment: ", "Did you mean 'orders'?"]),
    6: ("[adapters.crm]\n[adapters.crm.config]\nbase_url = 42\ntoken = { file = 't' }\n",
        "DH202", 3, ["'base_url' does not fit", "valid string", 'write it in "double quotes"']),
    7: (CRM.format(more="token = { file = 't' }\ntokn = 1"), "DH203", 5,
        ["there is no setting 'tokn'", "its settings are: base_url, token", "Did you mean 'token'?"]),
    8: (CRM.format(more=""), "DH204", 2, ["'token' is missing", "add token = …"]),
    9: (CRM.format(more=f'token = "{SECRET}"'), "DH301", 4,
        ["'token' is a secret and stands in plain text", "backed up", '{ env = "TOKEN" }']),
    10: (CRM.format(more='token = { env = "SURELY_NOT_SET_4" }'), "DH302", 4,
         ["SURELY_NOT_SET_4 is not set", "server's own environment", "use { file = … }"]),
}  # fmt: skip


def sound(message: str, code: str, *words: str) -> None:
    """Assert that *message* is as every message is."""
    lines = message.strip().splitlines()
    assert len(lines) <= 8, message
    assert lines[0].startswith(f"error[{code}]: "), message
    assert lines[-1] == f"    = more: deskhub explain {code}", message
    for word in words:
        assert word in message, (word, message)
    assert SECRET not in message
    assert "Traceback" not in message
    assert f"### {code}\n" in PAGE or f"| `{code}` |" in PAGE, f"{code} has no page"


@pytest.mark.parametrize("number", IN_THE_FILE)
def test_a_mistake_in_the_file(
    number: int, hub_toml: Callable[[str], Path], tmp_path: Path, deskhub: Any
) -> None:
    text, code, line, words = IN_THE_FILE[number]
    (tmp_path / "t").write_text(SECRET)
    path = hub_toml(text)

    plain = deskhub("config", "check", "-c", path)
    told = json.loads(deskhub("config", "check", "--json", "-c", path).stdout)

    message, _ = plain.stderr.strip().split("\n\n")
    assert plain.exit_code == 3
    sound(message, code, f"  --> hub.toml:{line}:", *words)
    assert (told["error"]["code"], told["error"]["line"]) == (code, line)


def test_11_an_adapter_in_another_environment(
    hub_toml: Callable[[str], Path],
    tmp_path: Path,
    deskhub: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    info = tmp_path / "venv/lib/python3.11/site-packages/acme_orders-0.1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-orders\nVersion: 0.1\n")
    (info / "entry_points.txt").write_text(
        "[deskhub.adapters]\nacme-orders = acme_orders:Acme\n"
    )
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "venv"))

    result = deskhub("config", "check", "-c", hub_toml("[adapters.acme-orders]\n"))

    assert result.exit_code == 3
    message, _ = result.stderr.strip().split("\n\n")
    sound(message, "DH205", "hub.toml:1:", "another Python", str(info.parent), sys.prefix,
          f"{sys.executable} -m pip install")  # fmt: skip
    assert installed_in("surely-not-there") is None


MODULE = """
from deskhub_sdk import Adapter, Config, Meta, hookimpl
class Acme(Adapter[Config]):
    meta = Meta(id="acme", name="Acme", sdk="{sdk}")
    @hookimpl
    {hook}
"""
FINE = "async def conversation_cards(self, customer): return []"

# By number: the module, its entry point, the code, and words of the message.
IN_THE_ADAPTER: dict[int, tuple[str, str, str, list[str]]] = {
    12: (MODULE.format(sdk=">=1.0", hook=FINE), "acme_x:Plugin", "DH501",
         ["points nowhere", "acme = acme_x:Plugin", "pyproject.toml"]),
    13: ("import os\nimport zeep\n", "acme_x:Acme", "DH502",
         ["No module named 'zeep'", "acme_x.py:2"]),
    14: (MODULE.format(sdk=">=1.0", hook="async def conversation_crads(self): return []"),
         "acme_x:Acme", "DH503", ["conversation_crads", "acme_x.py", "'conversation_cards'"]),
    15: (MODULE.format(sdk=">=1.0", hook="async def conversation_cards(self, order): return []"),
         "acme_x:Acme", "DH504", ["order", "acme_x.py", "customer"]),
    18: (MODULE.format(sdk=">=2.0,<3", hook=FINE), "acme_x:Acme", "DH210",
         ["needs SDK >=2.0,<3", "this hub has SDK 1.", "release"]),
}  # fmt: skip


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Let adapters be installed: as entry points to a module in a folder of its own."""
    monkeypatch.syspath_prepend(tmp_path)

    def install(source: str, *values: str) -> None:
        (tmp_path / "acme_x.py").write_text(source)
        points = [EntryPoint("acme", value, discovery.GROUP) for value in values]
        monkeypatch.setattr(discovery, "entry_points", lambda **_: points)

    yield install
    sys.modules.pop("acme_x", None)


@pytest.mark.parametrize("number", IN_THE_ADAPTER)
def test_a_mistake_in_an_adapter_sets_that_one_aside(
    number: int, hub_toml: Callable[[str], Path], deskhub: Any, acme: Callable[..., None]
) -> None:
    source, value, code, words = IN_THE_ADAPTER[number]
    acme(source, value)
    path = hub_toml("[hub]\n[adapters.acme]\n")

    listed = deskhub("adapter", "list", "--json", "-c", path)
    shown = deskhub("adapter", "list", "-c", path)
    started = deskhub("config", "check", "-c", path)

    (problem,) = json.loads(listed.stdout)["data"][0]["problems"]
    assert (problem["code"], problem["line"]) == (code, 2)
    for word in words:
        assert word in json.dumps(problem), (word, problem)
    assert problem["fix"]
    assert code in shown.stdout
    assert f"### {code}\n" in PAGE
    # Its mistake is not the file's: the hub would start without it.
    assert started.exit_code == 0


def test_17_two_packages_offer_one_adapter(
    hub_toml: Callable[[str], Path],
    deskhub: Any,
    acme: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    acme(MODULE.format(sdk=">=1.0", hook=FINE), "acme_x:Acme")
    monkeypatch.setattr(discovery, "packages_of", lambda _: ["acme", "shopify"])

    listed = deskhub("adapter", "list", "--json", "-c", hub_toml("[adapters.acme]\n"))

    (problem,) = json.loads(listed.stdout)["data"][0]["problems"]
    assert problem["code"] == "DH506"
    assert "2 packages offer 'acme'" in problem["what"]
    assert "acme, shopify" in problem["why"]
    assert "pip uninstall shopify" in problem["fix"]
    assert "### DH506\n" in PAGE


CARD = {"id": "order:1", "title": "Order", "blocks": [{"type": "fields", "fields": []}]}
# By number: the field, its code and line, and words of the message.
IN_A_CARD: dict[int, tuple[dict[str, Any], str, int, list[str]]] = {
    19: ({"label": "Sent", "value": {"time": "2026-11-18T09:12:00"}}, "DH520", 11,
         ["$.blocks[0].fields[0].value.time", "timezone", "datetime.now(UTC)"]),
    20: ({"label": "Paid", "value": {"money": 428.0, "currency": "CNY"}}, "DH521", 11,
         ["$.blocks[0].fields[0].value.money", "a float loses cents", '"money": "428.00"']),
    21: ({"label": "API token", "value": "hidden"}, "DH522", 9,
         ["looks like a credential", "SecretStr"]),
}  # fmt: skip


@pytest.mark.parametrize("number", IN_A_CARD)
def test_a_mistake_in_a_card(number: int, tmp_path: Path, deskhub: Any) -> None:
    field, code, line, words = IN_A_CARD[number]
    file = tmp_path / "order.json"
    card = {**CARD, "blocks": [{"type": "fields", "fields": [field]}]}
    file.write_text(json.dumps(card, indent=1))

    plain = deskhub("card", "check", file)
    told = json.loads(deskhub("card", "check", file, "--json").stdout)["error"]

    assert plain.exit_code == 8
    sound(plain.stderr, code, f"  --> order.json:{line}", *words)
    assert (told["code"], told["line"]) == (code, line)


def test_a_good_card_is_checked_and_read_out(tmp_path: Path, deskhub: Any) -> None:
    file = tmp_path / "order.json"
    fields = [{"label": "Paid", "value": {"money": "428.00", "currency": "CNY"}}]
    file.write_text(json.dumps({**CARD, "blocks": [{"type": "fields", "fields": fields}]}))

    assert deskhub("card", "check", file).exit_code == 0
    assert deskhub("card", "preview", file).stdout == "Order\n  Paid: 428.00 CNY\n"
    assert deskhub("card", "check", tmp_path / "nowhere.json").exit_code == 4


# tests/kit has a bad adapter for each rule, caught with file and line; here is what each is called.
@pytest.mark.parametrize(
    ("number", "rule", "code"),
    [(16, "never-blocks", "DH505"), (22, "batching", "DH530"), (23, "once", "DH531"),
     (23, "undo", "DH532")],
)  # fmt: skip
def test_a_broken_rule_has_a_code(number: int, rule: str, code: str, deskhub: Any) -> None:
    (found,) = [one for one in RULES if one.id == rule]

    assert found.code == code, number
    explained = deskhub("explain", code)
    assert explained.exit_code == 0
    assert f"### {code}\n" in PAGE


def running(**told: Any) -> Running:
    clock = SystemClock()
    return Running("erp", "main", use="erp", clock=clock, guard=Guard(clock.monotonic), **told)


def test_24_webhooks_with_a_wrong_signature_are_a_repair() -> None:
    now = SystemClock().now()

    found = repairs([running()], Status(now), [], [], {"erp": (14, now)})

    assert [(one.code, one.remedy) for one in found] == [("DH601", "settings")]
    assert "14 webhooks of erp were refused: the signature does not match." in found[0].what
    assert "secret on both sides" in found[0].fix
    assert "### DH601\n" in PAGE


@pytest.mark.parametrize(
    ("number", "code", "words"),
    [(25, "DH701", "Start again from the sign-in page"), (25, "DH702", "[auth.roles]"),
     (26, "DH801", "Add its origin to the inbox")],
)  # fmt: skip
def test_what_a_browser_is_told(number: int, code: str, words: str, deskhub: Any) -> None:
    answer = json.loads(problems.response_of(CATALOGUE[code](), "r_1").body)

    assert answer["code"] == code, number
    assert words in answer["detail"]
    assert deskhub("explain", code).exit_code == 0
    assert f"### {code}\n" in PAGE


def test_27_the_port_is_in_use(hub_toml: Callable[[str], Path], deskhub: Any) -> None:
    with socket.create_server(("127.0.0.1", free_port())) as other:
        port = other.getsockname()[1]
        path = hub_toml(f'[hub]\nlisten = "127.0.0.1:{port}"\n')

        result = deskhub("serve", "-c", path)

    assert result.exit_code == 7
    sound(
        result.stderr[result.stderr.index("error[") :],
        "DH110",
        f"127.0.0.1:{port}",
        "--listen 127.0.0.1:8701",
    )


def test_28_the_database_is_newer(hub_toml: Callable[[str], Path], deskhub: Any) -> None:
    path = hub_toml(f'[hub]\nlisten = "127.0.0.1:{free_port()}"\n')
    deskhub("user", "add", "a@example.com", "-c", path, given="a long passphrase\n")
    with sqlite3.connect(load(path).data_dir / "deskhub.db") as db:
        db.execute("UPDATE schema_version SET version = 99, compat = 98")
    db.close()

    result = deskhub("migrate", "up", "-c", path)

    assert result.exit_code == 11
    sound(result.stderr, "DH151", "0099", "start the newer version")


@pytest.mark.parametrize(
    ("number", "state", "code", "remedy"),
    [(29, "backoff", "DH411", "restart"), (30, "auth_required", "DH412", "settings")],
)
def test_a_system_that_is_away_or_refuses_us(
    number: int, state: Any, code: str, remedy: str
) -> None:
    one = running()
    one.move(state, "erp.example: connection refused")

    (found,) = repairs([one], Status(SystemClock().now()), [], [], {})

    assert (code_of(one), found.code, found.remedy) == (code, code, remedy), number
    assert found.what == "erp.example: connection refused"
    assert found.who
    assert found.fix
    assert f"### {code}\n" in PAGE


def test_all_thirty_are_here() -> None:
    numbers = {*IN_THE_FILE, *IN_THE_ADAPTER, *IN_A_CARD}
    source = Path(__file__).read_text(encoding="utf-8")
    numbers |= {int(one) for one in re.findall(r"\((\d\d), \"", source)}
    numbers |= {int(one) for one in re.findall(r"def test_(\d\d)_", source)}

    assert numbers == set(range(1, 31))
