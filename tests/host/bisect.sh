#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# bisect.sh: what make bisect finds, refuses and continues. No kernel is built: in a
# copy of scripts/, lab/kernel and lab/boot are stand-ins that are called like the
# real ones. A commit's file "state" says what becomes of it. tests/lab/bisect.sh
# has real kernels.
# shellcheck disable=SC2016
set -u
# shellcheck source=../analysis/made-up.sh
. "$(dirname "$0")/../analysis/made-up.sh"

need_deps bisect lab
unset_make_vars
export PTELAB_CACHE=$tmp/cache TMPDIR=$tmp HOME=$tmp
copy=$tmp/copy tree=$tmp/linux
mkdir -p "$copy"/{build/native,build/arm64,runs} "$tmp/cache"
cp -r "$top/scripts" "$copy/"
ln -s "$PTELAB" "$copy/build/native/ptelab"
printf '#!/bin/sh\n' | tee "$copy/scripts/deps" > "$copy/build/arm64/ptelab"
chmod +x "$copy/scripts/deps" "$copy/build/arm64/ptelab"
printf 'all arm64:\n' > "$copy/Makefile"
bisect=$copy/scripts/bisect step=$copy/scripts/lab/bisect-step
row='gup.fast:folio=64k instructions_kernel'

# The kernel of a commit is its state, of which "broken" does not build. With a file
# of the commit's name in stop/ it waits there, until that is gone.
mkdir "$tmp/stop"
cat > "$copy/scripts/lab/kernel" << END
#!/bin/bash
set -e
while [ \$# -gt 0 ]; do
	case \$1 in --tree) tree=\$2 ;; --ref) ref=\$2 ;; --in) in=\$2 ;; esac
	shift 2
done
mkdir -p "\$PTELAB_CACHE/kernels"
k=\$in/kernels/\$ref
if [ ! -d "\$k" ] && [ -n "\${PTELAB_PLAN:-}" ]; then
	echo "\$k \$ref" | tee -a "$tmp/asked" | cut -d' ' -f1
	exit 75
fi
if [ ! -d "\$k" ]; then
	echo "\$ref" >> "$tmp/built"
	while [ -e "$tmp/stop/\$ref" ]; do
		echo \$\$ > "$tmp/waits"
		sleep 0.1
	done
	if [ -e "$tmp/full" ] && [ "\$(wc -l < "$tmp/built")" -gt 3 ]; then
		echo "kernel: no space left in \$in; free some, and run the same again" >&2
		exit 2
	fi
	state=\$(git -C "\$tree" show "\$ref:state")
	if [ "\$state" = broken ]; then
		echo "kernel: linux \$ref does not build: mm/gup.c:1: error: broken (/x.log)" >&2
		exit 2
	fi
	mkdir -p "\$k"
	echo "\$state" > "\$k/Image"
	echo '{}' > "\$k/manifest.json"
fi
echo "\$k"
END
# A boot has the value of the state at each point of its job, or with several values
# that of its seed; "panic" does not boot, "none" cannot measure its point.
cat > "$copy/scripts/lab/boot" << END
#!/bin/bash
set -e
while [ \$# -gt 0 ]; do
	case \$1 in
	--image) image=\$2 ;; --job) job=\$2 ;; --out) out=\$2 ;; --seed) seed=\$2 ;; --mode) mode=\$2 ;;
	--count) shift; continue ;;
	esac
	shift 2
done
[ -z "\${PTELAB_PLAN:-}" ] || [ -f "\$image" ] || exit 75
echo "\$seed" >> "$tmp/booted"
read -ra v < "\$image"
points=()
for p in \$(grep -o -- '-b [^ ]*' "\$job" | cut -c4-); do
	case \${v[0]} in
	panic) echo "boot: the guest panicked: Kernel panic - not syncing: x (/x.console)" >&2; exit 2 ;;
	none) points+=("\${p//:/ } ! unavailable no such device") ;;
	*) points+=("\${p//:/ } : instructions_kernel=\${v[(seed - 1) % \${#v[@]}]}") ;;
	esac
done
"$tmp/make-run" -o "\$out.d" -s "\$seed" -M "\$mode" "\${points[@]}"
mv "\$out.d/boot-001.jsonl" "\$out"
echo console > "\${out%.jsonl}.console"
END
chmod +x "$copy"/scripts/lab/{kernel,boot}

g()
{
	git -C "$tree" -c user.name='Jörg Ünal' -c user.email=j@localhost -c advice.detachedHead=false "$@"
}

# history NAME STATE...: a branch with a commit for each, over the empty beginning
history()
{
	local name=$1 state n=0

	shift
	g checkout -qf -B "$name" start
	for state; do
		n=$((n + 1))
		echo "$state" > "$tree/state"
		echo "$n" > "$tree/n"
		g add -A
		g commit -qm "$name: commit $n"
	done
}

