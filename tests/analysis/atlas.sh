#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# ptelab atlas and ptelab list --runs on an atlas that is made up: images that
# differ in one thing, and points of which each instruction that they run is known.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

PTELAB=${PTELAB:-$top/build/native/ptelab}
name=atlas.sh
for program in "$PTELAB" aarch64-linux-gnu-gcc aarch64-linux-gnu-objdump jq; do
	command -v "$program" > /dev/null || { skip "$name" "no $program"; exit 0; }
done
cd "$tmp" || exit 1

# image FOLDER [-D...]
image()
{
	local dir=$1 f objects=()
	shift

	mkdir -p "$dir"
	for f in a.c b.c c.S; do
		(cd "$top/tests/analysis/changes" && aarch64-linux-gnu-gcc -O2 -ffreestanding \
			-fno-pic -fno-pie "$@" -c -o "$tmp/$dir/${f%.*}.o" "$f") || return
		objects+=("$dir/${f%.*}.o")
	done
	aarch64-linux-gnu-ld -pie -Bsymbolic -z notext --no-apply-dynamic-relocs \
		-no-dynamic-linker -e 0 --build-id=none -Ttext-segment=0xffff800080000000 \
		-o "$dir/vmlinux" "${objects[@]}"
}

for change in '' BRANCH CONSTANT NEW WORD; do
	image "${change:-base}" ${change:+-DCHANGE_$change} > build.log 2>&1 ||
		{ not_ok build "$(head -n 1 build.log)"; exit 1; }
done

