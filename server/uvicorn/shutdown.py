"""How protocols and application coordinate the shutdown."""

# The key, in the state of the ASGI lifespan, of the event that protocols set at shutdown.
ENDING = "ending"
# How long a closing handshake may take.
CLOSING_SECONDS = 2.0
