#!/bin/sh
# Builds the pages into server/graphiql and server/dashboard, or runs another script of package.json.
# Usage: build.sh PYTHON [SCRIPT]
set -eu
python=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
script=${2:-build}
cd "$(dirname "$0")"
requirements=../requirements
# They run TypeScript as it is, which the tests need: ^22.18.0 || >=24.0.0
condition='const [a, b] = process.versions.node.split(".").map(Number);
    process.exit((a == 22 && b >= 18) || a >= 24 ? 0 : 1)'
. ./node.sh
run_npm run --silent "$script"
