"""A varied session with `joblens serve` as a process: its log has no secret, in either form."""

import json
import os
import signal
from contextlib import suppress
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest
from websockets.exceptions import ConnectionClosed

from resolvers.viewer import Role
from server.auth.token_format import new_token
from tests.resolvers.live.clients import COUNTS, socket, stream
from tests.server.auth.minting import mint
from tests.support.processes import command_running
from tests.support.service import ORG, Api, client_of

SECRET = "hunter2marker"
CREATE = """mutation Create($input: CreateJobInput!) { createJob(input: $input) {
  ... on CreateJobPayload { job { id } } __typename } }"""
FAIL = """mutation Fail($id: ID!, $to: JobStatus!, $more: JSON) {
  transitionJob(input: {id: $id, to: $to, detail: $more, errorMessage: "hunter2marker"}) {
    __typename } }"""


@pytest.mark.parametrize("form", ["json", "text"])
async def test_there_is_no_secret(database_url: str, form: str) -> None:
    tokens = [await mint(database_url, role, name=role.value) for role in Role]
    wrong = new_token(UUID(ORG))
    settings = {"auth": "token", "log_format": form, "log_level": "warning"}
    async with command_running(database_url, **settings) as (process, base):
        async with client_of(base) as client:
            service = cast("Any", SimpleNamespace(client=client, post=Api(client).post))
            for minted in tokens:
                await vary(service, minted.text)
            await vary(service, wrong)
        os.killpg(process.pid, signal.SIGTERM)
        output, logged = map(bytes.decode, await process.communicate())
    for secret in (SECRET, wrong, "Bearer", "jl_", *(minted.text for minted in tokens)):
        assert secret not in logged + output
    # The audit log tells whatever the level is.
    said = [line for line in logged.splitlines() if "joblens.audit" in line]
    for word in ("admin", "viewer", "IllegalTransition", "FORBIDDEN", "UNAUTHENTICATED"):
        assert word in "".join(said)
    if form == "json":
        events = {json.loads(line)["event"] for line in said}
        assert {"mutation", "refused"} <= events


async def vary(service: Any, token: str) -> None:
    """Write, fail, be refused and misbehave, with secrets wherever a client may put some."""
    bearer = {"Authorization": f"Bearer {token}"}
    payload = {"password": SECRET, "url": f"https://u:{SECRET}@host"}
    given = {"type": SECRET, "payload": payload, "idempotencyKey": SECRET, "requestedBy": SECRET}
    made = (await service.post(CREATE, {"input": given}, **bearer)).json()
    created = (made.get("data") or {}).get("createJob", {}).get("job")
    id_ = created["id"] if created else "00000000-0000-0000-0000-000000000009"
    for to in ("RUNNING", "FAILED", "SUCCEEDED"):
        await service.post(FAIL, {"id": id_, "to": to, "more": payload}, **bearer)
    cancel = f'mutation {{ cancelJob(id: "{id_}", reason: "{SECRET}") {{ __typename }} }}'
    await service.post(cancel, **bearer)
    await service.post(f'{{ job(id: "{SECRET}") {{ id }} }}', **bearer)
    await service.post(f"query {SECRET} {{ {SECRET} }}", **bearer)
    await service.post("#" + SECRET * 200_000, **bearer)
    await service.client.get("/graphql", params={"token": token, "query": cancel}, headers=bearer)
    await service.client.get(f"/{token}", headers={"x": SECRET * 10_000} | bearer)
    await service.client.get("/graphql", headers={"origin": f"https://{SECRET}.example"} | bearer)
    async with stream(service, COUNTS, **bearer) as events:
        await events.line()
    async with socket(service) as client:
        await client.send({"type": "connection_init", "payload": {"token": token, SECRET: SECRET}})
        await client.subscribe("1", CREATE, input=given)
        with suppress(ConnectionClosed):
            await client.receive()
