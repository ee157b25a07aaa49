"""Where a process listens, to whom, and what HTTP may bring."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from server.hostnames import as_host, as_network, as_origin
from server.settings.values import WORDS

Host = Annotated[str, AfterValidator(as_host)]
Origin = Annotated[str, AfterValidator(as_origin)]
Network = Annotated[str, AfterValidator(as_network)]


class ServingSettings(BaseModel):
    """Where a process listens, to whom, and what HTTP may bring."""

    model_config = ConfigDict(title="Serving")

    host: str = Field(
        "127.0.0.1",
        description="The address to serve on; with `JOBLENS_AUTH=none` a loopback one.",
    )
    port: int = Field(8000, ge=0, le=65535, description="The port to serve on; 0 takes a free one.")
    hosts: Annotated[tuple[Host, ...], WORDS] = Field(
        (),
        description="With `JOBLENS_AUTH=none`, the host names, with commas, by which clients may "
        "call the server, as behind a proxy. Other names than these, `localhost` and loopback "
        "addresses get 421, so that no web page comes in by a name of its own.",
    )
    cors_origins: Annotated[tuple[Origin, ...], WORDS] = Field(
        (),
        description="The origins, with commas, whose web pages may ask and read the "
        "answers, such as `https://dashboard.example`. Pages of others are refused.",
    )
    proxies: Annotated[tuple[Network, ...], WORDS] = Field(
        (),
        description="The addresses or networks, with commas, of the proxies in front, such as "
        "`10.0.0.0/8`. Theirs, and nobody else's, `X-Forwarded-For` tells the client's address.",
    )
    workers: int = Field(1, ge=1, le=64, description="How many processes serve.")
    graphiql: bool = Field(True, description="Whether browsers get GraphiQL.")
    max_body_bytes: int = Field(
        1_048_576,
        ge=1024,
        description="The largest request body, which otherwise gets 413, and the largest WebSocket "
        "message, which otherwise closes its connection with 1009.",
    )
    head_timeout_seconds: float = Field(
        10.0,
        gt=0,
        le=300,
        description="How long a connection may take to send the URL and the headers of a request "
        "before it is closed, with 408 if they had begun.",
    )
    body_timeout_seconds: float = Field(
        30.0, gt=0, le=3600, description="How long the body of a request may take before 408."
    )
