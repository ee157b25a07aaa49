"""How much one request may ask for, judged before anything runs."""
