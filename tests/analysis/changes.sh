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

# --- what is no kernel ---

head -c 3000 base/vmlinux > cut
head -c 40 base/vmlinux > shorter
aarch64-linux-gnu-objcopy --strip-all base/vmlinux stripped
aarch64-linux-gnu-objcopy --strip-debug base/vmlinux no-dwarf
cp base/a.o object
printf 'int main(void) { return 0; }\n' > x.c
refuses "cut short" 'damaged|cut short|no ELF' "$PTELAB" changes cut base
refuses "cut shorter" 'damaged|cut short|no ELF' "$PTELAB" changes base shorter
refuses "no ELF file" 'a.patch: no ELF file' "$PTELAB" changes a.patch base
refuses "not there" 'nowhere: No such file' "$PTELAB" changes base nowhere
refuses "a folder of neither" 'tests: neither a vmlinux nor boot files' "$PTELAB" changes base "$top/tests"
refuses "no symbols" 'stripped: no symbols' "$PTELAB" changes stripped base
refuses "an object file" 'object: not linked' "$PTELAB" changes object base
refuses "no patch" 'x.c: no patch' "$PTELAB" changes base OPS --patch x.c
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
