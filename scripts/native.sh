#!/usr/bin/env bash
# Installs the system's own PostgreSQL and Redis (Debian, Ubuntu) as programs, without starting their services.
set -euo pipefail

has_both() {
    ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || command -v postgres >/dev/null || return 1
    command -v redis-server >/dev/null || command -v valkey-server >/dev/null
}

has_both && exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "please run: sudo apt-get install postgresql redis-server (macOS: brew install postgresql redis)" >&2
    exit 1
fi

echo "installing PostgreSQL and Redis ..." >&2
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' >$policy # services are not to be started
    chmod +x $policy
    trap 'rm -f $policy' EXIT
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q </dev/null >/dev/null
apt-get install -y -q --no-install-recommends postgresql redis-server </dev/null >/dev/null
has_both