# atlas FOLDER: of base, from lines "BENCH PARAMS FUNCTION:FIRST+NUMBER..." of
# which instructions of which functions a point runs
atlas()
{
	local bench params parts part f counts functions=()
	declare -A index=()

	mkdir -p "$1"
	{
		echo '{"schema":"ptelab-insns-1"}'
		while read -r bench params parts; do
			counts=
			for part in $parts; do
				f=${part%%:*} part=${part#*:}
				[ -n "${index[$f]:-}" ] || { index[$f]=${#functions[@]}; functions+=("$f"); }
				counts+=,0,${index[$f]},$((4 * ${part%+*})),${part#*+},1
			done
			printf '{"type":"region","run":0,"batch":0,"bench":"%s","params":%s,"operations":1,"nodes":[0,0,-1,0,-1],"counts":[%s]}\n' \
				"$bench" "$params" "${counts#,}"
		done
		for f in "${functions[@]}"; do
			aarch64-linux-gnu-objdump -d --disassemble="$f" base/vmlinux |
				awk -v f="$f" '$2 == "<" f ">:" { start = $1 }
					start && length($2) == 8 && $1 ~ /:$/ { words = words $2 }
					END { printf "{\"type\":\"function\",\"name\":\"%s\",\"space\":\"kernel\",\"start\":\"0x%s\",\"words\":\"%s\"}\n", f, start, words }'
		done
	} | gzip > "$1/boot-001.insns.gz"
}

# jumps() is cbz; add; 1: add; ret, so it has three blocks.
atlas atlas <<'END'
t.one {"folio":"4k","secondary":"none"} jumps:0+1 jumps:2+2 say:0+2
t.one {"folio":"64k","secondary":"none"} jumps:0+4
t.one {"folio":"64k","secondary":"module"} jumps:0+4 say:0+1
t.one {"folio":"2m","secondary":"module"} jumps:0+1
t.two {"folio":"4k"} jumps:0+1 jumps:2+2
t.two {"folio":"64k"} say:0+2
t.three {} say:0+4
t.four {} calls:0+2
END

# chosen WANT BASE NEW [OPTION...]: the points of the job, in order
chosen()
{
	local want=$1 got
	shift

	"$PTELAB" atlas --atlas atlas "$@" > job || return
	got=$(sed -n 's/^ptelab run .* --counted 1//p' job)
	[ "$got" = "$want" ] && return
	echo "got '$got', want '$want'"
	return 1
}

# says TEXT: the job's comments, as if they were one line
says()
{
	sed -n 's/^# *//p' job | tr '\n' ' ' | grep -qF -- "$1" ||
		{ echo "nothing says '$1': $(tr '\n' '|' < job)"; return 1; }
}

one=' -b t.one:folio=64k:secondary=none'
two=' -b t.two:folio=4k'
near=' -b t.one:folio=64k:secondary=module -b t.one:folio=4k:secondary=none'
others=' -b t.three -b t.two:folio=64k -b t.four'
none=' -b t.one:folio=4k:secondary=none -b t.three -b t.two:folio=4k -b t.four'
check "what covers it, another benchmark, neighbours, controls" chosen "$one$two$near$others" base BRANCH
check "how much" says '1 function differs. Benchmarks run 1 of 1, and 3 of 3 basic blocks.'
check "how many of each kind" says '7 of 8 points: 1 that between them run all of that; 1 of other kinds that run some of it; 2 neighbours of these; 3 that run none of it and must come out equal.'
check "why it covers" says 't.one:folio=64k:secondary=none: runs jumps(): 3 of 3 blocks, all that any point runs'
check "why another benchmark" says 't.two:folio=4k: another benchmark that runs jumps(): 2 of 3 blocks'
check "why a neighbour" says 't.one:folio=4k:secondary=none: neighbour of t.one:folio=64k:secondary=none: other folio'
check "why a control" says 't.three: runs none of it: must come out equal'
check "the module, for a point with it" grep -qx '# module' job
check "a budget, half of it for controls" chosen "$one -b t.three" base BRANCH --budget 2
check "without it no module" bash -c '! grep -q "^# module" job'

check "a function that no point runs" chosen "$none" base CONSTANT
check "its nearest caller" says 'helper(): no benchmark runs it; nearest caller that one runs: calls()'
check "a new function" chosen "$none" base NEW
check "data alone" chosen "$none" base WORD
check "and that it is data" says 'No function differs, but data may.'
check "the same code is no job" chosen '' base base
check "and it says so" says 'The two kernels are the same code: nothing to measure.'
"$PTELAB" atlas --atlas atlas base BRANCH > again
check "no comment is too wide" awk '/^#/ && length > 80 { bad = 1 } END { exit bad }' again

sed -n '/^t/p' <<'END' > elsewhere
t.one {} calls:0+2
END
atlas callers < elsewhere
check "no caller either" bash -c '"$0" atlas --atlas callers base BRANCH | grep -qF "jumps(): no benchmark runs it; nearest caller that one runs: none"' "$PTELAB"

# --- who runs a function ---

equal "most instructions first" "$("$PTELAB" list --atlas atlas --runs say)" \
	"    4 instructions  t.three
    2 instructions  t.one folio=4k secondary=none
    2 instructions  t.two folio=64k
    1 instruction   t.one folio=64k secondary=module"
check "for programs" bash -c '"$0" list --atlas atlas --runs say --json | jq -e "length == 4 and .[0] == {bench: \"t.three\", params: {}, instructions: 4}"' "$PTELAB"
refuses "a function that none runs" "no point of atlas runs a function 'jump'; did you mean jumps" "$PTELAB" list --atlas atlas --runs jump
refuses "no atlas there" 'nowhere/boot-001.insns.gz: No such file' "$PTELAB" list --atlas nowhere --runs say
refuses "no atlas in the cache" 'the cache has no atlas; scripts/lab/atlas makes one' env PTELAB_CACHE="$tmp/nothing" "$PTELAB" list --runs say
mkdir -p cache/atlas
cp -r callers cache/atlas/older
cp -r atlas cache/atlas/newer
touch -d '2 days ago' cache/atlas/older/*
check "the newest of the cache" env PTELAB_CACHE="$tmp/cache" "$PTELAB" list --runs say
touch -d '3 days ago' cache/atlas/newer/*
refuses "and not an older one" "older runs a function 'say'" env PTELAB_CACHE="$tmp/cache" "$PTELAB" list --runs say

# --- what can't be done ---

image moved -DCHANGE_MOVED
refuses "another kernel's atlas" 'is the atlas of another kernel than moved/vmlinux' "$PTELAB" atlas --atlas atlas moved BRANCH
echo rubbish | gzip > callers/boot-001.insns.gz
refuses "a damaged one" 'not what ptelab merge writes, or damaged' "$PTELAB" atlas --atlas callers base BRANCH
equal "a budget of nothing" "$("$PTELAB" atlas --budget 0 base BRANCH 2>&1 | head -n 1)" \
	"ptelab atlas: --budget takes a whole number from 1 to 100000, not '0'"
refuses "no kernel" 'nowhere: No such file' "$PTELAB" atlas base nowhere

# --- the job of an atlas ---

"$PTELAB" atlas --job > job
all_benches()
{
	local b

	for b in $("$PTELAB" list -s | sed 's/ .*//' | grep -v '^harness\.'); do
		grep -q -- " -b $b\( \|:\|\$\)" job || { echo "$b is not in it"; return 1; }
	done
}
check "every benchmark is in it" all_benches
takes()
{
	local line

	while read -r line; do
		# shellcheck disable=SC2086
		"$PTELAB" run --dry-run --seed 1 ${line#*@SEED@} > /dev/null || return
	done < <(grep ^ptelab job)
	[ "$(grep -c ^ptelab job)" -gt 20 ]
}
check "ptelab run takes every line" takes
check "hugetlb upgrades with the module listening" bash -c '"$0" run --dry-run $(grep "notifier.upgrade" job | sed "s/.*@SEED@//") |
	grep "backing=hugetlb" | grep "secondary=module" | grep -q "folio=2m"' "$PTELAB"
