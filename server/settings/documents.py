"""Whether clients may ask whatever they like, or only what was registered."""

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schema.execution.persisted_documents import Mode
from server.settings.values import PREFIX


class DocumentSettings(BaseModel):
    """Whether clients may ask whatever they like, or only what was registered."""

    model_config = ConfigDict(title="Which documents run")

    introspection: bool = Field(
        True,
        description="Whether clients may ask for `__schema` and `__type`. Off: they may not, and "
        "errors do not suggest names that would have been right.",
    )
    documents: Mode = Field(
        Mode.ANY,
        description="`only`: nothing runs but the documents registered in "
        "`JOBLENS_DOCUMENTS_DIR`, and there is no GraphiQL. `prefer`: others are logged. `any`: "
        "everything runs.",
    )
    documents_dir: Path | None = Field(
        None,
        description="A directory of manifests (`*.json`) of registered documents, as Relay's "
        "compiler or Apollo's tools write them.",
    )
    automatic_persisted_queries: bool = Field(
        False,
        description="Whether clients may register documents by their hashes themselves, to send "
        "them once only.",
    )
    automatic_persisted_queries_bytes: int = Field(
        4_194_304,
        ge=1_024,
        description="How much text of such documents a process keeps; the least used give way.",
    )

    @model_validator(mode="after")
    def _can_be_found(self) -> Self:
        if self.documents is not Mode.ANY and self.documents_dir is None:
            raise ValueError(f"{PREFIX}DOCUMENTS={self.documents} needs {PREFIX}DOCUMENTS_DIR")
        if self.documents is Mode.ONLY and self.automatic_persisted_queries:
            raise ValueError(
                f"{PREFIX}DOCUMENTS=only leaves nothing to {PREFIX}AUTOMATIC_PERSISTED_QUERIES"
            )
        return self
