"""Limits of one document, its cost and its response."""

from pydantic import BaseModel, ConfigDict, Field


class LimitSettings(BaseModel):
    """Limits of one document, its cost and its response."""

    model_config = ConfigDict(title="Limits of a document")

    max_document_characters: int = Field(
        131_072,
        ge=100,
        le=16_777_216,
        description="Characters of a document, without trailing whitespace. More fail with "
        "`LIMIT_EXCEEDED`, as with the limits below except for the cost.",
    )
    max_tokens: int = Field(
        5_000,
        ge=10,
        le=1_000_000,
        description="Tokens and comments of a document.",
    )
    max_operations: int = Field(
        20,
        ge=1,
        le=1_000,
        description="Operations in a document, of which a request runs one.",
    )
    max_depth: int = Field(
        20,
        ge=1,
        le=200,
        description="Nesting depth of the fields of a document, including its fragments.",
    )
    max_root_fields: int = Field(
        20,
        ge=1,
        le=1_000,
        description="Fields at the root of an operation; each alias counts.",
    )
    max_aliases: int = Field(
        50,
        ge=0,
        le=10_000,
        description="Aliases in a document.",
    )
    max_directives: int = Field(
        50,
        ge=0,
        le=10_000,
        description="Directives, such as `@include`, in a document.",
    )
    max_list_items: int = Field(
        2_000,
        ge=1,
        le=100_000,
        description="Items of any list in a document or its variables, except inside JSON values.",
    )
    max_input_values: int = Field(
        15_000,
        ge=10,
        le=10_000_000,
        description="Values in all variables and arguments of an operation, counted each time they "
        "are used: an item of a list counts 1, an input object 10, JSON nothing.",
    )
    max_cost: int = Field(
        20_000,
        ge=1,
        description="The maximum cost of a query: the number of objects that it could return, by "
        "its page sizes. More fail with `COST_EXCEEDED`.",
    )
    max_response_bytes: int = Field(
        16_777_216,
        ge=1_024,
        description="Bytes of a response, or of one message of a subscription. A larger one is "
        "replaced by the error `RESPONSE_TOO_LARGE`.",
    )
