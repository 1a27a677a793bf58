#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# kernel.sh: what the kernel cache promises, and how builds fail.
# run: builds
# run: needs base
set -u
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

lab=$top/scripts/lab
cache=${PTELAB_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ptelab}
need_deps lab-kernel lab arm64
need_kernel
base=$kernel
for f in Image vmlinux .config System.map Module.symvers manifest.json; do
	check "base-kernel-has-$f" test -s "$base/$f"
done
refuses nonsense-version "no kernel 'nonsense'; on offer: .*6\.12" "$lab/kernel" --kernel nonsense
refuses nonsense-config "no configuration 'nonsense'.*small" "$lab/kernel" --config nonsense
refuses nonsense-series "no series 'nonsense'" "$lab/kernel" --series nonsense

# patch NAME LINE: a patch that puts LINE into a small file of mm/
patch()
{
	cat > "$tmp/$1.patch" <<END
--- a/mm/maccess.c
+++ b/mm/maccess.c
@@ -1,4 +1,5 @@
 // SPDX-License-Identifier: GPL-2.0-only
+$2
 /*
  * Access kernel or user memory without faulting.
  */
END
}

# One line, exit 2, and nothing in the cache.
patch fits '// changes nothing'
sed 's/without faulting/without thinking/' "$tmp/fits.patch" > "$tmp/unfit.patch"
sed -i 's/^ \/\*/ no such line/; s/^ \*\// no such line/' "$tmp/unfit.patch"
refuses patch-that-does-not-apply 'unfit.patch does not apply to .*mm/maccess.c: Hunk #1 FAILED' \
	"$lab/kernel" --patch "$tmp/unfit.patch"
echo garbage > "$tmp/garbage.patch"
refuses no-patch-at-all "garbage.patch does not apply" "$lab/kernel" --patch "$tmp/garbage.patch"
refuses missing-patch 'no file /nosuch' "$lab/kernel" --patch /nosuch

# Where code moved: the variant of the highest version not above the kernel's.
mkdir -p "$tmp/series/6.10" "$tmp/series/6.13"
cp "$tmp/unfit.patch" "$tmp/series/a.patch"
cp "$tmp/fits.patch" "$tmp/series/6.10/a.patch"
cp "$tmp/unfit.patch" "$tmp/series/6.13/a.patch"
check series-variant "$lab/kernel" --series "$tmp/series" --check
rm -r "$tmp/series/6.10"
refuses series-top 'a.patch does not apply' "$lab/kernel" --series "$tmp/series" --check

patch broken 'int broken = ;'
where=$("$lab/kernel" --patch "$tmp/broken.patch" --where)
"$lab/kernel" --patch "$tmp/broken.patch" > /dev/null 2> "$tmp/err"
equal broken-build-exit-status $? 2
check broken-build-message grep -qE \
	'broken.patch does not build: mm/maccess.c:2:14: error: .*\.log\)$' <(tail -n 1 "$tmp/err")
check broken-build-leaves-nothing test ! -e "$where"

# A patched kernel is built in links to the base's tree, which must stay as it is.
listing()
{
	find "$cache/trees/${base##*/}" -type f -printf '%P %s %T@\n' | sort | sha256sum
}
tree_before=$(listing)

