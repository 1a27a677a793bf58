#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Every command in runs/README.md works on a run, and prints something.
# shellcheck source=made-up.sh
. "$(dirname "$0")/made-up.sh"
needs jq

make_run -o run -k 6.12.0 -B aaaa -n 3 'gup.pin_fast folio=64k pages=16 : instructions_kernel=1331.5+1' \
	'mmio.store map=vfio ! unavailable no VFIO device'
make_run -o new -k 6.12.0-x -B bbbb -n 3 'gup.pin_fast folio=64k pages=16 : instructions_kernel=1400+1' \
	'mmio.store map=vfio ! unavailable no VFIO device'
ptelab compare run new --json >run/compare.json
cd run || exit 1
cp "$top/runs/example-trend/trend.json" .

# Each ```sh block into a file of its own.
awk '/^```sh/ { in_block = 1; n++; next } /^```/ { in_block = 0 } in_block { print >("block-" n) }' \
	"$top/runs/README.md"
blocks=$(find . -maxdepth 1 -name "block-*" | wc -l)
check "the README has commands" test "$blocks" -ge 10
for b in $(seq "$blocks"); do
	works()
	{
		exits 0 bash -o pipefail "block-$b" && [ ! -s "$tmp/err" ] &&
		{ [ -s "$tmp/out" ] || grep -q '^test ' "block-$b"; }
	}
	check "$(head -c 70 "block-$b" | head -n 1)..." works
done

# Every member that the format has is described.
described()
{
	local key

	for key in $(jq -r 'select(.type != "footer") | keys[]' boot-001.jsonl | sort -u) \
		   $(jq -r 'keys[], (.results[0] | keys[])' compare.json | sort -u); do
		case $key in
		version|mode|*_total|same_by_seed|reason) continue;;
		esac
		grep -q "\`$key\(\[\]\|\.[a-z_]*\)\?\`" "$top/runs/README.md" || { echo "  not described: $key"; return 1; }
	done
}
check "every member is described" described

# What the README shows is the answer that ships.
shown()
{
	! grep -vxFf "$top/README.md" "$top/runs/example-notify-upgrade-range/answer.txt" | grep -q .
}
check "README shows the answer of the example" shown
