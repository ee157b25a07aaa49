"""The GraphQL schema and its SDL."""

from itertools import chain

import strawberry
from graphql import GraphQLObjectType, GraphQLSchema, Undefined
from strawberry.schema.config import StrawberryConfig

from schema import enums  # noqa: F401 - describes the enums before the types use them
from schema.batches import Batch
from schema.events import JobEvent
from schema.jobs import Job
from schema.mutation import Mutation
from schema.query import Query
from schema.scalars import SCALARS
from schema.sources import Source
from schema.subscription import Subscription

schema = strawberry.Schema(
    query=Query,
    subscription=Subscription,
    mutation=Mutation,
    types=[Job, JobEvent, Batch, Source],
    config=StrawberryConfig(scalar_map=SCALARS),
)

core_schema: GraphQLSchema = schema._schema  # noqa: SLF001 - Strawberry has no public access to it


def _drop_null_defaults() -> None:
    """Remove `= null` from arguments: omitted and null mean the same."""
    for type_ in core_schema.type_map.values():
        if isinstance(type_, GraphQLObjectType):
            for argument in chain.from_iterable(
                field.args.values() for field in type_.fields.values()
            ):
                if argument.default_value is None:
                    argument.default_value = Undefined


_drop_null_defaults()


def sdl() -> str:
    """Return the schema in GraphQL's schema definition language."""
    return schema.as_str() + "\n"
