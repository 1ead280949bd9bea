"""What the hub and its adapters say about actions has words in Chinese."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
HUB = json.loads((ROOT / "web/locales/hub.zh-CN.json").read_text("utf-8"))
SOURCES = [
    *sorted((ROOT / "core/deskhub/actions").rglob("*.py")),
    *sorted((ROOT / "adapters").glob("*/src/*/*.py")),
]
# Said to customers in their own language, to hub.toml's writer, or to the log.
ELSEWHERE = {"cards.py", "customer_card.py", "texts.py", "hub_steps.py"}
KEYWORDS = {
    "done", "doing", "not_done", "unknown", "for_nothing", "missing", "title", "noun", "verb",
    "plain", "note_title", "system", "why",
}  # fmt: skip
CALLS = {"Choice": (1,), "add": (2,), "Refusal": (1,), "Change": (0, 1, 2), "Dropped": (1,)}


def shape(text: str) -> str:
    """Return *text* with nameless holes."""
    return re.sub(r"\{\w*\}", "{}", text)


def literal(node: ast.AST) -> str | None:
    """Return a text as a template, or None when *node* is no text."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return shape(node.value)
    if isinstance(node, ast.JoinedStr):
        parts = [literal(one) if isinstance(one, ast.Constant) else "{}" for one in node.values]
        return "".join(part or "" for part in parts)
    return None


def said_in(tree: ast.AST) -> set[str]:
    """Return the texts that *tree* shows to agents."""
    found: list[ast.AST] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            found += [node.args[at] for at in CALLS.get(name, ()) if at < len(node.args)]
            found += [one.value for one in node.keywords if one.arg in KEYWORDS]
        if isinstance(node, ast.ClassDef):
            found += [
                one.value
                for one in node.body
                if isinstance(one, ast.Assign) and one.targets[0].id in ("text", "note_title")  # type: ignore[attr-defined]
            ]
    return {text for one in found if (text := literal(one)) and re.search(r"[a-z]{2}", text)}


def test_every_sentence_of_actions_has_chinese_words() -> None:
    known = {shape(text) for text in HUB}

    missing = {
        text: path.name
        for path in SOURCES
        if path.name not in ELSEWHERE and not path.name.startswith("simulator")
        for text in said_in(ast.parse(path.read_text("utf-8")))
        if text not in known
    }

    assert missing == {}
