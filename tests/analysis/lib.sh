# SPDX-License-Identifier: GPL-2.0
# What the shell tests of analysis/ share. Each test is called with the
# program to test in PTELAB (default build/native/ptelab), from anywhere.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
PTELAB=${PTELAB:-$top/build/native/ptelab}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failures=0

skip()
{
	echo "SKIP: $*"
	exit 77
}

[ -x "$PTELAB" ] || skip "no $PTELAB: make first, or set PTELAB"

${CC:-cc} -std=gnu11 -D_GNU_SOURCE -g -o "$tmp/make-run" \
	"$here/make-run.c" "$top/lib/record.c" "$top/lib/metric.c" \
	"$top/lib/util.c" -ljansson -lmd -lm || exit 1

make_run()
{
	"$tmp/make-run" "$@"
}

ptelab()
{
	"$PTELAB" "$@"
}

# check NAME COMMAND...: the command must succeed
check()
{
	local name=$1

	shift
	if "$@"; then
		echo "ok - $name"
	else
		echo "FAILED - $name"
		failures=$((failures + 1))
	fi
}

# exits CODE COMMAND...: keeps what it prints in $tmp/out and $tmp/err
exits()
{
	local want=$1 got

	shift
	"$@" >"$tmp/out" 2>"$tmp/err"
	got=$?
	[ $got = "$want" ] && return
	echo "  exit status $got, not $want: $*"
	sed 's/^/  /' "$tmp/err"
	return 1
}

# says PATTERN [FILE]: the output has a line with it (fixed string)
says()
{
	grep -qF -- "$1" "${2:-$tmp/out}" && return
	echo "  does not say: $1"
	sed 's/^/  | /' "${2:-$tmp/out}" | head -60
	return 1
}

silent_on()
{
	! grep -qF -- "$1" "${2:-$tmp/out}" && return
	echo "  must not say: $1"
	return 1
}

# narrow WIDTH: no line of the output is wider
narrow()
{
	awk -v w="$1" 'length($0) > w { print "  " length($0) " columns: " $0; if (++bad == 3) exit }
		END { exit bad > 0 }' "$tmp/out"
}

# ascii: nothing that a terminal could act on
ascii()
{
	! LC_ALL=C grep -qP '[^\x20-\x7e]' "$tmp/out"
}

# json EXPRESSION: true of the output
json()
{
	jq -e "$1" "$tmp/out" >/dev/null && return
	echo "  not true: $1"
	return 1
}

finish()
{
	[ $failures = 0 ] && exit 0
	echo "$failures failed"
	exit 1
}
