#!/bin/sh
# The Autobahn conformance suite against a compiled route in a real server: `make autobahn`.
#
# WSTEST names the suite's `wstest` program. Without it the suite is installed below VENV (.venv), once, for which a
# Python 2.7 with pip is needed: PYTHON2 names it, else it is looked for on PATH and among pyenv's.
# AUTOBAHN_CASES replaces the list of cases; with it, docs/conformance.md stays as it is.
#
# Exit code: 0 all passed (7.1.5 excepted), 1 a case failed or the suite did not run to its end, 2 there is no suite.
set -eu

folder=$(CDPATH= cd -- "$(dirname "$0")" && pwd)
venv=${VENV:-.venv}
python=${BIN:-$venv/bin}/python
suite=$(pwd)/$venv/wstest
page=docs/conformance.md
[ -z "${AUTOBAHN_CASES:-}" ] || page=
cases=${AUTOBAHN_CASES:-"1.* 2.* 3.* 4.* 5.* 6.* 7.* 9.* 10.* 12.* 13.*"}

python2() {
    for candidate in "${PYTHON2:-}" "$HOME"/.pyenv/versions/*2.7*/bin/python python2.7 python2 pypy; do
        [ -n "$candidate" ] || continue
        if timeout 20 "$candidate" -c 'import sys, pip; sys.exit(sys.version_info[:2] != (2, 7))' </dev/null >/dev/null 2>&1; then
            echo "$candidate"
            return
        fi
    done
    return 1
}

install_suite() {
    old=$(python2) || {
        cat >&2 <<'WORDS'
make autobahn: the suite needs Python 2.7, and there is none with pip here. Nothing was tested.

  make autobahn PYTHON2=/path/to/python2.7     installs the suite below .venv and runs it
  make autobahn WSTEST=/path/to/wstest         runs one that is installed elsewhere

`pyenv install 2.7.18` builds such a Python; Debian up to 11 has it as `python2.7`.
WORDS
        exit 2
    }
    echo "installing the suite for $old into $suite" >&2
    export PYTHONUSERBASE="$suite"
    pip="$old -m pip install --quiet --disable-pip-version-check --user --no-warn-script-location"
    { $pip "Twisted==19.10.0" "autobahn==0.10.9" "txaio==2.0.4" "klein==17.10.0" "jinja2<3" "markupsafe<2" \
          "werkzeug<1" "pyOpenSSL<20" "service_identity<20" unittest2 &&
      $pip --no-deps "autobahntestsuite==25.10.1"; } >"$scratch/install" 2>&1 || {
        cat "$scratch/install" >&2
        echo "make autobahn: the suite could not be installed. Nothing was tested." >&2
        exit 2
    }
}

scratch=$(mktemp -d)
server=
end() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    rm -rf "$scratch"
}
trap end EXIT
trap 'exit 1' INT TERM

wstest=${WSTEST:-}
if [ -z "$wstest" ]; then
    wstest=$suite/bin/wstest
    [ -x "$wstest" ] || install_suite
    export PYTHONUSERBASE="$suite"
elif ! command -v "$wstest" >/dev/null 2>&1; then
    echo "make autobahn: WSTEST names $wstest, which is no program. Nothing was tested." >&2
    exit 2
fi

port() { sed -n 's/.*"event": "listening".*127\.0\.0\.1:\([0-9]*\).*/\1/p' "$scratch/log"; }

: >"$scratch/log"
"$python" "$folder/serve.py" >"$scratch/log" 2>&1 &
server=$!
tries=0
until [ -n "$(port)" ]; do
    tries=$((tries + 1))
    if [ "$tries" -gt 100 ] || ! kill -0 "$server" 2>/dev/null; then
        cat "$scratch/log" >&2
        echo "make autobahn: the server did not start. Nothing was tested." >&2
        exit 1
    fi
    sleep 0.1
done
"$python" "$folder/verdict.py" spec "$scratch" "ws://127.0.0.1:$(port)/ws/echo" "$cases"
if ! (cd "$scratch" && "$wstest" -m fuzzingclient -s spec.json) >"$scratch/suite" 2>&1; then
    tail -20 "$scratch/suite" >&2
    exit 1
fi
"$python" "$folder/verdict.py" judge "$scratch" "$cases" ${page:+"$page"}
