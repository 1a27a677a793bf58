#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# ptelab explain --perf-data: what Debian's perf reads of two made-up boots of
# arm64, whose every instruction is known, is what was counted.
# shellcheck source=made-up.sh
. "$(dirname "$0")/made-up.sh"
for program in perf jq aarch64-linux-gnu-gcc aarch64-linux-gnu-objdump; do
	needs $program
done
cp -r "$top"/tests/golden/runs/counted-{base,new} .

# The two kernels and the program that the boots are of; what ran is NOPs here.
cat > kernel.S <<'S'
	.globl _text
_text:	.org 0x100
	.macro function name, at, nr=16
	.org \at
	.type \name, %function
\name:	.rept \nr
	nop
	.endr
	.size \name, . - \name
	.endm
	function handler, 0x100
	function walk, 0x200
	function tail, 0x300
	function late, 0x400
	function vectors, 0x10000, 300
S
sed '/walk/d; s/tail, 0x300/late, 0x300/; s/late, 0x400/tail, 0x400/
	s/.*vectors.*/	function walk, 0x900\n&/' kernel.S > kernel-new.S
cat > program.S <<'S'
	.type main, %function
main:	.rept 16
	nop
	.endr
	.size main, . - main
	.org 0x100
	.type call, %function
call:	nop
	nop
	.size call, . - call
S
id=34567890123456789012345678901234567890
# elf FILE SOURCE ADDRESS BUILD_ID
elf()
{
	aarch64-linux-gnu-gcc -nostdlib -static -Wl,--build-id=0x"$4" -Wl,-e,0 -Wl,-z,norelro \
		-Wl,--section-start=.note.gnu.build-id=0x"$(printf %x $(($3 + 0x100000)))" \
		-Wl,--section-start=.text="$3" -o "$1" "$2" || exit 1
}
elf base kernel.S 0xffff800080000000 ba$id
elf new kernel-new.S 0xffff800080000000 ce$id
elf program program.S 0x400000 ab$id

# boots START BUILD_ID: of those kernels and that program, which is at START
boots()
{
	local side kernel

	for side in base new; do
		[ $side = base ] && kernel=ba$id || kernel=ce$id
		rm -rf counted-$side
		cp -r "$top/tests/golden/runs/counted-$side" .
		jq -c --arg id "$kernel" 'if .type == "header" then .build_id = $id else . end' \
			counted-$side/boot-001.jsonl | sealed boot
		mv boot counted-$side/boot-001.jsonl
		{
			# GCC's name for it is not what this is about; and one that the base lacks
			zcat counted-$side/boot-001.insns.gz | sed 's/walk.isra.0/walk/' |
				{ [ $side = base ] && cat || sed 's/"tail"/"late"/'; }
			printf '{"type":"image","file":"program","start":"%s","size":264,"build_id":"%s"}\n' \
				"$1" "$2"
		} | gzip -c > insns
		mv insns counted-$side/boot-001.insns.gz
	done
}
boots 0x400000 ab$id
elfs=(--elf base --elf new --elf program)

perf_of()
{
	perf --buildid-dir perf "$@" 2> perf.err
}

# count FILE: of all that perf adds up
count()
{
	perf_of report -i perf/"$1" --stdio --no-children -g none |
		sed -n 's/^# Event count (approx.): //p'
}

# functions FILE: "NAME=PERIOD" of each, the most frequent first
functions()
{
	perf_of report -i perf/"$1" --stdio --no-children -g none -F period,sym --sort sym |
		awk '!/^#/ && $1 { print $NF "=" $1 }' | sort -t= -k2,2nr -k1,1 | xargs
}

# ours SIDE: the same by explain
ours()
{
	ptelab explain counted-base counted-new --json |
		jq -r --arg side "$1" '.[0].functions[] | select(.[$side] > 0) | "\(.name)=\(.[$side] * 2)"' |
		sort -t= -k2,2nr -k1,1 | xargs
}

check explains exits 0 ptelab explain counted-base counted-new --perf-data perf "${elfs[@]}"
check says-where says 'cd perf'
check says-what-to-type says 'perf --buildid-dir . diff -c wdiff:1,1 base.data new.data'
equal all-files-known "$(cat err)" ""
equal count-of-base "$(count base.data)" "$(jq -r 'select(.batches).batches.instructions[0]' counted-base/boot-001.jsonl)"
equal count-of-new "$(count new.data)" "$(jq -r 'select(.batches).batches.instructions[0]' counted-new/boot-001.jsonl)"
equal functions-of-base "$(functions base.data)" "$(ours base)"
equal functions-of-new "$(functions new.data)" "$(ours new)"
# What explain's table has per operation; perf diff has what is more first
# shellcheck disable=SC2094
perf_of diff -c wdiff:1,1 -s sym perf/base.data perf/new.data |
	awk '!/^#/ && $2 ~ /^-?[1-9]/ && NF == 4 { print $4, $2 } !/^#/ && $1 ~ /^-?[1-9][0-9]*$/ { print $3, $1 }' > ranked
