# SPDX-License-Identifier: GPL-2.0
# What the tests of analysis/ share beyond ../lib.sh: made-up runs, and looking
# at what a command printed. PTELAB is the program to test.
# shellcheck shell=bash
# shellcheck source=../lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

PTELAB=${PTELAB:-$top/build/native/ptelab}
if ! [ -x "$PTELAB" ]; then
	skip "$(basename "$0")" "no $PTELAB: run make"
	exit 0
fi

${CC:-cc} -std=gnu11 -D_GNU_SOURCE -I"$top" -g -o "$tmp/make-run" \
	"$top/tests/analysis/make-run.c" "$top/lib/record.c" \
	"$top/lib/batches.c" "$top/lib/metric.c" "$top/lib/util.c" -ljansson -lmd -lm || exit 1
cd "$tmp" || exit 1

# make_batches: builds make-batches once it is needed
make_batches()
{
	[ -x "$tmp/make-batches" ] ||
		${CC:-cc} -std=gnu11 -D_GNU_SOURCE -O2 -o "$tmp/make-batches" \
			"$top/tests/analysis/make-batches.c" -lmd -lm || return
	"$tmp/make-batches" "$@"
}

# needs PROGRAM: skips the whole test without it
needs()
{
	command -v "$1" > /dev/null && return
	skip "$(basename "$0")" "needs $1"
	exit 0
}

make_run()
{
	"$tmp/make-run" "$@"
}

# sealed FILE: writes the records on standard input as a run file
sealed()
{
	grep -v '^{"type":"footer"' > "$1"
	printf '{"type":"footer","records":%d,"checksum":"sha256:%s"}\n' \
		$(($(wc -l < "$1") - 1)) "$(sha256sum < "$1" | cut -d' ' -f1)" >> "$1"
}

ptelab()
{
	"$PTELAB" "$@"
}

# exits CODE COMMAND...: keeps what it prints in $tmp/out and $tmp/err
exits()
{
	local want=$1 got=0

	shift
	"$@" > "$tmp/out" 2> "$tmp/err" || got=$?
	[ $got = "$want" ] && return
	echo "exit status $got, not $want: $* ($(tail -n 1 "$tmp/err"))"
	return 1
}

# says TEXT [FILE]: a line of the output has it
says()
{
	grep -qF -- "$1" "${2:-$tmp/out}" && return
	echo "does not say '$1' but: $(head -c 2000 "${2:-$tmp/out}" | tr '\n' '|')"
	return 1
}

silent_on()
{
	! grep -qF -- "$1" "${2:-$tmp/out}" && return
	echo "must not say '$1'"
	return 1
}

# narrow WIDTH: no line of the output is wider
narrow()
{
	awk -v w="$1" 'length($0) > w { print length($0) " columns: " $0; exit bad = 1 }
		END { exit bad }' "$tmp/out"
}

# ascii: nothing in the output that a terminal could act on
ascii()
{
	! LC_ALL=C grep -qP '[^\x20-\x7e]' "$tmp/out"
}

# json EXPRESSION: true of the output
json()
{
	jq -e "$1" "$tmp/out" > /dev/null && return
	echo "not true: $1" | tr '\n' ' '
	return 1
}
