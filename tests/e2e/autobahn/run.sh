#!/bin/sh
# Run the Autobahn conformance suite against a server that is already listening:
#
#     tests/e2e/autobahn/run.sh PORT [PATH]
#
# The server must echo on PATH (default /) and must not limit rates; `echo_server.py PORT --unlimited` is one.
# WSTEST names the suite's `wstest` program (default: the one on PATH). It needs Python 2.7; in such a virtualenv:
#
#     pip install "Twisted==19.10.0" "autobahn==0.10.9" "txaio==2.0.4" "klein==17.10.0" "jinja2<3" "markupsafe<2" \
#                 "werkzeug<1" "pyOpenSSL<20" "service_identity<20" unittest2
#     pip install --no-deps autobahntestsuite==25.10.1
#
# Exit code: 0 all passed or the suite is not installed, 1 a case failed. AUTOBAHN_CASES replaces the list of cases.
set -eu

port=${1:?usage: run.sh PORT [PATH]}
path=${2:-/}
wstest=${WSTEST:-wstest}
cases=${AUTOBAHN_CASES:-"1.* 2.* 3.* 4.* 5.* 6.* 7.* 10.*"}

if ! command -v "$wstest" >/dev/null 2>&1; then
    echo "skipped: Autobahn's wstest is not installed (set WSTEST)" >&2
    exit 0
fi

reports=$(mktemp -d)
trap 'rm -rf "$reports"' EXIT
python3 "$(dirname "$0")/verdict.py" spec "$reports" "ws://127.0.0.1:$port$path" "$cases"
if ! (cd "$reports" && "$wstest" -m fuzzingclient -s spec.json) >"$reports/log" 2>&1; then
    cat "$reports/log" >&2
    exit 1
fi
python3 "$(dirname "$0")/verdict.py" judge "$reports"
