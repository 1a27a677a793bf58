#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# ab.sh: make ab refuses what it can't do before it looks at packages; and
# scripts/deps leaves nothing behind when it is killed.
# shellcheck disable=SC2016
set -u
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

ab=$top/scripts/ab
unset_make_vars
export PTELAB_CACHE=$tmp/cache TMPDIR=$tmp/tmp
mkdir "$tmp/tmp"

# Programs that scripts/deps asks and installs with: they only note the call.
mkdir "$tmp/bin"
for p in dpkg-query apt-get sudo; do
	printf '#!/bin/sh\necho "$0 $*" >> "%s"\nexit 1\n' "$tmp/asked" > "$tmp/bin/$p"
done
chmod +x "$tmp/bin"/*
mkdir "$tmp/tree"

# early NAME PATTERN ARG...: refused, and no package was asked for.
early()
{
	local name=$1 pattern=$2

	shift 2
	rm -f "$tmp/asked"
	refuses "$name" "$pattern" env PATH="$tmp/bin:$PATH" "$ab" "$@"
	check "$name-before-packages" test ! -e "$tmp/asked"
}

early unknown-argument "unknown argument 'FOO=1'" FOO=1
# What make would take for a variable that has no reader, and for a target
# odd GOAL ARG PATTERN: make passes ARG on, and the script refuses it
odd()
{
	PATH="$tmp/bin:$PATH" make -s -C "$top" "$1" "$2" NAME=x > "$tmp/out" 2>&1
	check "make-$1-$2" grep -q "^$1: unknown argument '${2%%=*}'; $3" "$tmp/out"
}

odd ab PATCH=a.patch 'see scripts/ab --help$'
odd ab b.patch 'give patches as PATCHES="a.patch b.patch", in quotes$'
odd bisect BADD=x 'see scripts/bisect --help$'
odd trend SEED=1 'see scripts/trend --help$'
equal make-known "$(make -ns --no-print-directory -C "$top" ab SEEDS=1 CFLAGS=-O1 PTELAB_CACHE=x | xargs)" scripts/ab
early series "no series 'nosuch'; there are: .*notify-upgrade-range" SERIES=nosuch
early job "no job 'nosuch'; there are: .*releases" JOB=nosuch
early patch 'no file nosuch.patch' PATCHES=nosuch.patch NAME=x
early patch-folder "PATCHES: $tmp/tree is a folder; give SERIES=$tmp/tree" PATCHES="$tmp/tree" NAME=x
early patch-no-name 'PATCHES needs NAME' PATCHES="$0"
early patch-alone "unknown argument 'b.patch'; give patches as PATCHES=\"a.patch b.patch\"" PATCHES=a.patch b.patch
early config "no configuration 'nosuch'" CONFIG=nosuch
early kernel "KERNEL 'nosuch' is neither" KERNEL=nosuch
early tarball 'no file nosuch.tar.xz' KERNEL=nosuch.tar.xz
early tree "TREE 'nosuch' is no directory" TREE=nosuch BASE=x NEW=y
early no-git-tree 'tree is no git tree' TREE="$tmp/tree" BASE=x NEW=y
early image 'no file nosuch' IMAGE_BASE=nosuch IMAGE_NEW=nosuch
early auto-without-vmlinux 'JOB=auto needs the vmlinux of both kernels' IMAGE_BASE="$0" IMAGE_NEW="$0" JOB=auto
early seed "SEEDS: 'x' is not a number" SEEDS=x
early count "COUNT 'x' is none of" COUNT=x
early name 'is no name for a folder' NAME=../x
early one-release "is not two of Debian's kernels" RELEASES=6.12
early three-releases "is not two of Debian's kernels" RELEASES="6.1 6.12 7.3"
early release-no-version "'six' is neither X.Y, the start of" RELEASES="6.12 six"
early release-twice '6.12 twice is one kernel' RELEASES="6.12 6.12"
early releases-and-series 'not RELEASES and something else' RELEASES="6.12 newest" SERIES=null
early releases-and-config 'not RELEASES and something else' RELEASES="6.12 newest" CONFIG=defconfig
early each "EACH 'x' is not 1" EACH=x
early fresh "FRESH 'x' is not 1" FRESH=x
early each-of-images 'EACH=1 is for patches' EACH=1 IMAGE_BASE="$0" IMAGE_NEW="$0"
early which-alone 'WHICH is for MBOX alone' WHICH=v2
early mbox-and-series 'not MBOX and something else' MBOX=x SERIES=null
early no-mbox 'no file or folder nosuch' MBOX=nosuch
printf 'Subject: [PATCH] mm: x\n\n---\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n' > "$tmp/mail"
cat "$tmp/mail" - > "$tmp/mail-base" <<< "
base-commit: 0123456789abcdef0123456789abcdef01234567"
early mbox-base 'BASE without TREE' MBOX="$tmp/mail" BASE=x
early mbox-name 'is no name for a folder' MBOX="$tmp/mail" NAME=../x
if command -v git > /dev/null; then
	git init -q "$tmp/git"
	early mbox-no-base "mail names no base-commit; give BASE" MBOX="$tmp/mail" TREE="$tmp/git"
	early mbox-missing-base "git has no commit 0123456789abcdef0123456789abcdef01234567, which" \
		MBOX="$tmp/mail-base" TREE="$tmp/git"
	early mbox-no-tree "TREE 'nosuch' is no directory" MBOX="$tmp/mail-base" TREE=nosuch
	# One that it has, which is BASE; and ranges that are no steps
	git=(git -C "$tmp/git" -c user.name=x -c user.email=x@localhost)
	"${git[@]}" commit -q --allow-empty -m base
	"${git[@]}" checkout -q -b other
	"${git[@]}" commit -q --allow-empty -m other
	"${git[@]}" checkout -q -
	"${git[@]}" commit -q --allow-empty -m here
	"${git[@]}" merge -q -m merge other
	early each-of-merges 'HEAD~2..HEAD has merges' TREE="$tmp/git" BASE=HEAD~2 NEW=HEAD EACH=1
	commit=$("${git[@]}" rev-parse HEAD~2)
	sed -i "s/^base-commit: .*/base-commit: $commit/" "$tmp/mail-base"
	rm -f "$tmp/asked"
	PATH="$tmp/bin:$PATH" "$ab" MBOX="$tmp/mail-base" TREE="$tmp/git" > "$tmp/out" 2>&1
	check mbox-base-there test -s "$tmp/asked"
	# A patch that the series needs first: nowhere, then second on a branch
	sed '/^base-commit/a prerequisite-patch-id: 89abcdef0123456789abcdef0123456789abcdef' "$tmp/mail-base" > "$tmp/mail-needs"
	early mbox-needs "needs 1 other patch first, and no branch of $tmp/git has them on top of $commit" \
		MBOX="$tmp/mail-needs" TREE="$tmp/git"
	for f in one two three; do
		echo "$f" > "$tmp/git/$f"
		"${git[@]}" add "$f"
		"${git[@]}" commit -qm "$f"
	done
	second=$("${git[@]}" rev-parse HEAD~1)
	ids=$("${git[@]}" diff-tree -p "$second" | git patch-id --stable)
	"${git[@]}" branch -q kept
	"${git[@]}" checkout -q --detach "$commit"
	sed -i "s/^prerequisite-patch-id: .*/prerequisite-patch-id: ${ids% *}/" "$tmp/mail-needs"
	PATH="$tmp/bin:$PATH" "$ab" MBOX="$tmp/mail-needs" TREE="$tmp/git" > "$tmp/out" 2>&1
	check mbox-needs-there grep -qx "ab: the series needs 1 other patch first, and ${second:0:12} has them: that is BASE" "$tmp/out"
	PATH="$tmp/bin:$PATH" "$ab" MBOX="$tmp/mail-needs" TREE="$tmp/git" BASE="$commit" > "$tmp/out" 2>&1
	check mbox-needs-told grep -qx 'ab: the series needs 1 other patch first (prerequisite-patch-id)' "$tmp/out"
	PATH="$tmp/bin:$PATH" "$ab" MBOX="$tmp/mail-base" > "$tmp/out" 2>&1
	check mbox-tells-base grep -qx "ab: the series is on commit $commit; with TREE= a tree that has it, it is built there" "$tmp/out"
