#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# ptelab changes: what differs between two images that are made to differ in
# one thing, and what does not.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

PTELAB=${PTELAB:-$top/build/native/ptelab}
name=changes.sh
for program in "$PTELAB" aarch64-linux-gnu-gcc aarch64-linux-gnu-objcopy jq; do
	command -v "$program" > /dev/null || { skip "$name" "no $program"; exit 0; }
done
src=$top/tests/analysis/changes
cd "$tmp" || exit 1

# image FOLDER ORDER [-D...]: a kernel of three files, linked in that order
image()
{
	local dir=$1 order=$2 f objects=()
	shift 2

	mkdir -p "$dir"
	for f in $order; do
		(cd "$src" && aarch64-linux-gnu-gcc -g -O2 -ffreestanding -fno-pic -fno-pie \
			-freorder-blocks-and-partition "$@" -c \
			-o "$tmp/$dir/${f%.*}.o" "$f") || return
		objects+=("$dir/${f%.*}.o")
	done
	# shellcheck disable=SC2086
	aarch64-linux-gnu-ld ${LINK:--pie -Bsymbolic -z notext --no-apply-dynamic-relocs -no-dynamic-linker} \
		-e 0 --build-id=none -Ttext-segment=0xffff800080000000 \
		-o "$dir/vmlinux" "${objects[@]}"
}

# changes WANT BASE NEW: "kind name ..." of functions, then of data
changes()
{
	local want=$1 got
	shift

	"$PTELAB" changes "$@" --json > out.json || return
	got=$(jq -r '[(.functions[] | "\(.kind) \(.name)"),
		(.data[] | "\(.kind) data \(.name)\(.part // "")")] | sort | join(", ")' out.json)
	[ "$got" = "$want" ] && return
	echo "got '$got', want '$want'"
	return 1
}

files="a.c b.c c.S"
image base "$files" || { not_ok build "no images: $(aarch64-linux-gnu-gcc --version | head -n 1)"; exit 1; }

# differs NAME CHANGE WANT
differs()
{
	image "$2" "$files" "-DCHANGE_$2" > build.log 2>&1 ||
		{ not_ok "$1" "does not build: $(head -n 1 build.log)"; return; }
	check "$1" changes "$3" base "$2"
}

check "an image and itself" changes "" base base
image other "c.S b.c a.c"
check "code laid out otherwise is no change" changes "" base other
check "no more so the other way round" changes "" other base
differs "a function in front moves all that follows" MOVED "new in_front"
differs "a line number of a warning is no change" LINE ""
differs "a constant" CONSTANT "changed helper"
differs "a branch's target" BRANCH "changed jumps"
differs "another callee" CALLEE "changed calls, changed other_helper"
differs "one of two statics of one name" TWIN "changed twin"
differs "a text" TEXT "changed texts"
differs "a member of an ops struct" OPS "changed data other_ops.open"
differs "a text in a table" WORD "changed data greetings[1]"
differs "a jump label's key" KEY "changed keyed"
differs "an exception table's entry" FIXUP "changed may_fault"
differs "an alternative" INSTEAD "changed has_alternative"
differs "a case of a switch" SWITCH "changed switches"
differs "the cold part alone" COLD "changed splits.cold"
differs "the warm part, which the cold one goes back to" SPLIT "changed splits, changed splits.cold"
differs "an inline function of two files" INLINE "changed inlines_a, changed inlines_b"
differs "a function less" GONE "gone goes"
differs "a function more" NEW "new comes"
differs "assembly with a size" ASM "changed with_size"
differs "assembly without one" ASM_LABEL "changed without_size"

twins()
{
	changes "changed twin" base TWIN &&
		jq -e '.functions[0].source.file == "a.c"' out.json
}
check "and which of the two" twins

# Linked for one address, without relocations
LINK="-static --no-relax"
image fixed "$files" && image fixed-other "b.c a.c c.S" && image fixed-ops "$files" -DCHANGE_OPS
unset LINK
check "no relocations: laid out otherwise" changes "" fixed fixed-other
check "no relocations: a member of an ops struct" changes "changed data other_ops.open" fixed fixed-ops

one_instruction()
{
	changes "changed helper" base CONSTANT &&
		jq -e '.functions[0] | .altered == 1 and .new.alone == 0 and
			.base.instructions == .new.instructions and
			(.instructions | length) == 1 and
			.instructions[0].source.file == "a.c"' out.json
}
check "one instruction of it" one_instruction