equal diff-is-of-explain "$(sort ranked | xargs)" "$(ptelab explain counted-base counted-new --json |
	jq -r '.[0].functions[] | select(.delta != 0) | "\(.name) \(.delta * 2)"' | sort | xargs)"
equal diff-ranks "$(xargs < ranked)" "late 4 tail -4 walk -12"
equal callers "$(perf_of script -i perf/base.data -F ip,sym,period | awk '!NF { print s; s = "" } NF { s = s " " $NF }' |
	sort | uniq -c | sort -rn | awk '/ tail/ { print $3, $4, $5; exit }')" "tail handler call"
check annotates sh -c "perf --buildid-dir perf annotate -i perf/base.data --stdio -s walk 2>&1 | grep -q 'Percent.*Source'"
equal arch "$(perf_of report -i perf/base.data --header-only | sed -n 's/^# arch : //p')" aarch64
equal event "$(perf_of evlist -i perf/base.data)" instructions
check loads exits 0 ptelab explain counted-base counted-new -m loads --perf-data perf "${elfs[@]}"
equal count-of-loads "$(count base.data)" 10
equal event-of-loads "$(perf_of evlist -i perf/base.data)" loads

# One of the functions in a module, which is linked where it is loaded
cat > module.S <<'S'
	.org 0x300
	.type in_module, %function
in_module:
	.rept 16
	nop
	.endr
	.size in_module, . - in_module
S
aarch64-linux-gnu-gcc -c -o module.o module.S && aarch64-linux-gnu-ld -r --build-id=0xdd$id -o made_up.ko module.o || exit 1
for side in base new; do
	{
		zcat counted-$side/boot-001.insns.gz |
			sed -E 's/"name":"(tail|late)"(.*)"start":"0x[0-9a-f]*"/"name":"in_module"\2"start":"0xffff800078d30300"/'
		printf '{"type":"image","file":"made_up.ko","start":"0xffff800078d30000","size":1024,"build_id":"%s"}\n' dd$id
	} | gzip -c > insns
	mv insns counted-$side/boot-001.insns.gz
done
rm -rf perf
check module exits 0 ptelab explain counted-base counted-new --perf-data perf "${elfs[@]}" --elf made_up.ko
equal module-files-known "$(cat err)" ""
equal functions-of-a-module "$(functions base.data)" "$(ours base)"
check module-is-one grep -q in_module= <<< "$(functions base.data | tr ' ' '\n')"
equal dso-of-a-module "$(perf_of report -i perf/base.data --stdio --no-children -g none --sort dso,sym |
	awk '$NF == "in_module" { print $2 }')" '[made_up]'
boots 0x400000 ab$id

# Without the files all is there but the names
rm -rf perf
check without-files exits 0 ptelab explain counted-base counted-new --perf-data perf
equal without-files-says "$(grep -c 'will not know functions of vmlinux in .*--elf' err)" 2
equal count-without-files "$(count base.data)" 48
boots 0x400000 deadbeef
check other-program exits 0 ptelab explain counted-base counted-new --perf-data perf "${elfs[@]}"
check other-program-says says 'will not know functions of program in base.data' err

# What is no input
refuses elf-alone '\-\-elf goes with --perf-data' ptelab explain counted-base counted-new --elf base
refuses no-elf 'perf.sh: not an ELF file' ptelab explain counted-base counted-new --perf-data perf --elf "$top/tests/analysis/perf.sh"
refuses no-such-elf 'nonesuch: No such file' ptelab explain counted-base counted-new --perf-data perf --elf nonesuch
aarch64-linux-gnu-gcc -c -o no-id.o program.S
refuses elf-without-id 'no-id.o: has no build id' ptelab explain counted-base counted-new --perf-data perf --elf no-id.o
refuses no-folder "can't make the folder base/x" ptelab explain counted-base counted-new --perf-data base/x
cp -r "$top"/tests/golden/runs/sampled-{a,b} .
refuses sampled 'perf data is made of instructions that were counted' ptelab explain sampled-a sampled-b --perf-data perf
boots 0xfffffffffffffff0 ab
refuses image-out-of-range 'not what ptelab merge writes' ptelab explain counted-base counted-new --perf-data perf
