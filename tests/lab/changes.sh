#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# ptelab changes on the kernels of the series that ship, as far as the cache
# has them: it builds none.
# shellcheck source=../lib.sh disable=SC2016
. "$(dirname "$0")/../lib.sh"
need_lab changes.sh jq

KERNEL=${KERNEL:-scripts/lab/kernel}
PTELAB=${PTELAB:-build/native/ptelab}
base=$("$KERNEL" --where) || { skip changes.sh "no base kernel"; exit 0; }
[ -r "$base/vmlinux" ] || { skip changes.sh "the base kernel is not built"; exit 0; }

# series NAME JQ: what its kernel's changes must fulfil
series()
{
	local new

	new=$("$KERNEL" --series "$1" --where)
	[ -r "$new/vmlinux" ] || { skip "$1" "its kernel is not built"; return; }
	"$PTELAB" changes "$base" "$new" --json > "$tmp/$1.json" ||
		{ not_ok "$1" "could not compare"; return; }
	check "$1" jq -e ".functions as \$f | [\$f[].name] as \$n | $2" "$tmp/$1.json"
}

series null '.same and .moved == 0'
series layout '.same and .moved > 0'
series stage2-device '$n == ["vfio_pci_core_mmap"] and .data == []'
series lockless-norecency '($n | length) < 20 and ($n | index("gup_fast_fallback")) and .data == []'
series notify-upgrade-silent '($n | length) < 20 and ($n | index("__ptep_set_access_flags")) and .data == []'
series notify-upgrade-range '($n | length) < 40 and ($n | index("do_wp_page")) and .data == [] and
	([$f[] | select(.kind == "new")] | length) > 0 and
	all($f[]; .source.file != null)'
