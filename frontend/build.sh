#!/bin/sh
# Builds GraphiQL's page into server/graphiql, or runs another script of package.json over it.
# Usage: build.sh PYTHON [SCRIPT]
set -eu
python=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
script=${2:-build}
cd "$(dirname "$0")"
requirements=../requirements
# Vite's own condition: ^20.19.0 || >=22.12.0
condition='const [a, b] = process.versions.node.split(".").map(Number);
    process.exit((a == 20 && b >= 19) || (a == 22 && b >= 12) || a > 22 ? 0 : 1)'
. ./node.sh
run_npm run --silent "$script"
