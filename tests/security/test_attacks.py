"""Each attack is answered with a code, and a normal client beside it never notices."""

import pytest

from tests.security.attacks import HTTP_ATTACKS, SOCKET_ATTACKS, HttpAttack, SocketAttack
from tests.security.targets import Bystander, Target, well_formed

# The codes of ours for what has but one.
BY_STATUS = {
    405: "METHOD_NOT_ALLOWED",
    408: "REQUEST_TIMEOUT",
    413: "PAYLOAD_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    431: "HEADERS_TOO_LARGE",
}


@pytest.mark.parametrize("attack", HTTP_ATTACKS, ids=lambda attack: attack.name)
async def test_http(target: Target, attack: HttpAttack) -> None:
    async with Bystander(target).asking():
        answer = await target.send(attack)
    codes = well_formed(answer)
    assert answer.status in attack.statuses, codes
    assert "INTERNAL_SERVER_ERROR" not in codes
    if answer.status in BY_STATUS:
        assert codes == [BY_STATUS[answer.status]]


@pytest.mark.parametrize("attack", SOCKET_ATTACKS, ids=lambda attack: attack.name)
async def test_websocket(target: Target, attack: SocketAttack) -> None:
    async with Bystander(target).asking():
        outcome = await target.frames(attack)
    if isinstance(outcome, int):
        assert outcome in attack.closes
        return
    refusals = [message["payload"] for message in outcome if message["type"] == "error"]
    for error in (error for errors in refusals for error in errors):
        assert error["message"]
        assert error["extensions"]["code"] != "INTERNAL_SERVER_ERROR"