# sixty CAUSE OLD NEW SPECIAL...: the states of 60 commits; SPECIAL is NUMBER:STATE
sixty()
{
	local i s
	local -A special=()

	for s in "${@:4}"; do
		special[${s%%:*}]=${s#*:}
	done
	for ((i = 1; i <= 60; i++)); do
		echo "${special[$i]:-$([ "$i" -lt "$1" ] && echo "$2" || echo "$3")}"
	done
}

git init -q "$tree"
echo 100 > "$tree/state"
g add state
g commit -qm start
g tag start

# run ARG...: make bisect's output in $tmp/out and $tmp/err; prints its status
run()
{
	local status=0

	"$bisect" TREE="$tree" NAME=x ROW="$row" "$@" > "$tmp/out" 2> "$tmp/err" || status=$?
	echo "$status"
}
built()
{
	sort "$tmp/built" 2> /dev/null | uniq -c | awk -v more="${1:-0}" '$1 > more' | wc -l
}
steps()
{
	wc -l < "$copy/runs/x/steps.txt"
}
answer=$copy/runs/x/answer.txt

# --- 60 commits: one cause, three that do not build, one that does not boot ---

mapfile -t states < <(sixty 37 100 350 30:broken 38:broken 34:panic 11:broken)
history sixty "${states[@]}"
cause=$(g rev-parse sixty~23)
echo dirty > "$tree/n"
before=$(g status --porcelain; g rev-parse HEAD; g for-each-ref; find "$tree/.git" | sort)
equal sixty "$(run GOOD=start BAD=sixty)" 0
check names-the-commit grep -qx "The row changes with commit ${cause:0:12}" "$answer"
check names-subject-and-author sh -c "grep -qx '    sixty: commit 37' '$answer' && grep -q '^    Jörg Ünal <j@localhost>, ' '$answer'"
check has-both-values grep -q '^good: 100 at start (.*, bad: 350 at sixty (.*, 60 commits$' "$answer"
check in-few-steps test "$(steps)" -le $((6 + $(grep -c ' skip ' "$answer")))
equal has-each-step "$(grep -cE '^ *[0-9]+ (good|bad |skip) [0-9a-f]{12}  sixty: commit [0-9]+: ' "$answer")" "$(steps)"
check skips-say-why grep -q ' skip .*: does not build: mm/gup.c:1: error: broken' "$answer"
equal tree-is-only-read "$(g status --porcelain; g rev-parse HEAD; g for-each-ref; find "$tree/.git" | sort)" "$before"
equal each-built-once "$(built 1)" 0
for f in steps.txt bisect.log base/boot-001.jsonl patched/boot-001.jsonl; do
	check "leaves-$f" test -s "$copy/runs/x/$f"
done
check nothing-unfinished test ! -e "$copy/runs/x.new"
check says-how-to-go-on grep -q "make ab TREE=$tree BASE=[0-9a-f]* NEW=${cause:0:12}" "$answer"
check boots-are-of-the-two sh -c "grep -q '\"per_op\":100[,.}]' '$copy/runs/x/base/boot-001.jsonl' && grep -q '\"per_op\":350[,.}]' '$copy/runs/x/patched/boot-001.jsonl'"
all=$(wc -l < "$tmp/booted")
equal again "$(run GOOD=start BAD=sixty)" 0
equal again-boots-nothing "$(wc -l < "$tmp/booted")" "$all"

# --- many machines: what the next two steps could need is asked for at once ---

# Stands for scripts/slurm/exact: makes what was asked for
make_asked()
{
	local k ref

	sort -u "$tmp/asked" | while read -r k ref; do
		mkdir -p "$k"
		git -C "$tree" show "$ref:state" > "$k/Image"
		echo '{}' > "$k/manifest.json"
	done
	sort -u "$tmp/asked" | wc -l
	rm "$tmp/asked"
}
mapfile -t states < <(sixty 37 100 350)
history many "${states[@]}"
export PTELAB_CACHE=$tmp/cache-many PTELAB_STORE=$tmp/store PTELAB_PLAN=$tmp/plan
asked=''
while status=$(run GOOD=start BAD=many AHEAD=2) && [ "$status" = 75 ] && [ -e "$tmp/asked" ]; do
	asked+=" $(make_asked)"
done
equal many-ends "$status" 0
check many-names-the-commit grep -qx "The row changes with commit $(g rev-parse --short=12 many~23)" "$answer"
# Both ends, then three commits for two steps of six, then what is left
check many-ask-at-once grep -qxE ' 2( 3){2,3}( [123])?' <<< "$asked"
unset PTELAB_STORE PTELAB_PLAN
export PTELAB_CACHE=$tmp/cache

# --- interrupted ---

# waits_at COMMIT: starts a bisect that stops while that commit is built; sets $pid
waits_at()
{
	: > "$tmp/stop/$1"
	rm -f "$tmp/waits"
	# A shell ignores Ctrl-C in what it puts into the background.
	env --default-signal=INT,QUIT setsid "$bisect" TREE="$tree" NAME=x ROW="$row" GOOD=start BAD=short > "$tmp/out" 2> "$tmp/err" &
	pid=$!
	await "$pid" test -s "$tmp/waits" || not_ok "waits at $1" "$(tail -n 1 "$tmp/err")"
	builder=$(cat "$tmp/waits")
}
gone()
{
	! cpu_seconds "$1" > /dev/null
}
history short 100 100 100 broken 100 100 100 100 200 200 200 200
cause=$(g rev-parse short~3)
equal short "$(run GOOD=start BAD=short)" 0
mapfile -t path < <(sed -nE 's/^ *[0-9]+ [a-z]+ +([0-9a-f]{12}) .*/\1/p' "$copy/runs/x/steps.txt")
tested=${#path[@]}
first=$(g rev-parse "${path[0]}") second=$(g rev-parse "${path[2]}")
again()
{
	rm -rf "$tmp/cache/bisect" "$copy/runs/x" "$tmp/built" "$tmp/cache/kernels"
}
again
waits_at "$first"
kill -KILL "$pid"
wait "$pid" 2> /dev/null
check killed-ends-the-build await "$builder" gone "$builder"
check killed-leaves-no-result test ! -e "$copy/runs/x"
rm "$tmp/stop/$first"
waits_at "$second"
kill -INT "$pid"
wait "$pid"
equal ctrl-c-status $? 130
check ctrl-c-ends-the-build await "$builder" gone "$builder"
equal ctrl-c-says-one-line "$(cat "$tmp/err")" "bisect: interrupted; the same command continues"
check ctrl-c-leaves-nothing test ! -e "$copy/runs/x.new"
rm "$tmp/stop/$second"
equal continued "$(run GOOD=start BAD=short)" 0
check continued-finds-the-same grep -qx "The row changes with commit ${cause:0:12}" "$answer"
equal continued-in-as-many-steps "$(steps)" "$tested"
equal only-what-was-cut-is-built-again "$(sort "$tmp/built" | uniq -d | sort | paste -sd' ')" \
	"$(printf '%s\n' "$first" "$second" | sort | paste -sd' ')"

# A disk that fills up in a later step skips no commit.
again
: > "$tmp/full"
refuses full-disk 'no space left in .*; free some, and run the same again' \
	"$bisect" TREE="$tree" NAME=x ROW="$row" GOOD=start BAD=short
rm "$tmp/full"
equal after-the-full-disk "$(run GOOD=start BAD=short)" 0
equal full-disk-skips-nothing "$(steps)" "$tested"
equal full-disk-loses-nothing "$(built 1)" 1

# --- values ---

history lower 350 350 350 100 100
equal lower "$(run GOOD=lower~4 BAD=lower)" 0
check lower-finds-it grep -q '^    lower: commit 4$' "$answer"
check lower-is-told grep -q 'it is less at BAD' "$tmp/out"
history between 100 100 170 250 350
equal between "$(run GOOD=between~4 BAD=between)" 0
check nearest-of-the-two grep -q '^    between: commit 4$' "$answer"
check between-is-told grep -q 'commit 3: 170, between: 28 % of the way to bad$' "$answer"
# One seed draws the same on both sides; if not, all boots count.
history seeds '100 900' '100 900' '150 950' '150 950'
equal seeds "$(run GOOD=seeds~3 BAD=seeds)" 0
check seeds-are-compared-in-pairs grep -q '^good: 100 at .*, bad: 150 at .*, 3 commits$' "$answer"
history noisy '100 130 110 120 115' '105 110 120 130 102' '290 160 220 170 210' '150 290 170 180 160'
equal noisy "$(run GOOD=noisy~3 BAD=noisy)" 0
check noisy-has-five-boots sh -c "grep -q '; the median of 5 boots each' '$answer' && grep -q '^    noisy: commit 3$' '$answer'"
history random '100 200' '100 200' '210 120'
refuses random 'varies more between 5 boots than good .* and bad .* differ$' \
	"$bisect" TREE="$tree" ROW="$row" GOOD=random~2 BAD=random
equal race "$(run GOOD=seeds~3 BAD=seeds MODE=race)" 2
check race-is-judged-by-all-boots grep -q 'varies more between 5 boots' "$tmp/err"

# --- nothing but skips, and side branches ---

history gap 1 broken panic none 2
equal gap "$(run GOOD=gap~4 BAD=gap)" 1
equal gap-has-all-candidates "$(grep -c '^    [0-9a-f]\{12\} gap: commit' "$answer")" 4
check gap-says-why-there-is-no-row grep -q 'has no instructions_kernel of gup.fast:folio=64k: no such device' "$answer"
history side 1 1 2
history main 1 1 1
g merge -q -s ours -m merge side
echo 2 > "$tree/state"
g commit -qa --amend --no-edit
equal merge "$(run GOOD=main~1 BAD=main)" 0
check merge-finds-the-side grep -q '^    side: commit 3$' "$answer"

# --- ROW=worst ---

mkdir "$tmp/ab"
cp -r "$top/tests/golden/runs/series-base" "$tmp/ab/base"
cp -r "$top/tests/golden/runs/series-patched" "$tmp/ab/patched"
xz -d "$tmp/ab"/*/*.xz
row=worst
equal worst "$(run GOOD=start BAD=short FROM="$tmp/ab")" 0
check worst-is-told grep -qx "bisect: the worst row is 'notifier.upgrade:backing=anon:secondary=kvm:folio=4k:measure=guest:guest=read instructions_kernel'" "$tmp/err"
check worst-finds-it grep -qx "The row changes with commit ${cause:0:12}" "$answer"
rm -rf "$tmp/ab/patched"
cp -r "$tmp/ab/base" "$tmp/ab/patched"
refuses worst-of-nothing 'no row of .* got worse from GOOD to BAD' \
	"$bisect" TREE="$tree" ROW=worst GOOD=start BAD=short FROM="$tmp/ab"
row='gup.fast:folio=64k instructions_kernel'

# --- bad input ---

bad()
{
	local name=$1 pattern=$2

	shift 2
	refuses "$name" "$pattern" "$bisect" TREE="$tree" GOOD=start BAD=short ROW="$row" "$@"
}
bad unknown-argument "unknown argument 'FOO=1'" FOO=1
bad no-row 'ROW is missing' ROW=
bad no-tree "TREE 'nosuch' is no directory" TREE=nosuch
bad no-git-tree 'is no git tree' TREE="$copy"
bad no-commit "no 'nosuch' in .*; git -C .* branch -a lists" GOOD=nosuch
bad same-commit 'GOOD and BAD are the same commit' GOOD=short
bad exchanged 'BAD is older than GOOD: exchange the two' GOOD=short BAD=start
bad name 'is no name for a folder' NAME=../x
bad mode "MODE 'x' is neither exact nor race" MODE=x
bad from 'FROM is for ROW=worst alone' FROM="$tmp/ab"
bad no-such-job "no job 'nosuch'" JOB=nosuch
bad one-word 'is not a point and a metric' ROW=gup.fast
bad no-benchmark "no benchmark 'gup.nosuch'" ROW='gup.nosuch instructions'
bad no-such-value 'gup.fast: folio=3k: it takes 4k to 512m' ROW='gup.fast:folio=3k instructions'
bad no-metric "no metric is called 'nosuch'" ROW='gup.fast nosuch'
bad hostile-row 'is no point' ROW='gup.fast:$(touch${IFS}x) instructions'
bad equal 'good and bad do not differ: both have 100 instructions_kernel at gup.fast:folio=64k' \
	GOOD=start BAD=short~9
bad end-that-does-not-build 'one of the two ends, does not build: mm/gup.c:1: error: broken' BAD=short~8
bad end-without-row 'one of the two ends, has no instructions_kernel of .*: no such device' BAD=gap~1
git clone -q --depth 3 "file://$tree" "$tmp/shallow" 2> /dev/null
bad shallow 'is shallow, so commits may be missing; git -C .* fetch --unshallow' TREE="$tmp/shallow" GOOD=HEAD~1 BAD=HEAD
git clone -q "$tree" "$tmp/partial"
git -C "$tmp/partial" config extensions.partialClone origin
bad partial 'is a partial clone' TREE="$tmp/partial" GOOD=HEAD~1 BAD=HEAD

# --- git bisect run with bisect-step ---

g checkout -qf short
(cd "$tree" && g bisect start short start && g bisect run "$step" --good start --bad short --row "$row") > "$tmp/out" 2>&1
check own-bisect-run grep -q "^$cause is the first bad commit" "$tmp/out"
g bisect reset > "$tmp/out" 2>&1
refuses own-run-of-nothing 'are needed; see --help' sh -c "cd '$tree'; '$step' --good start; s=\$?; [ \$s = 128 ] && exit 2; exit \$s"
