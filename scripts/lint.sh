#!/usr/bin/env bash
# Runs every linter, also after one has complained, and ends with what was wrong.
set -uo pipefail
cd "$(dirname "$0")/.."
export DJANGO_SETTINGS_MODULE=wise_marketing.settings WISE_EMBEDDED=1

wrong=()

check() { # check NAME COMMAND...: quiet when all is well
    local name=$1 output started=$SECONDS
    shift
    if output=$("$@" 2>&1 </dev/null); then
        printf '%-26s ok  %3ss\n' "$name" $((SECONDS - started))
    else
        printf '%-26s WRONG\n%s\n' "$name" "$output"
        wrong+=("$name")
    fi
}

check "ruff check" .venv/bin/ruff check --quiet .
check "ruff format" .venv/bin/ruff format --check --quiet --diff .
check "djlint" .venv/bin/djlint --lint --quiet templates
check "import-linter" .venv/bin/lint-imports --no-logo
check "mypy" .venv/bin/mypy .
check "bandit" .venv/bin/bandit --quiet --recursive --configfile pyproject.toml .
check "migrations" .venv/bin/python -m wise_marketing.embedded run --temp -- .venv/bin/python manage.py makemigrations --check --dry-run
check "django check" .venv/bin/python manage.py check --fail-level WARNING
check "translations" .venv/bin/python scripts/translations.py check
check "shell scripts" bash -n scripts/*.sh .ci/run
check "vendored files" sh scripts/vendor.sh --check

if [ ${#wrong[@]} -gt 0 ]; then
    echo "wrong: ${wrong[*]}"
    exit 1
fi
