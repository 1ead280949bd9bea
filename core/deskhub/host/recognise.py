"""What the business systems know about a person whom the shop vouched for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from deskhub.host.asking import Answer
from deskhub.host.host import Host
from deskhub.identity.records import Claim, Known
from deskhub_sdk import CustomerMatch, Identity

HOOK = "find_customer"
TAGS_MAX = 20


async def recognise(host: Host, tenant: str, inbox: str, claim: Claim) -> Known:
    """Return what adapters add to *claim*, best confidence first; at most half a second.

    Only candidates with the claim's own subject count: a look-alike by name or e-mail must
    not lend a verified person its data.
    """
    identity = Identity(
        inbox=inbox,
        subject=claim.subject,
        name=claim.name,
        email=claim.email,
        phone=claim.phone,
        language=claim.language,
        verified=True,
    )
    answers = await host.gather(HOOK, tenant, identity=identity).all()
    same = [one for one in _matches(answers) if one.subject == claim.subject]
    same.sort(key=lambda one: -one.confidence)
    return Known(facts=_facts(same), tags=_tags(same))


def _matches(answers: Sequence[Answer]) -> list[CustomerMatch]:
    return [
        match
        for answer in answers
        if answer.state == "ok" and isinstance(answer.value, Sequence)
        for match in answer.value
        if isinstance(match, CustomerMatch)
    ]


def _facts(matches: Sequence[CustomerMatch]) -> Mapping[str, str]:
    facts: dict[str, str] = {}
    for match in matches:
        for name in ("name", "email", "phone", "language"):
            value = getattr(match, name)
            if value and name not in facts:
                facts[name] = value
    return facts


def _tags(matches: Sequence[CustomerMatch]) -> tuple[str, ...]:
    tags = dict.fromkeys(tag for match in matches for tag in match.tags)
    return tuple(tags)[:TAGS_MAX]
