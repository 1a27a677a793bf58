#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The kernel's checkpatch.pl on what changed in C: against HEAD, or where nothing
# is changed against the main branch.
#
#	BASE=x		against that commit
set -u
. "$(dirname "$0")/../lib.sh"
cd "$top" || exit 1

if ! git rev-parse --verify -q HEAD > /dev/null 2>&1; then
	skip checkpatch "this is no git tree"
	exit 0
fi
base=${BASE:-}
if [ -z "$base" ]; then
	base=HEAD
	! git diff --quiet HEAD -- '*.[ch]' ||
		base=$(git merge-base HEAD "$(git rev-parse --abbrev-ref -q 'HEAD@{upstream}' 2> /dev/null || echo main)" 2> /dev/null || echo HEAD)
fi
git rev-parse --verify -q "$base^{commit}" > /dev/null || {
	not_ok checkpatch "no commit '$base'"
	exit 1
}
git diff "$base" -- '*.[ch]' > "$tmp/diff"
if [ ! -s "$tmp/diff" ]; then
	skip checkpatch "no C file differs from $(git rev-parse --short "$base")"
	exit 0
fi

# It is part of every kernel tree, and of what the cache keeps of a kernel.
cache=${PTELAB_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ptelab}
script=''
for f in "$cache"/trees/*/scripts/checkpatch.pl /usr/src/linux*/scripts/checkpatch.pl; do
	[ ! -f "$f" ] || script=$f
done
if [ -z "$script" ]; then
	for f in "$cache"/kernels/*/headers.tar.gz; do
		[ -f "$f" ] && tar -C "$tmp" -xzf "$f" --wildcards 'scripts/checkpatch.pl' \
			'scripts/spelling.txt' 'scripts/const_structs.checkpatch' 2> /dev/null &&
			script=$tmp/scripts/checkpatch.pl && break
	done
fi
if [ -z "$script" ]; then
	skip checkpatch "no checkpatch.pl: no kernel tree in $cache; scripts/lab/kernel makes one"
	exit 0
fi
perl "$script" --no-tree --no-signoff --terse --showfile --no-summary --show-types \
	--ignore FILE_PATH_CHANGES,COMMIT_MESSAGE,PREFER_KERNEL_TYPES,SPLIT_STRING,LONG_LINE_STRING,EMBEDDED_FUNCTION_NAME \
	"$tmp/diff" > "$tmp/out" 2> "$tmp/err"
equal checkpatch "$(head -n 10 "$tmp/out")$(head -n 1 "$tmp/err")" ''
