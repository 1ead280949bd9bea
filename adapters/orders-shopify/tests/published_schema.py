"""The schema that Shopify publishes for this version, from its own package on npm.

It is never kept here: `npm pack` brings the one archive (14 MB, no dependency, no script)
into web/.cache, and it counts only with the hash below.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import importlib.util
import json
import subprocess
import tarfile
from pathlib import Path

import pytest
from graphql import GraphQLSchema, build_client_schema

from deskhub_orders_shopify.documents import VERSION

ROOT = Path(__file__).parents[3]
CACHE = ROOT / "web/.cache/shopify-schema"
PACKAGE = "@shopify/dev-mcp@1.16.0"
ARCHIVE = "shopify-dev-mcp-1.16.0.tgz"
SHA512 = (
    "tqgRnK7sQhjew+htxtleTH23nXB5fZcsrhWgEkomsorGXvLOB2mh2upwZm8uzuTDNTZnqtLMe64yIwh6s2awtw=="
)
MEMBER = f"package/dist/data/admin_{VERSION}.json.gz"


def published_schema() -> GraphQLSchema:
    """Return the schema; skips where npm or its registry is out of reach."""
    archive = CACHE / ARCHIVE
    if not archive.is_file():
        _bring()
    found = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if found != SHA512:
        archive.unlink()
        pytest.fail(f"{PACKAGE} is not the archive that was looked at")
    with tarfile.open(archive) as packed:
        member = packed.extractfile(MEMBER)
        assert member is not None
        told = json.loads(gzip.decompress(member.read()))
    # It breaks two rules of the specification that concern deprecation, and works.
    return build_client_schema(told.get("data", told), assume_valid=True)


def _bring() -> None:
    spec = importlib.util.spec_from_file_location("deskhub_node", ROOT / "tests/tools/node.py")
    assert spec is not None
    assert spec.loader is not None
    node = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(node)
    _, npm, env = node.build_hook()._tools()
    CACHE.mkdir(parents=True, exist_ok=True)
    command = [*npm, "pack", PACKAGE, "--silent", "--pack-destination", str(CACHE)]
    try:
        done = subprocess.run(command, check=False, env=env, capture_output=True, timeout=90)
    except subprocess.TimeoutExpired:
        pytest.skip("npm pack does not end here")
    if done.returncode != 0:
        pytest.skip("npm pack does not work here")
