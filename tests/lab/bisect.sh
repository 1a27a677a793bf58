#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# bisect.sh: make bisect with real kernels: a git tree of Debian's source and some
# commits, of which one costs GUP-fast five instructions a page, and others do not
# build or boot. It is killed in the middle. tests/host/bisect.sh has all else.
#
#	COMMITS=60 tests/lab/bisect.sh	sixty commits, of which three do not build and one
#					does not boot; also interrupted by Ctrl-C
#
# run: needs base
# run: builds
set -u
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

need_lab lab-bisect jq
need_deps lab-bisect build
need_kernel
unset_make_vars
commits=${COMMITS:-4}
case $commits in
4) cause=4 broken=(2) panics=() ;;
60) cause=39 broken=(30 41 37) panics=(42) ;;
*) echo "COMMITS is 4 or 60" >&2; exit 2 ;;
esac
name=test-bisect-$$
run=runs/$name
shared=${PTELAB_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ptelab}
# Beside the cache, as a tree of it is used by hard links
mine=$shared/test-bisect.$$
trap 'rm -rf "$tmp" "$mine" "$run" "$run".new "$run"-*' EXIT

# --- the tree ---

# What Debian's source of the base kernel's tree is
built=$shared/trees/${kernel##*/}
if [ ! -d "$built" ]; then
	skip lab-bisect "the base kernel's built tree is no longer in the cache"
	exit 0
fi
tree=$mine/linux
mkdir -p "$tree"
(cd "$built" && find . '(' -type f -o -type l ')' ! -newer .ptelab-unpacked ! -name .ptelab-unpacked -print0 |
	xargs -0 cp -al --parents -t "$tree")
g()
{
	git -C "$tree" -c user.name='Jane Doe' -c user.email=jane@localhost -c core.compression=0 \
		-c gc.auto=0 "$@"
}
g init -q
g add -Af
g commit -qm 'Debian'
g tag v0

# insert FILE LINE TEXT: before it; never into a file that is linked with the cache's
insert()
{
	sed "$2i\\
$3" "$tree/$1" > "$tmp/edited"
	rm "$tree/$1"
	cp "$tmp/edited" "$tree/$1"
}
# A commit without a look at all the other files
head=$(g rev-parse HEAD)
commit()
{
	(cd "$tree" && git update-index -- mm/*.c)
	head=$(g commit-tree "$(g write-tree)" -p "$head" -m "$1")
}
files=(gup madvise mlock mmap mprotect mremap msync rmap vmalloc vmscan page_alloc shmem swap truncate util)
for ((i = 1; i <= commits; i++)); do
	# What an earlier one broke is mended.
	g checkout -q v0 -- mm/maccess.c
	subject="mm: say something in a comment, $i"
	insert "mm/${files[i % ${#files[@]}]}.c" 1 "/* $i */"
	case " ${broken[*]} " in *" $i "*) insert mm/maccess.c 1 'int broken = ;' ;; esac
	case " ${panics[*]:-} " in
	*" $i "*)
		insert mm/maccess.c '/^#include <linux\/mm.h>/' \
			'#include <linux/init.h>\
#include <linux/panic.h>\
static int __init stop(void) { panic("stop"); }\
core_initcall(stop);' ;;
	esac
	if [ "$i" = "$cause" ]; then
		subject='mm: gup: five instructions more for each page'
		line=$(grep -n 'struct folio \*folio;' "$tree/mm/gup.c" |
			awk -F: -v from="$(grep -n '^static int gup_fast_pte_range' "$tree/mm/gup.c" | head -n 1 | cut -d: -f1)" \
				'$1 > from { print $1; exit }')
		insert mm/gup.c "$((line + 1))" '\t\tasm volatile("nop; nop; nop; nop; nop");'
	fi
	commit "$subject"
done
g update-ref HEAD "$head"

# --- a cache in which make ab has left the first commit's kernel ---

export PTELAB_CACHE=$mine/cache
mkdir -p "$PTELAB_CACHE"/{trees,kernels}
for d in sysroot tools; do
	[ ! -d "$shared/$d" ] || ln -s "$shared/$d" "$PTELAB_CACHE/$d"
done
where=$(scripts/lab/kernel --tree "$tree" --ref v0 --where)
ln -s "$built" "$PTELAB_CACHE/trees/${where##*/}"
cp -al "$kernel" "$where"
listing()
{
	find "$built" -type f -printf '%P %s %T@ %i\n' | sort | sha256sum
}
before=$(listing)
args=(TREE="$tree" GOOD=v0 BAD=HEAD NAME="$name" ROW='gup.pin_fast:folio=4k:pages=16 instructions_kernel')

# --- interrupted ---

# building STEP: that step is done, and another kernel compiles
building()
{
	{ [ "$1" -eq 0 ] || grep -sq "^ $1 " "$run.new/steps.txt"; } &&
		[ -n "$(find "$PTELAB_CACHE/bisect" -mindepth 2 -maxdepth 2 -name began 2> /dev/null)" ]
}

# cut_at SIGNAL STEP
cut_at()
{
	local pid

	# A shell ignores Ctrl-C in what it puts into the background.
	env --default-signal=INT,QUIT setsid scripts/bisect "${args[@]}" > "$tmp/out" 2> "$tmp/err" &
	pid=$!
	until building "$2" || ! kill -0 "$pid" 2> /dev/null; do
		sleep 0.1
	done
	check "$1-while-it-builds" kill "-$1" "$pid"
	wait "$pid" 2> /dev/null
	cat "$tmp/out" >> "$tmp/all"
}
cut_at KILL 0
[ "$commits" -lt 60 ] || cut_at INT 3

# --- and to its end ---

if ! scripts/bisect "${args[@]}" > "$tmp/out" 2> "$tmp/err"; then
	not_ok lab-bisect "$(tail -n 1 "$tmp/err")"
	exit
fi
cp "$run/answer.txt" "$tmp/answer"
found=$(g rev-parse "HEAD~$((commits - cause))")
check finds-the-commit grep -qx "The row changes with commit ${found:0:12}" "$tmp/answer"
check names-it grep -qx '    mm: gup: five instructions more for each page' "$tmp/answer"
steps=$(wc -l < "$run/steps.txt") skips=$(grep -c ' skip ' "$run/steps.txt")
log2=$(awk -v n="$commits" 'BEGIN { for (p = 1; p < n; p *= 2) k++; print k }')
check in-few-steps test "$steps" -le $((log2 + skips))
check skips-what-does-not-build grep -q ' skip .*does not build: mm/maccess.c:1:14: error' "$run/steps.txt"
[ ${#panics[@]} -eq 0 ] ||
	check skips-what-does-not-boot grep -q ' skip .*does not boot: the guest ' "$run/steps.txt"
# 16 pages
equal the-difference "$(awk '/^good: / { gsub(/,/, ""); for (i = 1; i < NF; i++) if ($i == "good:") g = $(i + 1); else if ($i == "bad:") b = $(i + 1); print b - g }' "$tmp/answer")" 80
check explains-it grep -qE 'gup_fast_fallback .*\+80' "$tmp/answer"
check names-the-changed-function grep -q 'gup_fast_fallback' "$run/changes.txt"
# All but the first commit's, which was there
base=$(jq -r .hash "$kernel/manifest.json")
built_here=$(jq -s --arg base "$base" '[.[] | select(.hash != $base)]' "$PTELAB_CACHE"/bisect/*/*/*/manifest.json)
compiled=$(jq '[.[].files] | max' <<< "$built_here")
note "lab-bisect" "$steps steps, $skips skipped; at most $compiled files compiled and linked in one; $(
	jq '[.[].cpu_ms] | add / length / 1000 | round' <<< "$built_here") CPU s a kernel"
check compiles-what-differs test "$compiled" -gt 0 -a "$compiled" -lt 200
equal tree-untouched "$(g rev-parse HEAD; g status --porcelain)" "$head"
equal cached-tree-untouched "$(listing)" "$before"
for ref in "$found" "$found^"; do
	check "make-ab-finds-${ref//[!^]/}the-kernel" test -s "$(scripts/lab/kernel --tree "$tree" --ref "$ref" --where)/Image"
done

# --- ROW=worst without FROM, of the last commits: make ab of both ends comes first ---

echo 'ptelab run -o - --seed @SEED@ -b gup.pin_fast -p folio=4k -p pages=16' > "$tmp/job"
if scripts/bisect TREE="$tree" GOOD="$found^" BAD="$found" ROW=worst JOB="$tmp/job" NAME="$name-worst" \
		> "$tmp/out" 2> "$tmp/err"; then
	check worst-row grep -q "^bisect: the worst row is 'gup.pin_fast:.*pages=16:.* instructions_kernel'" "$tmp/err"
	check worst-finds-it grep -qx "The row changes with commit ${found:0:12}" "$run-worst/answer.txt"
else
	not_ok worst "$(tail -n 1 "$tmp/err")"
fi

# --- a trend over the same range: a step, and holes where a commit can't be measured ---

every=$((commits / 2))
[ "$commits" -lt 60 ] || every=10
if scripts/trend TREE="$tree" RANGE=v0..HEAD EVERY="$every" JOB="$tmp/job" NAME="$name-trend" \
		> "$tmp/out" 2> "$tmp/err"; then
	json=$run-trend/trend.json
	check trend-holes grep -q ' is a hole: .* does not build: mm/maccess.c:1:14: error' "$tmp/err"
	equal trend-kernels "$(jq '.kernels | length' "$json")" $((commits / every + 1))
	equal trend-step "$(jq -r '[.rows[] | select(.metric == "instructions_kernel") | .steps[].at] | join(" ")' "$json")" \
		$(((cause + every - 1) / every))
else
	not_ok trend "$(tail -n 1 "$tmp/err")"
fi

[ "$commits" -lt 60 ] || {
	cp "$tmp/answer" "${TMPDIR:-/tmp}/bisect-60.txt"
	while read -r number verdict commit _; do
		note "lab-bisect" "step $number, $verdict: $(jq -r '"\(.files) files, \(.cpu_ms / 1000 | round) CPU s"' \
			"$PTELAB_CACHE"/bisect/*/*/"$commit"*/manifest.json 2> /dev/null)"
	done < "$run/steps.txt"
}
