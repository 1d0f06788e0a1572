#!/usr/bin/env bash
# Installs what is missing and says what it cannot install. Needs Python 3.11 or newer; repeats without effect.
# With the word `browser` also what only tests need: Chromium (screenshots too) and SpamAssassin.
set -euo pipefail
cd "$(dirname "$0")/.."
export DEBIAN_FRONTEND=noninteractive PIP_DISABLE_PIP_VERSION_CHECK=1

say() { printf '%s\n' "$*" >&2; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

can_apt() {
    command -v apt-get >/dev/null && { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }
}

# apt PACKAGE...: install these; false when this machine or this user cannot.
apt() {
    can_apt || return 1
    say "installing $* ..."
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" </dev/null >/tmp/wise-apt.$$ 2>&1 ||
        { as_root apt-get update -q </dev/null >/dev/null 2>&1 &&
            as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" </dev/null >/tmp/wise-apt.$$ 2>&1; } ||
        { tail -3 /tmp/wise-apt.$$ >&2; rm -f /tmp/wise-apt.$$; return 1; }
    rm -f /tmp/wise-apt.$$
}

find_python() {
    local name
    for name in ${PYTHON_BOOTSTRAP:-} python3 python3.14 python3.13 python3.12 python3.11; do
        if command -v "$name" >/dev/null && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$name"
            return
        fi
    done
    say "Python 3.11 or newer is needed (Debian, Ubuntu: apt-get install python3; macOS: brew install python@3.12)"
    return 1
}

make_venv() {
    local python=$1
    [ -x .venv/bin/python ] && .venv/bin/python -m pip --version >/dev/null 2>&1 && return
    rm -rf .venv
    if ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
        # Debian and Ubuntu keep ensurepip in a package of its own.
        apt python3-venv || { say "Python's venv is missing; please run: sudo apt-get install python3-venv"; return 1; }
    fi
    "$python" -m venv .venv
}

# Pango, which WeasyPrint opens to write letters and vouchers as PDF.
ensure_pango() {
    .venv/bin/python -c 'import weasyprint' >/dev/null 2>&1 && return
    if [ "$(uname)" = Darwin ]; then
        say "Pango is missing (letters as PDF); please run: brew install pango"
        return 1
    fi
    apt libpango-1.0-0 libpangoft2-1.0-0 && .venv/bin/python -c 'import weasyprint' >/dev/null 2>&1 && return
    say "Pango is missing (letters as PDF); please run: sudo apt-get install libpango-1.0-0 libpangoft2-1.0-0"
    return 1
}

has_chromium() {
    local name
    for name in "${CHROMIUM:-}" chromium google-chrome google-chrome-stable chrome chromium-browser; do
        # Ubuntu's chromium-browser is a script that only tells to install a snap.
        if [ -n "$name" ] && command -v "$name" >/dev/null && "$name" --version 2>/dev/null </dev/null | grep -q -i chrom; then return 0; fi
    done
    [ -x "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" ]
}

# Without a browser everything but its tests works, so this says what to do and goes on.
ensure_chromium() {
    # Playwright's own Node needs this library, which a bare Linux lacks.
    if [ "$(uname)" = Linux ] && ! .venv/bin/python -m playwright --version >/dev/null 2>&1; then
        apt libatomic1 || say "libatomic is missing (browser tests); please run: sudo apt-get install libatomic1"
    fi
    # Debian has it without windows too, which takes a quarter less of the processors; any other does as well.
    if [ -z "${CHROMIUM:-}" ] && grep -q '^ID=debian' /etc/os-release 2>/dev/null; then
        command -v chromium-headless-shell >/dev/null || apt chromium-headless-shell && return
    fi
    has_chromium && return
    if [ "$(uname)" = Darwin ]; then
        say "Chromium is missing (browser tests); please run: brew install --cask google-chrome"
        return 1
    fi
    # Ubuntu offers Chromium as a snap only, which no container can install: there Playwright's own.
    if grep -q '^ID=ubuntu' /etc/os-release 2>/dev/null; then
        say "installing Chromium for the browser tests ..."
        can_apt && as_root .venv/bin/python -m playwright install-deps chromium </dev/null >/dev/null 2>&1 &&
            .venv/bin/python -m playwright install chromium </dev/null >/dev/null 2>&1 && return
        say "Chromium is missing (browser tests); please run: sudo snap install chromium"
        return 1
    fi
    apt chromium && return
    say "Chromium is missing (browser tests); please run: sudo apt-get install chromium"
    return 1
}

# One test asks a spam filter about our mail; without it that test is skipped, and says so.
ensure_spamassassin() {
    command -v spamassassin >/dev/null && return
    [ "$(uname)" = Linux ] && apt spamassassin && return
    say "SpamAssassin is missing (a test of what spam filters think is skipped); please run: sudo apt-get install spamassassin"
}

compile_translations() {
    local source=locale/nl/LC_MESSAGES/django.po target=locale/nl/LC_MESSAGES/django.mo
    [ -f "$source" ] || return 0
    [ "$target" -nt "$source" ] && return
    .venv/bin/python scripts/translations.py compile
}

fingerprint() { cat requirements-dev.txt scripts/setup.sh | cksum; echo "$PWD"; }

is_done() { [ "$(cat "$1" 2>/dev/null)" = "$(fingerprint)" ]; }

if ! is_done .venv/setup-stamp; then
    python=$(find_python)
    make_venv "$python"
    say "installing Python packages into .venv (a minute or two the first time) ..."
    # Wheels only, so that nothing is compiled; dkimpy is published as source alone, and is plain Python.
    .venv/bin/python -m pip install -q --only-binary :all: --no-binary dkimpy -r requirements-dev.txt </dev/null 2> >(grep -v '^WARNING: Location' >&2)
    ensure_pango
    fingerprint >.venv/setup-stamp
fi
if [ "${1:-}" = browser ] && ! is_done .venv/browser-stamp; then
    ensure_spamassassin
    if ensure_chromium; then fingerprint >.venv/browser-stamp; fi
fi
compile_translations
