#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The shipped series, whole: two kernels built or taken from the cache, booted,
# compared. Each must come out as its README says.
# run: part null must null
# run: part layout layout
# run: part lockless-norecency lockless-norecency
# run: part stage2-device stage2-device
set -uo pipefail
. "$(dirname "$0")/../lib.sh"
cd "$top" || exit 1
unset SERIES KERNEL TREE BASE NEW PATCHES NAME IMAGE_BASE IMAGE_NEW CONFIG SEEDS JOB TIMEOUT

runs=()
trap 'rm -rf "$tmp" "${runs[@]}"' EXIT

# ab SERIES: leaves its compare.json in $json. With arguments, those series alone.
chosen=" $* "
ab()
{
	local name=test-$1.$$

	[ "$chosen" = '  ' ] || [[ $chosen == *" $1 "* ]] || return 1
	runs+=("runs/$name" "runs/$name.new")
	json=runs/$name/compare.json
	if scripts/ab SERIES="$1" NAME="$name" SEEDS="1 2" "${@:2}" \
			> "$tmp/$1.log" 2>&1; then
		ok "$1: make ab"
	else
		not_ok "$1: make ab" "$(tail -n 1 "$tmp/$1.log")"
		return 1
	fi
}

# holds NAME JQ: a statement about $json
holds()
{
	if jq -e "$2" "$json" > /dev/null 2>&1; then
		ok "$1"
	else
		not_ok "$1" "not so: $2"
	fi
}

# Rows of the exact tier whose two sides do not touch.
differ='[.results[] | select(.tier == "exact" and (.verdict | IN("regression", "improvement", "changed")))]'
compared='[.results[] | select(.tier == "exact")] | length'
# One metric of one point of a series: value MATCH METRIC SIDE
one='def one($b; $p; $m): first(.results[] | select(.mode == "exact" and .bench == $b and .metric == $m and (.params | contains($p))));
def side($x): if ($x | type) == "object" then $x.median // $x.min else $x end;'

if ab null JOB="$top/scripts/lab/jobs/default"; then
	holds "null: much was compared" "($compared) > 500"
	holds "null: no exact difference" "$differ | length == 0"
fi

# Three seeds: the frames of this kernel lie otherwise, as do those of each seed.
if ab layout JOB="$top/scripts/lab/jobs/default" SEEDS="1 2 3"; then
	holds "layout: much was compared" "($compared) > 500"
	holds "layout: no exact difference" "$differ | length == 0"
fi

# How often a racer made a reader of the base kernel start again
raced()
{
	jq -e '[.results[] | select(.mode == "race" and .metric == "lockless_retries" and (.params.racer | IN("mprotect", "dontneed")))] |
		group_by(.params.racer) | length == 2 and all(map(.base | if type == "object" then .max else . end) | add > 0)' "$json" > /dev/null
}