same_code()
{
	"$PTELAB" changes base base > out && grep -q '^the two kernels are the same code: ' out
}
check "the same code is said to be" same_code
laid_out()
{
	"$PTELAB" changes base other > out && grep -q '^the two kernels are the same code, laid out otherwise: ' out &&
		"$PTELAB" changes base other --json | jq -e '.same and .moved > 10'
}
check "and that it is laid out otherwise" laid_out

narrow()
{
	local c

	for c in OPS SPLIT INLINE GONE; do
		"$PTELAB" changes base $c -v > out || return
		! awk 'length > 75' out | grep . || return
	done
}
check "no line is wider than mail" narrow

# --- patches ---

diff -u --label a/a.c --label b/a.c <(sed 's/x \* CONSTANT/x * 34569/' "$src/a.c") \
	"$src/a.c" > a.patch
{
	sed 's/a\.c/mm\/elsewhere.c/g' a.patch
	printf -- '--- a/Documentation/x.rst\n+++ b/Documentation/x.rst\n@@ -1 +1,2 @@\n x\n+y\n'
	printf -- '--- a/b.c\n+++ b/b.c\n@@ -7 +7,2 @@\n x\n+int z = 1;\n'
} > others.patch
patched()
{
	"$PTELAB" changes base CONSTANT --patch a.patch --patch others.patch --json > out.json &&
		jq -e '[.patch[] | [.file, .state]] == [["a.c", "changed"],
			["mm/elsewhere.c", "not built"],
			["Documentation/x.rst", "no code"], ["b.c", "built alike"]] and
			.patch[0].functions == ["helper"] and
			.patch[0].edits == ["helper"]' out.json
}
check "a patch's files: changed, not built, no code, built alike" patched

# --- what ran ---

# run NAME CHANGE FUNCTION COUNT...: a run of base and of the kernel with the
# change, in which each instruction of the function ran so often at one point
run()
{
	local name=$1 change=$2 function=$3 start words i=0 counts=() hash side
	shift 3

	image "$change" "$files" "-DCHANGE_$change" || return
	for side in base "$change"; do
		hash=$(sha256sum < "$side/vmlinux" | cut -c1-16)
		mkdir -p "cache/kernels/$hash/arch/arm64/include/generated/asm"
		cp "$side/vmlinux" "cache/kernels/$hash/"
		printf '#define ARM64_HAS_MOPS\t\t7\n#define ARM64_NCAPS 8\n' \
			> "cache/kernels/$hash/arch/arm64/include/generated/asm/cpucaps.h"
		printf '{ "hash": "%s", "release": "6.12.0", "patches": [] }' "$hash" \
			> "cache/kernels/$hash/manifest.json"
	done
	mkdir -p "runs/$name"/{base,patched}
	jq -n --slurpfile b "cache/kernels/$(sha256sum < base/vmlinux | cut -c1-16)/manifest.json" \
		--slurpfile n "cache/kernels/$hash/manifest.json" \
		'{ schema: "ptelab.ab/1", base: $b[0], patched: $n[0] }' > "runs/$name/manifest.json"
	read -r start words < <(aarch64-linux-gnu-objdump -d --disassemble="$function" "$change/vmlinux" |
		awk -v f="<$function>:" '$2 == f { start = $1 }
			start && length($2) == 8 && $1 ~ /:$/ { words = words $2 } END { print start, words }')
	for n; do
		[ "$n" -eq 0 ] || counts+=(0 0 $((4 * i)) 1 "$n")
		i=$((i + 1))
	done
	for side in base patched; do
		printf '{"schema":"ptelab-run-1","type":"header","insns":{"file":"boot-001.insns.gz","run":0}}\n' \
			> "runs/$name/$side/boot-001.jsonl"
	done
	{
		echo '{"schema":"ptelab-insns-1"}'
		printf '{"type":"region","run":0,"batch":0,"bench":"t.one","params":{"folio":"4k"},"operations":1,"nodes":[0,0,-1,0,-1],"counts":[%s]}\n' \
			"$(IFS=,; echo "${counts[*]}")"
		printf '{"type":"function","name":"%s","space":"kernel","start":"%s","words":"%s"}\n' \
			"$function" "$start" "$words"
		if [ -n "${seen:-}" ]; then
			printf '{"type":"seen","base":"%s","ranges":[%s]}\n' "$start" "$seen"
		fi
	} | gzip > "runs/$name/patched/boot-001.insns.gz"
}

# ran JQ NAME...: what ptelab changes says of such a run
ran()
{
	local filter=$1
	shift
	run "$@" && PTELAB_CACHE=$tmp/cache "$PTELAB" changes "runs/$1" --json > out.json &&
		jq -e "$filter" out.json
}
check "all of a change ran" ran '.ran == "ran" and (.functions[0] | .ran == "ran" and
	.differing == 1 and .differing_ran == 1 and .points == ["t.one folio=4k"])' \
	all CONSTANT helper 2 2 2 2 2 2 2
