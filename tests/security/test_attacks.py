"""Each attack is answered with its status and code, and a normal client beside it never notices."""

from typing import Any

import pytest

from tests.security.attacks import REQUESTS, Due, HttpAttack
from tests.security.frames import SOCKET_ATTACKS, SocketAttack
from tests.security.queries import DOCUMENTS
from tests.security.targets import Bystander, Target, well_formed

MEDIA_TYPES = {"application/graphql-response+json", "application/json"}


def as_due(errors: list[Any], due: Due) -> None:
    """See that there is no error but those that are due."""
    told = {(each["extensions"]["code"], each["extensions"].get("limit")) for each in errors}
    assert told == ({(due.code, due.limit)} if due.code else set()), errors[:3]


@pytest.mark.parametrize("attack", [*DOCUMENTS, *REQUESTS], ids=lambda attack: attack.name)
async def test_http(target: Target, attack: HttpAttack) -> None:
    async with Bystander(target).asking():
        answer = await target.send(attack)
    assert answer.headers["content-type"].partition(";")[0] in MEDIA_TYPES
    as_due(well_formed(answer.json(), refused=attack.due.code is not None), attack.due)
    assert answer.status == attack.due.status


@pytest.mark.parametrize("attack", SOCKET_ATTACKS, ids=lambda attack: attack.name)
async def test_websocket(target: Target, attack: SocketAttack) -> None:
    async with Bystander(target).asking():
        outcome = await target.frames(attack)
    if not isinstance(attack.due, Due):
        assert outcome == attack.due
        return
    assert isinstance(outcome, list), outcome
    for message in outcome:
        if message["type"] == "next":
            well_formed(message["payload"], refused=False)
    refusals = [message["payload"] for message in outcome if message["type"] == "error"]
    as_due([error for errors in refusals for error in errors], attack.due)