job=$top/scripts/lab/jobs/lockless-norecency
if ab lockless-norecency JOB="$job"; then
	# On a busy host two boots may have no race at all.
	for seeds in "1 2 3 4" "1 2 3 4 5 6 7 8"; do
		! raced || break
		ab lockless-norecency JOB="$job" SEEDS="$seeds"
	done
	for b in fast pin_fast pin_longterm iouring odirect vmsplice; do
		p='{"folio":"64k","pages":16}'
		holds "lockless-norecency: gup.$b: 16 gathers a 64K folio before, none after" \
			"$one one(\"gup.$b\"; $p; \"lockless_gathers\") | side(.base) == 16 and side(.new) == 0"
		holds "lockless-norecency: gup.$b: fewer kernel instructions" \
			"$one one(\"gup.$b\"; $p; \"instructions_kernel\") | .verdict == \"improvement\" and .ratio < 0.6"
		holds "lockless-norecency: gup.$b: slow pages not up" \
			"$one one(\"gup.$b\"; $p; \"gup_slow_pages\") | side(.new) <= side(.base)"
	done
	holds "lockless-norecency: a shared futex: 1 gather before, none after" \
		"$one one(\"gup.futex\"; {\"folio\":\"64k\"}; \"lockless_gathers\") | side(.base) == 1 and side(.new) == 0"
	holds "lockless-norecency: CoW fault on a contpte block: fewer kernel instructions" \
		"$one one(\"fault.cow\"; {\"folio\":\"64k\"}; \"instructions_kernel\") | .verdict == \"improvement\""
	holds "lockless-norecency: process_vm_readv makes no GUP-fast call" \
		"$one one(\"gup.remote\"; {\"folio\":\"64k\",\"pages\":16}; \"gup_fast_calls\") | side(.base) == 0 and side(.new) == 0"
	for r in mprotect dontneed; do
		holds "lockless-norecency: a racing $r: retries before, none after" \
			"[.results[] | select(.mode == \"race\" and .metric == \"lockless_retries\" and .params.racer == \"$r\")] | (map(.base | if type == \"object\" then .max else . end) | add) > 0 and all(.new == 0)"
		holds "lockless-norecency: a racing $r: nobody gathers any more" \
			"[.results[] | select(.mode == \"race\" and .metric == \"lockless_gathers\" and .params.racer == \"$r\")] | length > 0 and all(.new == 0)"
		holds "lockless-norecency: a racing $r: retries per 1,000 gathers" \
			"[.results[] | select(.mode == \"race\" and .metric == \"retries_per_1000_gathers\" and .params.racer == \"$r\")] | length > 0 and all(.new == 0)"
	done
	holds "lockless-norecency: 4k folios never gather" \
		'[.results[] | select(.metric == "lockless_gathers" and .params.folio == "4k" and (.bench | startswith("gup."))) | .base, .new] | all(. == 0)'
	check "lockless-norecency: the harness is at most 1 % of each default point" \
		jq -es '[.[] | select(.type == "point" and .params.folio == "64k" and .harness) | .harness.instructions] | length > 10 and max <= 0.01' \
		"${json%/*}/base/boot-001.jsonl"
	# The boots of the first seed are counted.
	for m in instructions instructions_kernel loads; do
		shares "all-of-lockless-norecency-$m" "${json%/*}/base" \
			"${json%/*}/patched" "$m" 2 -b gup.pin_fast:pages=16:folio=4k,64k \
			-b fault.spurious:folio=4k,64k -b fault.cow:folio=4k,64k
	done
	equal gathers-go "$(build/native/ptelab explain "${json%/*}/base" \
		"${json%/*}/patched" -b gup.pin_fast:folio=64k:pages=16 --json |
		jq -r '.[].functions[] | select(.name == "contpte_ptep_get_lockless") | "\(.calls_base) \(.calls_new) \(.new)"')" "16 0 0"
fi

if ab stage2-device; then
	vfio='{"bar":"1b36:0010","backing":"vfio"'
	for guest in nc ngnre mixed; do
		p="$vfio,\"guest\":\"$guest\"}"
		holds "stage2-device: guest=$guest: each page of a VFIO BAR was NC in stage 2, and is Device" \
			"$one [one(\"mmio.map\"; $p; \"s2_maps.nc\"), one(\"mmio.map\"; $p; \"s2_maps.device\") | side(.base), side(.new)] == [1, 0, 0, 1]"
		holds "stage2-device: guest=$guest: RAM as before" \
			"$one one(\"mmio.map\"; $p; \"s2_maps.normal\") | side(.base) == side(.new) and side(.base) > 0"
	done
	holds "stage2-device: a guest that asks for NC gets Device" \
		"$one [one(\"mmio.map\"; $vfio,\"guest\":\"nc\"}; \"in_force.Normal-NC\", \"in_force.Device-nGnRE\") | side(.base), side(.new)] == [1, 0, 0, 1]"
	holds "stage2-device: a guest that asks for Device has it on both" \
		"$one [one(\"mmio.map\"; $vfio,\"guest\":\"ngnre\"}; \"in_force.Normal-NC\", \"in_force.Device-nGnRE\") | side(.base), side(.new)] == [0, 0, 1, 1]"
	holds "stage2-device: page by page" \
		"$one [one(\"mmio.map\"; $vfio,\"guest\":\"mixed\"}; \"in_force.Normal-NC\", \"in_force.Device-nGnRE\") | side(.base), side(.new)] == [0.5, 0, 0.5, 1]"
	holds "stage2-device: the finding, for VFIO only" \
		'[.findings[] | select(.rule == "stage2-memtype") | .params.backing] | length >= 5 and all(. == "vfio")'
	holds "stage2-device: nothing else that is counted differs" \
		"$differ | all((.bench == \"mmio.map\" and (.metric | startswith(\"instructions\"))) or
			(.metric | startswith(\"s2_maps.\") or startswith(\"in_force.\")))"
fi
