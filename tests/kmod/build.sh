#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# build.sh: ptelab.ko builds with all that the kernel's own tools have to say
# about it: W=1, sparse, checkpatch.
# run: needs base
set -u
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

need_deps kmod-build lab arm64
need_kernel
cache=${PTELAB_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ptelab}
tree=$cache/trees/${kernel##*/}
if [ ! -f "$tree/Makefile" ]; then
	skip kmod-build "the built tree of ${kernel##*/} is no longer in the cache; remove $kernel, and both are built again"
	exit 0
fi

# build NAME OPTION...: what the compiler or a checker says is a failure.
build()
{
	local name=$1
	shift

	if make -s -C "$top/kmod" KDIR="$tree" OUT="$tmp/$name" ARCH=arm64 \
			CROSS_COMPILE="${CROSS_COMPILE:-aarch64-linux-gnu-}" "$@" \
			> "$tmp/log" 2>&1; then
		equal "$name" "$(head -n 3 "$tmp/log")" ""
	else
		not_ok "$name" "$(grep -m 1 -iE 'error' "$tmp/log")"
	fi
}

build warnings W=1
if command -v sparse > /dev/null; then
	build sparse C=1
else
	skip sparse "not installed; run scripts/deps test"
fi
check needs-nothing-but-its-sources test -f "$tmp/warnings/ptelab.ko"

cd "$top" || exit 1
for f in kmod/*.[ch] kmod/probe/*.c; do
	perl "$tree/scripts/checkpatch.pl" --no-tree --terse --no-summary -f "$f"
done > "$tmp/style" 2> "$tmp/err"
equal checkpatch "$(head -n 3 "$tmp/style")$(head -n 1 "$tmp/err")" ""
