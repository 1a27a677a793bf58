#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# cost.sh: a counter costs hardly more than an empty program at the same place.
# run: needs base root
set -u
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=trace.sh
. "$(dirname "$0")/trace.sh"

need_lab trace-cost mmdebstrap
if ! "$top/tests/bpf/bench-trace" > "$tmp/table" 2> "$tmp/err"; then
	not_ok bench-trace "$(tail -n 1 "$tmp/err")"
	exit 1
fi

# at_most NAME PATTERN RATIO: the line's last column.
at_most()
{
	local ratio

	ratio=$(grep -m 1 -- "$2" "$tmp/table" | awk '{ print $NF }')
	if awk -v r="${ratio:-x}" -v max="$3" 'BEGIN { exit !(r > 0 && r <= max) }'; then
		ok "$1"
	else
		not_ok "$1" "${ratio:-no figure}, not at most $3"
	fi
}

at_most fentry-counter 'ptelab gup_fast_calls  ' 1.10
at_most fexit-counter 'ptelab gup_fast_pages  ' 1.10
at_most kprobe-counter 'ptelab lockless_gathers  ' 1.03
# This one looks into its argument, to tell events apart.
at_most fentry-counter-by-event 'ptelab notifier_start.protection_vma  ' 1.20
# awk: each of ours is cheaper than bpftrace's at the same place.
# shellcheck disable=SC2016
check cheaper-than-bpftrace awk '
	/ptelab .*  / && !/mine/ { ours[$1] = $(NF - 1) }
	/bpftrace/ { theirs[$1] = $(NF - 1); n++ }
	END {
		for (at in theirs)
			if (!(ours[at] < theirs[at]))
				exit 1
		exit n != 2
	}' "$tmp/table"
