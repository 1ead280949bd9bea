"""hub.toml: what is right becomes a frozen model, what is wrong is named all at once."""

from pathlib import Path

import pytest

from deskhub.config import ConfigProblems, load

GOOD = """
schema = 1
[hub]
listen = "127.0.0.1:8700"
[inboxes.shop]
origins = ["https://shop.example.com"]
identity_secret = { env = "SHOP_IDENTITY" }
[adapters.eu-shop]
use = "orders"
limits = { timeout = "800ms", concurrency = 8, memory = "256MB" }
[adapters.eu-shop.config]
base_url = "https://shop.internal"
token = { file = "token.txt" }
[bind]
"order.return.refunded" = "eu-shop"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "hub.toml"
    path.write_text(text, encoding="utf-8")
    return path


def problems(folder: Path, text: str) -> list[tuple[str, tuple[str, ...]]]:
    with pytest.raises(ConfigProblems) as caught:
        load(written(folder, text))
    return [(one.code, one.path) for one in caught.value.problems]


def test_a_good_file_becomes_a_frozen_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_IDENTITY", "0123456789abcdef" * 2)
    (tmp_path / "token.txt").write_text("t0ken\n")

    config = load(written(tmp_path, GOOD))

    shop = config.adapters["eu-shop"]
    assert (shop.use, shop.limits.timeout_s, shop.limits.memory) == (
        "orders",
        0.8,
        256 * 1024**2,
    )
    assert shop.config == {"base_url": "https://shop.internal", "token": "t0ken"}
    assert shop.secret_keys == {"token"}
    assert config.inboxes["shop"].identity_secret.get_secret_value() == "0123456789abcdef" * 2
    with pytest.raises(ValueError, match="frozen"):
        config.hub = None


def test_every_mistake_is_reported_at_once(tmp_path: Path) -> None:
    text = """
[hub]
listen = "127.0.0.1"
[sever]
port = 8080
[inboxes.shop]
origins = ["https://x.example/"]
identity_secret = "abc"
[adapters.orders]
enabled = "true"
limits = { timeout = 5, concurency = 2 }
[adapters.orders.config]
token = { env = "SURELY_NOT_SET" }
[bind]
"order.return.refunded" = "order"
"""

    assert problems(tmp_path, text) == [
        ("DH105", ("hub", "listen")),
        ("DH102", ("sever",)),
        ("DH105", ("inboxes", "shop", "origins")),
        ("DH301", ("inboxes", "shop", "identity_secret")),
        ("DH104", ("adapters", "orders", "enabled")),
        ("DH105", ("adapters", "orders", "limits", "timeout")),
        ("DH103", ("adapters", "orders", "limits", "concurency")),
        ("DH302", ("adapters", "orders", "config", "token")),
        ("DH108", ("bind", "order.return.refunded")),
    ]


def test_a_broken_file_names_the_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigProblems) as caught:
        load(written(tmp_path, '[hub\nlisten = "x"\n'))

    assert "DH101" in caught.value.rendered()
    assert "line 1" in caught.value.rendered()


def test_a_problem_points_at_the_key_inside_an_inline_table(tmp_path: Path) -> None:
    with pytest.raises(ConfigProblems) as caught:
        load(
            written(
                tmp_path, '[adapters.orders]\nlimits = { timeout = "2s", memmory = "1MB" }\n'
            )
        )

    assert "hub.toml:2:28" in caught.value.rendered()
    assert "did you mean 'memory'?" in caught.value.rendered()


def test_a_literal_secret_is_never_echoed(tmp_path: Path) -> None:
    with pytest.raises(ConfigProblems) as caught:
        load(written(tmp_path, '[inboxes.shop]\nidentity_secret = "hunter2hunter2hunter2"\n'))

    assert "hunter2" not in caught.value.rendered()


def test_no_message_is_longer_than_eight_lines(tmp_path: Path) -> None:
    with pytest.raises(ConfigProblems) as caught:
        load(written(tmp_path, '[hub]\nlisten = 5\nstor = "x"\n[x]\n'))

    for message in caught.value.rendered().split("\n\n"):
        assert len(message.splitlines()) <= 8


def test_the_databases_password_stands_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DB_PASSWORD", "p@ss/word")
    text = '[hub]\nstore = "postgresql://desk@db:5433/hub"\nstore_password = { env = "DB_PASSWORD" }'

    config = load(written(tmp_path, text))

    assert config.store_url == "postgresql://desk:p%40ss%2Fword@db:5433/hub"
    assert config.is_shared
    assert "p@ss" not in repr(config)


@pytest.mark.parametrize(
    "line",
    ['store = "postgresql://desk:secret@db/hub"', 'bus = "nats://desk:secret@nats:4222"'],
)
def test_a_password_in_an_address_is_refused(tmp_path: Path, line: str) -> None:
    key = line.partition(" ")[0]

    assert problems(tmp_path, f"[hub]\n{line}") == [("DH301", ("hub", key))]


def test_a_disabled_adapter_may_wait_for_its_secrets(tmp_path: Path) -> None:
    text = '[adapters.orders]\nenabled = false\nconfig = { token = { env = "NOT_YET" } }\n'

    assert load(written(tmp_path, text)).adapters["orders"].enabled is False


@pytest.mark.parametrize(
    "line", ["schema = 2", "hub = 3", "adapters = []", 'order = "x"', "[auth]\nroles = 1"]
)
def test_a_value_in_place_of_a_table_is_a_problem_and_no_crash(
    tmp_path: Path, line: str
) -> None:
    assert problems(tmp_path, line + "\n")


def test_the_files_own_folder_is_where_relative_paths_start(tmp_path: Path) -> None:
    config = load(written(tmp_path, ""))

    assert config.store_url == f"sqlite:///{tmp_path}/data/deskhub.db"
    assert config.data_dir == tmp_path / "data"


def test_data_may_lie_elsewhere_than_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESKHUB_DATA", str(tmp_path / "elsewhere"))

    config = load(written(tmp_path, ""))

    assert config.store_url == f"sqlite:///{tmp_path}/elsewhere/data/deskhub.db"


def test_the_repositorys_own_hub_toml_is_good() -> None:
    config = load(Path(__file__).parents[2] / "hub.toml")

    assert config.inboxes["web"].key == "web"
