"""Which documents clients may run, any or only registered ones, and how they are executed."""

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schema.execution.persisted_documents import Mode
from server.settings.values import PREFIX


class DocumentSettings(BaseModel):
    """Which documents clients may run, any or only registered ones, and how they are executed."""

    model_config = ConfigDict(title="Which documents run")

    introspection: bool = Field(
        True,
        description="Whether clients may query `__schema` and `__type`. If off, errors do not "
        "suggest similar names either.",
    )
    documents: Mode = Field(
        Mode.ANY,
        description="`only`: only registered documents are run: those of `JOBLENS_DOCUMENTS_DIR` "
        "and, with `JOBLENS_DASHBOARD`, of the dashboard; and there is no GraphiQL. `prefer`: "
        "others are logged. `any`: all are run.",
    )
    documents_dir: Path | None = Field(
        None,
        description="A directory of manifests (`*.json`) of registered documents, as Relay's "
        "compiler or Apollo's tools write them.",
    )
    automatic_persisted_queries: bool = Field(
        False,
        description="Whether clients may register documents by their hashes, so that they send "
        "each text only once.",
    )
    automatic_persisted_queries_bytes: int = Field(
        4_194_304,
        ge=1_024,
        description="Bytes of such documents that a process keeps; the least recently used are "
        "evicted.",
    )

    executor: Literal["compiled", "core"] = Field(
        "compiled",
        description="What executes operations. `compiled`: plans, which are compiled once for each "
        "operation; `core`: graphql-core, which gives the same responses more slowly. "
        "Introspection is always executed by graphql-core.",
    )

    @model_validator(mode="after")
    def _validate_documents(self) -> Self:
        if self.documents is Mode.ONLY and self.automatic_persisted_queries:
            raise ValueError(f"{PREFIX}DOCUMENTS=only excludes {PREFIX}AUTOMATIC_PERSISTED_QUERIES")
        return self