# A build killed in its middle: nothing half-cached, nothing left running, and
# the next one continues it. The line makes the kernel another one each time.
patch killed "// killed in test $$.$EPOCHREALTIME"
where=$("$lab/kernel" --patch "$tmp/killed.patch" --where)
log=$cache/logs/${where##*/}.log
# How many files the build has compiled: 0 while there is no log
compiled()
{
	{ [ ! -f "$log" ] || cat "$log"; } | grep -c '  CC '
}

# cut SIGNAL: starts the build and ends it with SIGNAL once it compiles
cut()
{
	local pid i seen

	seen=$(compiled)
	"$lab/kernel" --patch "$tmp/killed.patch" > /dev/null 2> "$tmp/err" &
	pid=$!
	for ((i = 0; i < 12000; i++)); do
		[ "$(compiled)" -le "$seen" ] || break
		sleep 0.1
	done
	check "$1-build-had-begun" test "$(compiled)" -gt "$seen"
	kill "-$1" "$pid"
	wait "$pid" 2> /dev/null
	check "$1-build-leaves-nothing" test ! -e "$where"
	# Only this build: another test may build a kernel of its own meanwhile.
	for ((i = 0; i < 600; i++)); do
		pgrep -f "make -C $cache/work/build.${where##*/}/" > /dev/null || break
		sleep 0.1
	done
	if pgrep -f "make -C $cache/work/build.${where##*/}/" > /dev/null; then
		not_ok "$1-build-ends-make" "it still runs"
	else
		ok "$1-build-ends-make"
	fi
}
cut KILL
check build-after-a-killed-one "$lab/kernel" --patch "$tmp/killed.patch"
check killed-build-is-continued grep -q -- '--- interrupted, and continued' "$log"
check nothing-left-of-the-killed-one test ! -e "$cache/work/build.${where##*/}"
equal base-tree-untouched "$(listing)" "$tree_before"
check patched-kernel-is-there test -s "$where/Image"
if cmp -s "$base/Image" "$where/Image"; then
	not_ok patched-kernel-is-another "the Images are the same file"
else
	ok patched-kernel-is-another
fi
# The build id, and nothing else of note: no time, path or user gets in.
differ=$(cmp -l "$base/Image" "$where/Image" | wc -l)
if [ "$differ" -le 200 ]; then
	ok same-code-same-image
else
	not_ok same-code-same-image "$differ bytes differ"
fi

before=$(stat -c %Y.%i "$where/Image")
again=$("$lab/kernel" --patch "$tmp/killed.patch")
equal cache-hit-same-place "$again" "$where"
equal cache-hit-builds-nothing "$(stat -c %Y.%i "$where/Image")" "$before"
rm -rf "$where"

# The same with the signal that a Ctrl-C becomes
patch killed "// interrupted in test $$.$EPOCHREALTIME"
where=$("$lab/kernel" --patch "$tmp/killed.patch" --where)
log=$cache/logs/${where##*/}.log
cut TERM
rm -rf "$cache/work/build.${where##*/}"

# Somebody's git tree: only read.
git init -q "$tmp/tree"
printf 'VERSION = 6\nPATCHLEVEL = 12\n' > "$tmp/tree/Makefile"
git -C "$tmp/tree" add Makefile
git -C "$tmp/tree" -c user.name=t -c user.email=t@t commit -qm one
git -C "$tmp/tree" tag v6.12
git -C "$tmp/tree" -c user.name=t -c user.email=t@t commit -q --allow-empty -m two
refuses tree-that-is-none 'is not a git tree' "$lab/kernel" --tree "$tmp" --ref x
refuses tree-without-ref "no 'nosuch' in" "$lab/kernel" --tree "$tmp/tree" --ref nosuch
equal tree-known-by-content \
	"$("$lab/kernel" --tree "$tmp/tree" --ref v6.12 --where)" \
	"$("$lab/kernel" --tree "$tmp/tree" --ref HEAD --where)"
"$lab/kernel" --tree "$tmp/tree" --ref v6.12 > /dev/null 2> "$tmp/err"
equal tree-that-does-not-build-exit-status $? 2
check tree-that-does-not-build-message grep -q 'failed: .*\.log)$' "$tmp/err"
equal tree-untouched "$(git -C "$tmp/tree" status --porcelain --ignored)" ''
git init -q "$tmp/empty"
git -C "$tmp/empty" -c user.name=t -c user.email=t@t commit -q --allow-empty -m none
refuses tree-without-linux 'is not a Linux source' "$lab/kernel" --tree "$tmp/empty" --ref HEAD
