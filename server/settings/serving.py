"""Addresses, allowed hosts, origins and proxies, and limits of HTTP."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from server.hostnames import as_host, as_network, as_origin
from server.settings.values import COMMA_SEPARATED

Host = Annotated[str, AfterValidator(as_host)]
Origin = Annotated[str, AfterValidator(as_origin)]
Network = Annotated[str, AfterValidator(as_network)]


class ServingSettings(BaseModel):
    """Addresses, allowed hosts, origins and proxies, and limits of HTTP."""

    model_config = ConfigDict(title="Serving")

    host: str = Field(
        "127.0.0.1",
        description="The address to serve on; with `JOBLENS_AUTH=none`, a loopback address.",
    )
    port: int = Field(
        8000,
        ge=0,
        le=65535,
        description="The port to serve on; 0 chooses a free one.",
    )
    hosts: Annotated[tuple[Host, ...], COMMA_SEPARATED] = Field(
        (),
        description="With `JOBLENS_AUTH=none`, further host names, separated by commas, that "
        "clients may use, for example behind a proxy. Requests for other hosts than these, "
        "`localhost` and loopback addresses get 421, as a protection against DNS rebinding.",
    )
    cors_origins: Annotated[tuple[Origin, ...], COMMA_SEPARATED] = Field(
        (),
        description="The origins, separated by commas, whose web pages may send requests and read "
        "the responses, such as `https://dashboard.example`. Other origins are refused.",
    )
    proxies: Annotated[tuple[Network, ...], COMMA_SEPARATED] = Field(
        (),
        description="The addresses or networks, separated by commas, of trusted proxies, such as "
        "`10.0.0.0/8`. Only from these is the client's address taken from `X-Forwarded-For`.",
    )
    workers: int = Field(
        1,
        ge=1,
        le=64,
        description="The number of server processes.",
    )
    dashboard: bool = Field(
        True,
        description="Whether the dashboard is served to browsers, at `/`. The documents that it "
        "sends are then registered.",
    )
    graphiql: bool = Field(
        True,
        description="Whether GraphiQL is served to browsers.",
    )
    max_body_bytes: int = Field(
        1_048_576,
        ge=1024,
        description="The maximum size of a request body (larger ones get 413) and of a WebSocket "
        "message (larger ones close the connection with 1009).",
    )
    head_timeout_seconds: float = Field(
        10.0,
        gt=0,
        le=300,
        description="How long a connection may take to send the URL and the headers of a request "
        "before it is closed; with 408 if a part of them has arrived.",
    )
    body_timeout_seconds: float = Field(
        30.0,
        gt=0,
        le=3600,
        description="How long the body of a request may take before it fails with 408.",
    )
