"""Authentication: one module for each value of `JOBLENS_AUTH`."""
