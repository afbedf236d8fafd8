#!/bin/sh
# Start the echo server, run the suite against it, stop it: `make autobahn`. AUTOBAHN_CASES and WSTEST as in run.sh.
set -eu

folder=$(dirname "$0")
port=${PORT:-9008}
"${BIN:-.venv/bin}/python" "$folder/echo_server.py" "$port" --unlimited &
server=$!
trap 'kill "$server"' EXIT
sleep 1
cases=${AUTOBAHN_CASES:-"1.* 2.* 3.* 4.* 5.* 6.* 7.* 10.* 12.1.1 12.1.5 12.1.10 12.2.5 12.3.5 12.4.5 12.5.5 13.1.1 13.3.5 13.5.5"}
AUTOBAHN_CASES=$cases sh "$folder/run.sh" "$port"
