#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# tree.sh: make ab of a git tree: the series in a mail, on the commit of a branch
# that has what it needs first; and a kernel after each commit of a range.
#
# The tree holds the few files that are read of it. The finished tree that it is
# built from is that of Debian's source under another name in the cache, so this
# compiles a patch and not a kernel.
# run: needs base
# run: builds
set -u
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

need_lab lab-tree jq
need_deps lab-tree build plot
need_kernel
unset_make_vars
cache=${kernel%/kernels/*}
source=$cache/trees/${kernel##*/}
if [ ! -d "$source" ]; then
	skip lab-tree "the tree of the base kernel is not in the cache any more"
	exit 0
fi

made=()
trap 'rm -rf "$tmp" "${made[@]}"' EXIT
tree=$tmp/tree
git=(git -C "$tree" -c user.name=x -c user.email=x@localhost)

# commit TEXT: all of the tree; prints the commit
commit()
{
	"${git[@]}" add -A && "${git[@]}" commit -qm "$1" && "${git[@]}" rev-parse HEAD
}

# built COMMIT KERNEL: puts that finished kernel into the cache, for a commit of the
# same code
built()
{
	where=$(scripts/lab/kernel --tree "$tree" --ref "$1" --where)
	made+=("$where")
	cp -al "$2" "$where"
}

git init -q "$tree"
(cd "$source" && cp --parents Makefile mm/gup.c mm/khugepaged.c mm/zswap.c "$tree")
base=$(commit 'as Debian has it')
"${git[@]}" checkout -q -b topic
sed -i '1i /* not built in this configuration */' "$tree/mm/zswap.c"
needed=$(commit 'mm/zswap: say that it is not built')
"${git[@]}" checkout -q --detach "$base"
built "$needed" "$kernel"
made+=("$cache/trees/$(basename "$where")")
cp -al "$source" "$cache/trees/$(basename "$where")"
before=$("${git[@]}" status --porcelain --ignored; "${git[@]}" for-each-ref; find "$tree" -type f | sort | xargs sha256sum)
echo 'ptelab run -o - --seed @SEED@ -b gup.pin_fast -p folio=4k -p pages=16' > "$tmp/job"

# ab NAME ARG...: leaves the folder of its results in $run
ab()
{
	local hash

	run=runs/test-$1.$$
	made+=("$run" "$run.new")
	if scripts/ab TREE="$tree" NAME="test-$1.$$" SEEDS=1 JOB="$tmp/job" "${@:2}" > "$tmp/out" 2> "$tmp/err"; then
		ok "$1"
		# Kernels of this tree alone
		for hash in $(jq -r .patched.hash "$run"/manifest.json); do
			made+=("$cache/kernels/$hash")
		done
	else
		not_ok "$1" "$(tail -n 1 "$tmp/err")"
		return 1
	fi
}

# rows FOLDER: the differences in kernel instructions
rows()
{
	build/native/ptelab compare "$1" --json |
		jq -c '[.results[] | select(.metric == "instructions_kernel") | .delta | round | select(. != 0)]'
}

id=$("${git[@]}" diff-tree -p "$needed" | git patch-id --stable | cut -d' ' -f1)
{
	printf 'From: A <a@localhost>\nMessage-ID: <1@localhost>\nSubject: [PATCH] mm: five instructions more\n\n'
	sed '1,/^$/d' tests/lab/patches/nops.patch
	printf -- '-- \n2.39.5\n\nbase-commit: %s\nprerequisite-patch-id: %s\n' "$base" "$id"
} > "$tmp/mail"
if ab tree-mbox MBOX="$tmp/mail"; then
	check tree-mbox-says-base grep -qx "ab: the series needs 1 other patch first, and ${needed:0:12} has them: that is BASE" "$tmp/err"
	equal tree-mbox-differs "$(rows "$run")" '[80]'
	equal tree-mbox-repeats-on "$(jq -r .settings "$run/manifest.json" | grep -o "BASE=[^ ]*" | tr -d \')" "BASE=$needed"
	mbox_kernel=$cache/kernels/$(jq -r .patched.hash "$run/manifest.json")
fi
equal tree-is-only-read "$("${git[@]}" status --porcelain --ignored; "${git[@]}" for-each-ref; find "$tree" -type f | sort | xargs sha256sum)" "$before"

# Two commits: what the mail has, whose kernel is there, and three instructions more
if [ -n "${mbox_kernel:-}" ]; then
	"${git[@]}" checkout -q topic
	sed '1,/^$/d' tests/lab/patches/nops.patch | patch -s -p1 -d "$tree"
	built "$(commit 'mm: five instructions more')" "$mbox_kernel"
	sed -i 's/nop; nop; nop; nop; nop/&; nop; nop; nop/' "$tree/mm/gup.c"
	commit 'mm: three instructions more' > "$tmp/new"
	if ab tree-each BASE="$needed" NEW=topic EACH=1; then
		equal tree-each-whole "$(rows "$run")" '[128]'
		equal tree-each-first "$(jq -r .title "$run/01/manifest.json"): $(rows "$run/01")" \
			'1/2 mm: five instructions more: [80]'
		equal tree-each-second "$(jq -r .title "$run/02/manifest.json"): $(rows "$run/02")" \
			'2/2 mm: three instructions more: [48]'
		equal tree-each-title "$(jq -r .title "$run/manifest.json")" 'mm: three instructions more'
		check tree-each-answers-each grep -q '^2/2 mm: three instructions more' "$run/answer.txt"
	fi
fi
