"""Measures Joblens beside the least and the most usual ways to serve the same data.

`python -m benchmarks --help` says how. Nothing here is part of the product.
"""
