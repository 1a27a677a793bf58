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

# holds NAME [RUN] JQ: the statement must be true of $tmp/RUN.json, or of the file
# $json. Else prints what it is, and of a run the first point that is not ok.
holds()
{
	# shellcheck disable=SC2154
	local name=$1 file=${3:+$tmp/$2.json} got
	local say='arrays | first(.[] | select(.status? and .status != "ok") | [.params, .reason])'

	file=${file:-$json}
	got=$(jq -c "${!#}" "$file" 2>&1 | sort -u)
	if [ "$got" = true ]; then
		ok "$name"
	else
		not_ok "$name" "${got:0:400}: ${!#}; $(jq -c "$say" "$file" 2>&1 | head -c 300)"
	fi
}

# short_head FILE: whether its answer is 20 lines of 75 columns, without the note
# that boots are few, and without those of each patch.
short_head()
{
	local head

	# What too few boots can't tell is not of the answer: a test boots less.
	head=$(sed -E '/^note: /,/^Repeat/{/^Repeat/!d}; /^  [0-9]+ inconclusive/,/^(note|Repeat)/{/^Repeat/!d}
		/^Repeat/q; /^Each patch/q' "$1")
	[ "$(wc -l <<< "$head")" -le 20 ] || { echo "$(wc -l <<< "$head") lines: $1"; return 1; }
	! awk 'length > 75' <<< "$head" | grep .
}

# cpu_seconds PID: what a process that still runs, and the children it has waited
# for, have used
cpu_seconds()
{
	local line

	{ read -r line < "/proc/$1/stat"; } 2> /dev/null || return 1
	# shellcheck disable=SC2086
	set -- ${line##*) }
	[ "$1" != Z ] || return 1
	echo $(((${12} + ${13} + ${14} + ${15}) / $(getconf CLK_TCK)))
}

# await PID COMMAND...: until the command succeeds, however slow the machine is;
# fails once the process has ended, has used 60 s of CPU, or sleeps for ever.
await()
{
	local pid=$1 tries

	shift
	for ((tries = 0; tries < 6000; tries++)); do
		! "$@" || return 0
		# It may have become true, and the process ended, since.
		[ "$(cpu_seconds "$pid" || echo 60)" -lt 60 ] || { "$@"; return; }
		sleep 0.1
	done
	return 1
}

# need_proofs NAME: benchmarks on folios can run, or all of it is skipped.
need_proofs()
{
	local why

	why=$("$top/build/native/ptelab" doctor --json |
		jq -r '.[] | select(.what == "proofs" and .state == "missing") | .text')
	if [ -n "$why" ]; then
		skip "$1" "$why"
		exit 0
	fi
}

# The variables of make ab, bisect and trend that a caller has set are not for a test.
unset_make_vars()
{
	# shellcheck disable=SC2046
	unset $(awk '/^(AB|BISECT|TREND)_VARS/ { on = 1; sub(/^[^=]*=/, "") }
		on { on = sub(/\\$/, ""); print }' "$top/Makefile")
}

# need_deps NAME GROUP...: packages of scripts/deps, or all of it is skipped.
need_deps()
{
	if ! "$top/scripts/deps" --check "${@:2}" 2> "$tmp/deps"; then
		skip "$1" "$(tail -n 1 "$tmp/deps")"
		exit 0
	fi
}

# need_lab NAME [PROGRAM]: else all of it is skipped.
need_lab()
{
	need_deps "$1" lab arm64
	if [ $# -gt 1 ] && ! command -v "$2" > /dev/null; then
		skip "$1" "no $2"
		exit 0
	fi
	cd "$top" || exit 1
}

# need_kernel [OPTION...]: a kernel of the lab, unpatched unless options say
# otherwise: sets $kernel.
# shellcheck disable=SC2120
need_kernel()
{
	# shellcheck disable=SC2034
	if ! kernel=$("$top/scripts/lab/kernel" "$@" 2> "$tmp/kernel"); then
		not_ok base-kernel "$(tail -n 1 "$tmp/kernel")"
		exit 1
	fi
}

# The module for $kernel: sets $module.
need_module()
{
	# shellcheck disable=SC2034
	if ! module=$("$top/scripts/lab/module" "$kernel" 2> "$tmp/module"); then
		not_ok module "$(tail -n 1 "$tmp/module")"
		exit 1
	fi
}

# shares NAME BASE NEW METRIC LEAST [OPTION...]: ptelab explain finds all of every difference
# between two runs with counted boots, by the unrounded sums, in LEAST points or more.
shares()
{
	local name=$1 all

	if ! "$top/build/native/ptelab" explain "$2" "$3" -m "$4" --top 0 --json "${@:6}" \
			> "$tmp/$name.json" 2> "$tmp/err"; then
		not_ok "$name" "$(tail -n 1 "$tmp/err")"
		return
	fi
	all=$(jq 'length' "$tmp/$name.json")
	equal "$name" "$(jq '[.[] | select((.accounted_for - 1 | fabs) < 1e-9 and
		((([.functions[].delta] | add) - .delta) | fabs) < 1e-6)] | length' "$tmp/$name.json")" "$all"
	[ "$all" -ge "$5" ] || not_ok "$name-has-differences" "only $all points differ"
}
