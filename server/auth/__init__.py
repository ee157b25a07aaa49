"""Who asks: credentials and what they are worth, in one module for each `JOBLENS_AUTH`."""
