"""How protocols and application speak of the process's end."""

# The application's lifespan leaves its event under this name for the protocols to set.
ENDING = "ending"
# How long a connection may take to say goodbye.
CLOSING_SECONDS = 2.0
