"""Give everybody of the demo an account: ``python -m tests.support.people HUB_TOML``.

One process for all of them; ``deskhub user add`` would be one for each.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from deskhub.cli.checked import checked
from deskhub.cli.demo.people import PEOPLE
from deskhub.cli.running import with_identity
from deskhub.identity.service import Identity


async def hire(identity: Identity) -> None:
    """Add each of them."""
    for person in PEOPLE:
        await identity.add_agent(
            tenant="main", email=person.email, name=person.name, role=person.role,
            password=person.password,
        )  # fmt: skip


if __name__ == "__main__":
    asyncio.run(with_identity(checked(Path(sys.argv[1])), hire))
