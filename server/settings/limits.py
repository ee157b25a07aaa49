"""What one document may ask for."""

from pydantic import BaseModel, ConfigDict, Field


class LimitSettings(BaseModel):
    """What one document may ask for."""

    model_config = ConfigDict(title="Limits of a document")

    max_document_characters: int = Field(
        131_072,
        ge=100,
        le=16_777_216,
        description="Characters of a document, up to its last word, sign or comment; more get "
        "`LIMIT_EXCEEDED`, as do all below but for the cost.",
    )
    max_tokens: int = Field(
        5_000, ge=10, le=1_000_000, description="Words, signs and comments of a document."
    )
    max_operations: int = Field(
        20, ge=1, le=1_000, description="Operations of a document, of which a request runs one."
    )
    max_depth: int = Field(
        20,
        ge=1,
        le=200,
        description="How deep the fields of a document may be nested, through its fragments.",
    )
    max_root_fields: int = Field(
        20, ge=1, le=1_000, description="Fields at the root of an operation, aliases of one apart."
    )
    max_aliases: int = Field(50, ge=0, le=10_000, description="Aliases in a document.")
    max_directives: int = Field(
        50, ge=0, le=10_000, description="Directives, such as `@include`, in a document."
    )
    max_list_items: int = Field(
        2_000,
        ge=1,
        le=100_000,
        description="Items of any list in a document or its variables, those inside of JSON apart.",
    )
    max_input_values: int = Field(
        15_000,
        ge=10,
        le=10_000_000,
        description="What all variables and arguments of an operation hold together, each as often "
        "as it is used: an item of a list counts 1, an input object 10, JSON nothing.",
    )
    max_cost: int = Field(
        20_000,
        ge=1,
        description="How many objects a query may ask for by the sizes of its pages; one that "
        "could return more gets `COST_EXCEEDED`.",
    )
    max_response_bytes: int = Field(
        16_777_216,
        ge=1_024,
        description="Bytes of one answer, or of one message of a subscription; of one that would "
        "have more, only the error `RESPONSE_TOO_LARGE` is sent.",
    )
