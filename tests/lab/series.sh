#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The shipped series, whole: two kernels built or taken from the cache, booted,
# compared. Each must come out as its README says.
# shellcheck disable=SC2034 # what is set here is for the expectations
# run: with scripts/lab/series/*/expect
set -uo pipefail
. "$(dirname "$0")/../lib.sh"
cd "$top" || exit 1
unset_make_vars

runs=()
trap 'rm -rf "$tmp" "${runs[@]}"' EXIT

# ab SERIES: leaves its compare.json in $json. With arguments, those series alone.
chosen=" $* "
ab()
{
	local name=test-$1.$$ seeds='1 2'

	[ "$chosen" = '  ' ] || [[ $chosen == *" $1 "* ]] || return 1
	runs+=("runs/$name" "runs/$name.new")
	json=runs/$name/compare.json
	# Of stage2-device one row of 1,473 has a stray fault in two boots of the base.
	[ "$1" != stage2-device ] || seeds='1 2 3'
	if scripts/ab SERIES="$1" NAME="$name" SEEDS="$seeds" "${@:2}" \
			> "$tmp/$1.log" 2>&1; then
		ok "$1: make ab"
		check "$1: the answer is 20 lines, 75 columns wide" short_head "runs/$name/answer.txt"
	else
		not_ok "$1: make ab" "$(tail -n 1 "$tmp/$1.log")"
		return 1
	fi
}

# Rows of the exact tier whose two sides do not touch.
differ='[.results[] | select(.tier == "exact" and (.verdict | IN("regression", "improvement", "changed")))]'
compared='[.results[] | select(.tier == "exact")] | length'
# One metric of one point of a series: value MATCH METRIC SIDE
one='def one($b; $p; $m): first(.results[] | select(.mode == "exact" and .bench == $b and .metric == $m and (.params | contains($p))));
def side($x): if ($x | type) == "object" then $x.median // $x.min else $x end;'

# How often a racer made a reader of the base kernel start again
raced()
{
	jq -e '[.results[] | select(.mode == "race" and .metric == "lockless_retries" and (.params.racer | IN("mprotect", "dontneed")))] |
		group_by(.params.racer) | length == 2 and all(map(.base | if type == "object" then .max else . end) | add > 0)' "$json" > /dev/null
}

job=$top/scripts/lab/series/lockless-norecency/job

for expect in scripts/lab/series/*/expect; do
	# shellcheck source=/dev/null
	. "$expect"
done
