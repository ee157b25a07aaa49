#!/bin/sh
# Installs the queues of npm, and links the Node that runs them as node_modules/.bin/node.
# Usage: install.sh PYTHON
set -eu
python=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
cd "$(dirname "$0")"
requirements=../../../requirements
# pg-boss demands it: >=22.12.0
condition='const [a, b] = process.versions.node.split(".").map(Number);
    process.exit((a == 22 && b >= 12) || a > 22 ? 0 : 1)'
. ../../../frontend/node.sh
ln -sf "$(command -v node)" node_modules/.bin/node
