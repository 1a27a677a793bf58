#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The atlas of the base kernel: the same in two boots, what it says of who runs a
# function, and what is chosen by it for the kernels of the series, as far as the
# cache has them.
# run: needs base
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
need_lab atlas.sh jq
need_kernel

PTELAB=${PTELAB:-build/native/ptelab}
if ! dir=$(scripts/lab/atlas "$kernel" 2> "$tmp/err"); then
	not_ok atlas "$(tail -n 1 "$tmp/err")"
	exit 1
fi
equal kept "$(scripts/lab/atlas "$kernel" 2>&1)" "$dir"

# Once more, in a cache of its own, but for the kernel and the module
mkdir -p "$tmp/cache/atlas"
for f in kernels modules tools trees; do
	ln -s "$(dirname "$(dirname "$dir")")/$f" "$tmp/cache/"
done
if again=$(PTELAB_CACHE=$tmp/cache scripts/lab/atlas "$kernel" 2> "$tmp/err"); then
	for f in boot-001.jsonl boot-001.insns.gz; do
		check "same-in-two-boots-$f" cmp "$dir/$f" "$again/$f"
	done
else
	not_ok same-in-two-boots "$(tail -n 1 "$tmp/err")"
fi
check nothing-unfinished bash -c '[ "$(ls -A "$0/cache/atlas" | wc -l)" = 1 ]' "$tmp"

# runs FUNCTION JQ: what is so of the points that run it
runs()
{
	"$PTELAB" list --atlas "$dir" --runs "$1" --json > "$tmp/runs" && jq -e "$2" "$tmp/runs"
}
check protects-with-a-listener runs change_protection \
	'any(.[]; .bench == "notifier.mprotect" and .params.secondary == "module") and
		([.[].instructions] | . == (sort | reverse))'
check listener-needs-a-listener runs __mmu_notifier_invalidate_range_start \
	'length > 10 and all(.[]; .params.secondary != "none")'
check gup-is-run-by-gup runs gup_fast_fallback 'any(.[]; .bench == "gup.pin_fast")'
refuses nobody-runs-mincore 'no point of .* runs a function' "$PTELAB" list --atlas "$dir" --runs mincore_pte_range

# series NAME PATTERN...: what its job says, with comments unfolded
series()
{
	local new p name=$1
	shift

	new=$(scripts/lab/kernel --series "$name" --where)
	[ -r "$new/vmlinux" ] || { skip "$name" "its kernel is not built"; return; }
	"$PTELAB" atlas --budget 80 --atlas "$dir" "$kernel" "$new" > "$tmp/job" || { not_ok "$name" "no job"; return; }
	sed ':a; N; $!ba; s/\n#   / /g' "$tmp/job" > "$tmp/unfolded"
	for p; do
		check "$name: $p" grep -qE -- "$p" "$tmp/unfolded"
	done
}
series null 'same code: nothing to measure'
check null-is-no-command bash -c '[ -r "$0" ] && ! grep -q ^ptelab "$0"' "$tmp/job"
# What make ab makes of that, and make reproduce of the result
if [ -r "$(scripts/lab/kernel --series null --where)/vmlinux" ]; then
	unset_make_vars
	run=runs/test-atlas.$$
	trap 'rm -rf "$tmp" "$run" "runs/reproduce-${hash:-none}"' EXIT
	scripts/ab SERIES=null NAME="${run#runs/}" > "$tmp/ab" 2>&1
	equal nothing-to-measure "$? $(grep -c '^SAME CODE: ' "$tmp/ab")" "0 1"
	check knows-the-patch grep -q '^ the patch$' "$run/changes.txt"
	check and-all-of-it sh -c "! grep -q 'not found here' '$run/changes.txt'"
	equal and-nothing-booted "$(cd "$run" && echo *)" "answer.txt changes.txt job manifest.json"
	hash=$(jq -r .hash "$run/manifest.json")
	equal reproduced "$(scripts/reproduce --trust "$hash" "$run" 2> /dev/null | grep -v '^it needs ')" \
		"identical: two kernels of the same code, of which nothing is measured"
fi
series lockless-norecency ' runs gup_fast_fallback\(\): ' 'runs none of it: must come out equal' \
	' -b gup\.[a-z_]+' ' -b fault\.cow'
series notify-upgrade-range ' runs do_wp_page\(\): ' '^# module' ' -b notifier\.upgrade:secondary=module' \
	' -b notifier\.upgrade:backing=hugetlb:secondary=module:folio=2m'
series stage2-device ': is set up by vfio_pci_core_mmap\(\): ' ' 1 of 1 \(1 in set-up alone\)' '^# qemu: -object memory-backend-ram' \
	' -b mmio\.map:bar=00:04\.0/2:force=yes' ': other guest'
