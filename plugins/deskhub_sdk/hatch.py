"""The build hook of adapters: hatchling calls it, it writes the manifest into the package.

Enable it with ``[tool.hatch.build.targets.wheel.hooks.deskhub]`` and ``deskhub-sdk`` among
``[build-system] requires``. Only hatchling imports this module.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.plugin import hookimpl

from deskhub_sdk.manifest import FILE_NAME

GROUP = "deskhub.adapters"


class ManifestHook(BuildHookInterface):  # type: ignore[type-arg]  # hatchling's generic is private
    """Writes ``deskhub-adapter.json`` beside the adapter's modules and packs it."""

    PLUGIN_NAME = "deskhub"

    def dependencies(self) -> list[str]:
        """Ask for what the adapter itself needs: its class is imported once, here."""
        return list(self.metadata.core.dependencies)

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make the manifest from the class, in a process of its own."""
        del version
        points: dict[str, str] = self.metadata.core.entry_points.get(GROUP, {})
        if len(points) != 1:
            raise ValueError(f"a Deskhub adapter has one entry point in {GROUP!r}")
        ((_, entry),) = points.items()
        package = self._package(entry.partition(":")[0].partition(".")[0])
        target = package / FILE_NAME
        with tempfile.TemporaryDirectory() as folder:
            made = Path(folder, FILE_NAME)
            command = [sys.executable, "-m", "deskhub_sdk.manifest", entry,
                       self.metadata.version, str(made), str(package.parent)]  # fmt: skip
            done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  our own module
            if done.returncode:
                raise ValueError(f"{entry} has no manifest:\n{done.stderr}")
            data = made.read_bytes()
        if not target.exists() or target.read_bytes() != data:
            target.write_bytes(data)
        else:
            # Newer than every module: an editable install trusts it by that.
            target.touch()
        build_data["artifacts"].append(target.relative_to(self.root).as_posix())

    def _package(self, name: str) -> Path:
        """Return the folder of the adapter's package. Raises `ValueError`."""
        for packed in self.build_config.packages:
            if Path(packed).name == name:
                return Path(self.root, packed)
        raise ValueError(
            f"list the folder of {name} in [tool.hatch.build.targets.wheel] packages"
        )


@hookimpl
def hatch_register_build_hook() -> type[ManifestHook]:
    """Tell hatchling which hook this is."""
    return ManifestHook
