# SPDX-License-Identifier: GPL-2.0
# Helpers of the shell tests: each test says "ok NAME", "not ok NAME: why" or
# "skip NAME: reason" on a line of its own; tests/run adds them up.
# shellcheck shell=bash

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
tmp=$(mktemp -d "${TMPDIR:-/tmp}/ptelab-test.XXXXXX")
trap 'rm -rf "$tmp"' EXIT

ok()
{
	printf 'ok %s\n' "$1"
}

not_ok()
{
	printf 'not ok %s: %s\n' "$1" "${*:2}"
}

skip()
{
	printf 'skip %s: %s\n' "$1" "${*:2}"
}

# What a reader of the results should know, and is neither good nor bad.
note()
{
	printf 'note %s: %s\n' "$1" "${*:2}"
}

# check NAME COMMAND...: ok if the command succeeds.
check()
{
	local name=$1

	shift
	if "$@" > "$tmp/check.out" 2>&1; then
		ok "$name"
	else
		not_ok "$name" "'$*' failed: $(tail -n 1 "$tmp/check.out")"
	fi
}

# refuses NAME PATTERN COMMAND...: ok if the command exits with 2 and says one
# line on standard error that matches the extended regular expression.
refuses()
{
	local name=$1 pattern=$2 status=0 lines

	shift 2
	"$@" > "$tmp/refuses.out" 2> "$tmp/refuses.err" < /dev/null || status=$?
	lines=$(wc -l < "$tmp/refuses.err")
	if [ "$status" -ne 2 ]; then
		not_ok "$name" "exit status $status, not 2"
	elif [ "$lines" -ne 1 ]; then
		not_ok "$name" "$lines lines on standard error, not 1: $(head -c 300 "$tmp/refuses.err" | tr '\n' '|')"
	elif ! grep -Eq -- "$pattern" "$tmp/refuses.err"; then
		not_ok "$name" "said: $(cat "$tmp/refuses.err")"
	else
		ok "$name"
	fi
}

# equal NAME GOT WANT
equal()
{
	if [ "$2" = "$3" ]; then
		ok "$1"
	else
		not_ok "$1" "got '$2', want '$3'"
	fi
}