check "none of it did" ran '.ran == "never ran" and (.functions[0] | .points == [] and
	.behind == null)' none CONSTANT helper 0 0 0 0 0 0 0
set_up()
{
	seen=0,7,0 ran '.ran == "ran outside" and (.functions[0] | .ran == "ran outside" and .points == [])' \
		outside CONSTANT helper 0 0 0 0 0 0 0 &&
		PTELAB_CACHE=$tmp/cache "$PTELAB" changes runs/outside > out &&
		grep '^not exercised: the changed code ran in set-up or at boot, but not in' out
}
check "all of it did, but in no operation" set_up
check "what ran elsewhere is not the change" eval "seen=100,7,0 ran '.ran == \"never ran\"' \
	elsewhere CONSTANT helper 0 0 0 0 0 0 0"
check "its function ran, it did not" ran '.ran == "never ran" and
	(.functions[0] | .points == ["t.one folio=4k"] and .differing_ran == 0) and
	.lines == []' but CONSTANT helper 2 0 0 0 0 0 0
check "behind a capability that the CPU lacks, by its name" ran '.ran == "never ran" and
	(.functions[0].behind | test("only on CPUs with MOPS"))' gated GATED gated 3 3 3 0 0 0
check "with it, it ran" ran '.ran == "ran"' ungated GATED gated 3 0 0 3 3 3
key_and_lines()
{
	local nr first

	image KEYED "$files" -DCHANGE_KEYED && changes "changed keyed" base KEYED || return
	nr=$(jq '.functions[0].new.instructions' out.json)
	# up to the first return: not the key's block
	first=$(aarch64-linux-gnu-objdump -d --disassemble=keyed KEYED/vmlinux |
		awk '/^ffff/ && /:\t/ { n++ } /\tret/ { print n; exit }')
	# shellcheck disable=SC2046
	ran '.ran == "never ran" and (.functions[0].behind == "behind the static key key_a") and
		.lines[0].ran == 0 and .lines[0].function == "keyed"' key KEYED keyed $(yes 4 | head -n "$first") \
			$(yes 0 | head -n $((nr - first))) &&
		PTELAB_CACHE=$tmp/cache "$PTELAB" changes runs/key > out &&
		grep -E '^ a\.c:[0-9]+(-[0-9]+)? in keyed: behind the static key key_a' out
}
check "behind a static key, and the lines" key_and_lines
two_folders()
{
	PTELAB_CACHE=$tmp/cache "$PTELAB" changes runs/all/base runs/all/patched | grep -q '^exercised: all'
}
check "the two folders of a run" two_folders
refuses "a run whose kernel is gone" 'not in the cache any more' \
	env PTELAB_CACHE="$tmp/nothing" "$PTELAB" changes runs/all

# --- what is no kernel ---

head -c 3000 base/vmlinux > cut-short
head -c 40 base/vmlinux > shorter
aarch64-linux-gnu-objcopy --strip-all base/vmlinux stripped
aarch64-linux-gnu-objcopy --strip-debug base/vmlinux no-dwarf
cp base/a.o object
printf 'int main(void) { return 0; }\n' > x.c
refuses "cut short" 'damaged|cut short|no ELF' "$PTELAB" changes cut-short base
refuses "cut shorter" 'damaged|cut short|no ELF' "$PTELAB" changes base shorter
refuses "no ELF file" 'a.patch: no ELF file' "$PTELAB" changes a.patch base
refuses "not there" 'nowhere: No such file' "$PTELAB" changes base nowhere
refuses "a folder of neither" 'tests: neither a vmlinux nor boot files' "$PTELAB" changes base "$top/tests"
refuses "no symbols" 'stripped: no symbols' "$PTELAB" changes stripped base
refuses "an object file" 'object: not linked' "$PTELAB" changes object base
refuses "no patch" 'x.c: not a patch' "$PTELAB" changes base OPS --patch x.c
refuses "one argument that is no run" 'base: no folder that make ab left' "$PTELAB" changes base
if [ "$(uname -m)" = x86_64 ]; then
	refuses "another processor's" 'a file for x86-64' "$PTELAB" changes base "$PTELAB"
fi
no_dwarf()
{
	changes "changed helper" no-dwarf CONSTANT || return
	"$PTELAB" changes CONSTANT no-dwarf > out && grep -q 'no debugging information' out
}
check "without debugging information: no lines, and says so" no_dwarf