fi
if git -C "$top" rev-parse HEAD > /dev/null 2>&1; then
	early reference "no 'nosuch' in" TREE="$top" BASE=nosuch NEW=HEAD
else
	skip reference "$top is no git tree"
fi
# The stubs are asked where nothing is wrong, or the above says nothing.
rm -f "$tmp/asked"
PATH="$tmp/bin:$PATH" "$ab" NAME=x IMAGE_BASE="$0" IMAGE_NEW="$0" > "$tmp/out" 2>&1
check stubs-are-asked test -s "$tmp/asked"

# Killed while apt runs, here one that waits for the signal
printf '#!/bin/sh\n: > "%s"\nexec sleep 1000\n' "$tmp/installing" > "$tmp/bin/apt-get"
printf '#!/bin/sh\nwhile [ "${1#-}" != "$1" ] || [ "$1" = true ]; do [ "$1" != true ] || exit 0; shift; done\nexec "$@"\n' > "$tmp/bin/sudo"
setsid env PATH="$tmp/bin:$PATH" "$top/scripts/deps" build > "$tmp/out" 2>&1 &
pid=$!
for ((i = 0; i < 600; i++)); do
	[ ! -e "$tmp/installing" ] || break
	sleep 0.1
done
check deps-installs test -e "$tmp/installing"
kill -TERM -- "-$pid" 2> /dev/null
wait "$pid" 2> /dev/null
equal deps-leaves-nothing-when-killed "$(ls "$TMPDIR")" ''
