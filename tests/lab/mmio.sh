#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2016
# The mmio family on the emulated machine, where the emulator itself logs each
# store that a device gets: how many, in which order, how wide, and where.
#
#	KERNEL=7.3	on that kernel
# run: needs base
set -uo pipefail
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
cd "$top" || exit 1

lab=$top/scripts/lab
need_deps lab-mmio lab arm64
need_kernel ${KERNEL:+--kernel "$KERNEL"}
need_module
if ! make -s VARIANT=arm64 build/arm64/ptelab > "$tmp/make" 2>&1; then
	not_ok program "does not build: $(grep -m 1 error "$tmp/make")"
	exit 1
fi

if ! aarch64-linux-gnu-gcc -O2 -Wall -static -o "$tmp/kill-when" tests/lab/kill-when.c 2> "$tmp/err"; then
	not_ok kill-when "$(tail -n 1 "$tmp/err")"
	exit 1
fi

trace=(--qemu -trace --qemu memory_region_ops_write --qemu -D --qemu "$tmp/trace")

# 00:03.0/2 sees every store and reads back; 00:05.0 drops what it is given.
run='ptelab run -o - -q --seed 7 --batches 1 --warmup 0 --counted 0 --ops 256'
store=mmio.store:bar=00:03.0/2:force=yes
readback=mmio.readback:bar=00:03.0/2:force=yes
cat > "$tmp/job" <<END
# qemu: -M iommu=smmuv3
# qemu: -device nvme,serial=cmb,cmb_size_mb=2,addr=0x3
# qemu: -device pci-testdev,membar=1M,addr=0x5
# qemu: -device nvme,serial=other,cmb_size_mb=2,addr=0x6
# qemu: -object memory-backend-ram,id=spare,size=1M -device ivshmem-plain,memdev=spare,addr=0x7
# module
$run -b $store:map=device,wc,vfio:sequence=str1,str2,str4,str8,stp,neon64,copy:size=64 -b $store:map=device:sequence=str8,stp,neon64:size=512,4k -b $store:map=wc,device:sequence=str4:pattern=pingpong,same-line:size=32 -b $store:map=device:sequence=str8:flush=dsb,dgh,readback -b $store:map=ioremap:sequence=str1,str2,str4,str8,iowrite32,iowrite64,iowrite32_copy,iowrite64_copy,memcpy_toio,memset_io:size=64 -b $store:map=ioremap_wc,ioremap_np:sequence=str8:size=32:pattern=stream,pingpong,same-line -b $store:map=ioremap:sequence=str4:flush=dsb,dgh,readback:pattern=stream,pingpong -b $store:map=ioremap:sequence=str8:size=512,4k -b $store:map=guest:guest=nc,ngnre,mixed:sequence=str8,stp,neon64 -b $store:map=guest:sequence=str1:backing=sysfs -b $readback:map=device,wc,vfio,guest,ioremap,ioremap_wc,ioremap_np --ops 250
$run -b mmio.store:map=guest:backing=ram:guest=ngnrne,ngnre,ngre,gre,nc,wt,wb -b mmio.readback:map=ram -b mmio.store:map=wc:bar=00:05.0 -b mmio.store:map=vfio:bar=00:05.0 -b mmio.store:map=ioremap:bar=00:05.0
$run -b mmio.store:bar=00:03.0/2 -b mmio.store:bar=00:03.0/2:map=vfio -b mmio.store:bar=00:1f.0/2 -b mmio.store:bar=00:03.0/2:force=yes:window=4m -b mmio.store:bar=00:03.0/0:force=yes:map=wc:window=4k -b mmio.store:bar=00:05.0:offset=4 -b mmio.store:bar=00:05.0:map=ioremap:sequence=neon64 -b mmio.store:bar=00:05.0:sequence=st64b -b mmio.store:bar=00:05.0:sequence=mov8 -b mmio.store:bar=1b36:ffff -b mmio.store:bar=x
kill-when /sys/bus/pci/devices/0000:00:06.0/driver vfio-pci ptelab run -o /tmp/killed.jsonl -q --batches 100000 -b mmio.store:bar=00:06.0:force=yes:map=vfio
kill-when /sys/bus/pci/devices/0000:00:06.0/driver nothing ptelab run -o /tmp/replayed.jsonl -q -b harness.empty
$run -b mmio.store:bar=00:06.0 -b mmio.map:bar=00:03.0:force=yes:guest=nc,ngnre,mixed --batches 2 --counted 1 --ops 256
$run -p bar=00:07.0/2 --ops 4096 --batches 3 -b mmio.store:map=device,guest,ioremap,ioremap_wc,ioremap_np:sequence=str1,str2,str4,str8 -b mmio.store:map=device,guest:sequence=stp,neon64:size=128,1k -b mmio.store:map=device,guest,ioremap:sequence=str8:size=128,256,512,1k,2k,4k -b mmio.store:map=device,guest,ioremap:sequence=str8,str1:flush=dsb,dgh,readback:pattern=stream,pingpong,same-line -b mmio.store:map=ioremap:sequence=iowrite32,iowrite64,iowrite32_copy,iowrite64_copy,memcpy_toio,memset_io:size=64,512
END
"$lab/boot" "${trace[@]}" --image "$kernel/Image" --ptelab build/arm64/ptelab --job "$tmp/job" \
	--out "$tmp/boot.jsonl" --module "$module" --file "$tmp/kill-when:bin/kill-when" > "$tmp/end" 2>&1
if ! grep -q '^done ' "$tmp/end"; then
	not_ok boot "$(tail -n 1 "$tmp/end")"
	exit 1
fi
ok boot

# The points of run number $1, as a JSON array
points()
{
	grep '^{' "$tmp/boot.jsonl" | jq -s --argjson n "$1" '[foreach .[] as $x (0; if $x.type == "header" then . + 1 else . end;
		if $x.type == "point" and . == $n and $x.bench != "harness.empty" then $x else empty end)]'
}
for n in 1 2 3 4 5; do
	points $n > "$tmp/$n.json"
done

holds "every point is proved" 1 'length == 75 and all(.[]; .status == "ok")'

# --- the emulator's log against what each point says that it did ---

# One line a point: stores the emulator must have seen, their width, group size,
# distance of groups, where they begin again
jq -r '.[] | .params as $p | {str1: 1, str2: 2, str4: 4, iowrite32: 4, iowrite32_copy: 4}[$p.sequence] // 8 |
	. as $w | {"4k": 4096, "64k": 65536} as $k | ($k[$p.size] // ($p.size | tonumber)) as $s |
	[250 * $s / $w, $w, $s,
	 (if ($p.pattern // "stream") == "stream" then $s elif $p.pattern == "pingpong" then 64 else 0 end),
	 (if ($p.pattern // "stream") == "stream" then $k[$p.window] elif $p.pattern == "pingpong" then 128 else 1 end),
	 "\($p.map)-\($p.sequence)-\($p.size)-\($p.pattern)-\($p.guest)"] | join(" ")' "$tmp/1.json" > "$tmp/expected"
# The first of the two NVMes, by its memory region
mr=$(grep -m 1 "'nvme-cmb'" "$tmp/trace" | grep -oE ' mr 0x[0-9a-f]+ ')
grep -F -- "$mr" "$tmp/trace" | sed -E 's/.* addr 0x([0-9a-f]+) value 0x([0-9a-f]+) size ([0-9]+) .*/\1 \2 \3/' > "$tmp/stores"
awk '
	function hex(s,  i, v) { v = 0; for (i = 1; i <= length(s); i++) v = v * 16 + index("0123456789abcdef", substr(s, i, 1)) - 1; return v }
	function begin() {
		at++; split(line[at], e, " "); i = 0
	}
	NR == FNR { line[++points] = $0; next }
	FNR == 1 { base = hex($1); begin() }
	# The stores of mmio.map come behind those of all points here.
	i == e[1] { if (at == points) { after++; next } begin() }
	{
		per = e[3] / e[2]; group = int(i / per); n = i % per
		want = base + n * e[2] + (e[4] ? group * e[4] % e[5] : 0)
		if (hex($1) != want || $3 != e[2]) { print "store " i " of " e[6] " went to " $1 ", " $3 " bytes wide"; bad = 1; exit }
		# Every group of a point is like its first.
		if (!group) first[n] = $2
		else if (first[n] != $2) { print "store " i " of " e[6] " is " $2; bad = 1; exit }
		i++
	}
	END {
		if (bad) exit
		if (after != 3 * 256 * 3) print after " stores more than mmio.map makes"
		else if (at != points || i != e[1]) print "the log ends within point " at " of " points ": " e[6]
		else print "all"
	}' "$tmp/expected" "$tmp/stores" > "$tmp/verdict"
equal "the emulator saw each store, in order, of the right size, where it belongs, and no other" \
	"$(cat "$tmp/verdict")" all

# --- what the points say ---

holds "no time, but why" 1 'all(.[]; (.counters | has("ns") or has("mb_per_s") | not) and (.absent.ns // .absent["readback_ns.p50"] | test("emulated")) and (.proof.no_speed | test("gathered")))'
# Of an emulated device each store is an exit of the emulator's; of memory there
# are enough groups here that a call of the loop no longer shows.
holds "one instruction at most beside the stores of a group, in user space, a guest and the kernel" 5 \
	'[.[] | select(.counters.loop_instructions == null)] | length == 100 and
	 all(.[]; .status == "ok" and .counters.harness_instructions.per_op > 0 and .counters.harness_instructions.per_op <= 1)'
holds "what is printed of the code is what is counted" 5 \
	'[.[] | select(.proof.group)] | length == 64 and
	 all(.[]; .counters.harness_instructions.per_op - .proof.group.harness | . > -0.01 and . < 0.05)'
holds "the loops of the kernel's own functions, apart" 5 \
	'[.[] | select(.counters.loop_instructions)] | length == 12 and (map(.params.sequence) | unique | length == 6) and
	 all(.[]; (.params.size | tonumber) as $size | (if .params.sequence | test("32") then 4 else 8 end) as $w |
		(.counters | .instructions_kernel.per_op - .harness_instructions.per_op - .loop_instructions.per_op - $size / $w |
		 . >= 0 and . < 2) and .counters.loop_instructions.per_op > $size / 64)'
# The least is __iowrite64_copy()'s loop: 56 stores more, and one instruction for
# each. Nothing else that a call takes depends on the group.
holds "longer groups, longer loops" 5 \
	'[.[] | select(.counters.loop_instructions)] | group_by(.params.sequence) |
	 all(.[]; length == 2 and .[1].counters.loop_instructions.per_op >= .[0].counters.loop_instructions.per_op + 56 and
		all(.[].counters.loop_instructions.per_op; . == floor) and
		(.[1].counters.harness_instructions.per_op - .[0].counters.harness_instructions.per_op | fabs) < 0.01)'
holds "a load after each group: host, VFIO, guest and kernel" 1 \
	'[.[] | select(.bench == "mmio.readback")] | length == 7 and all(.[]; .status == "ok" and (.absent["readback_ns.p50"] | test("emulated")))'
holds "stage 1 of the host, from its page table" 1 \
	'({device: "Device-nGnRE", wc: "Normal-NC", vfio: "Device-nGnRnE"}) as $t |
	 all(.[] | select($t[.params.map]); .proof.in_force == $t[.params.map] and .proof.stage1.from == "the page table")'
holds "stage 1 of the kernel, from the CPU" 1 \
	'({ioremap: "Device-nGnRE", ioremap_wc: "Normal-NC", ioremap_np: "Device-nGnRnE"}) as $t |
	 all(.[] | select($t[.params.map]); .proof.in_force == $t[.params.map] and (.proof.stage1.from | test("AT S1E1R")))'
holds "a VFIO BAR is NC in stage 2, and the guest chooses" 1 \
	'[.[] | select(.params.map == "guest" and .params.backing == "vfio")] | length == 10 and
	 all(.[]; .proof.stage2.type == "Normal-NC" and .proof.in_force_pages == .proof.stage1_pages)'
holds "types page by page" 1 \
	'[.[] | select(.params.guest == "mixed")] | length == 3 and all(.[]; .proof.in_force_pages == {"Normal-NC": 8, "Device-nGnRE": 8})'
holds "a BAR that is not VFIO's is Device, whatever the guest asks" 1 \
	'[.[] | select(.params.backing == "sysfs" and .params.map == "guest")] | length == 1 and
	 all(.[]; .proof.stage1.type == "Normal-NC" and .proof.stage2.type == "Device-nGnRE" and .proof.in_force == "Device-nGnRE")'
holds "RAM is write-back in stage 2, whatever the guest asks (FWB)" 2 \
	'[.[] | select(.params.map == "guest")] | length == 7 and ([.[].proof.stage1.type] | unique | length == 7) and
	 all(.[]; .status == "ok" and .proof.stage2.type == "Normal-WB" and .proof.in_force == "Normal-WB")'
holds "a BAR that drops writes is told" 2 \
	'[.[] | select(.params.bar == "00:05.0")] | length == 3 and
	 all(.[]; .status == "invalid" and (.reason | test("^not proved: this BAR does not keep")))'

# --- what is refused; and that the driver is back ---

n=0
while IFS= read -r why; do
	holds "refused: $why" 3 ".[$n] | .status == \"unavailable\" and (.reason | test(\"$why\"))"
	n=$((n + 1))
done <<'END'
belongs to the driver nvme; force=yes
belongs to the driver nvme; force=yes
is in use: process 1 .init. has it mapped
BAR 2 of 0000:00:03.0 is too small: it has 2097152 bytes
BAR 0 of 0000:00:03.0 is not prefetchable
offset 4 are not aligned to 8 bytes: on Device memory str8
no kernel function stores with neon64
this CPU has no st64b
sequence of the other architecture
there is no such PCI device
write an address .0000:00:03.0., vendor:device
END

# --- killed while it had the device ---

check "killed with the device in its hands" grep -q 'kill-when: killed' "$tmp/boot.console"
holds "the next one gave the device back to its driver" 4 \
	'.[0].reason | test("0000:00:06.0 belongs to the driver nvme")'
# Events per page that the guest touches first
holds "each page of a VFIO BAR is one NC mapping" 4 \
	'.[1:] | length == 3 and all(.[]; .status == "ok" and .counters["s2_maps.nc"].per_op == 1 and .counters["s2_maps.device"].per_op == 0)'
holds "what comes of it is what the guest asks for" 4 \
	'[.[1:][].counters | [.["in_force.Normal-NC"].per_op, .["in_force.Device-nGnRE"].per_op]] == [[1, 0], [0, 1], [0.5, 0.5]]'
# --- guest and host at the same time, through different types: two CPUs ---

cat > "$tmp/job" <<END
# qemu: -M iommu=smmuv3
# qemu: -device nvme,serial=cmb,cmb_size_mb=2,addr=0x3
ptelab run -o - -q --seed 7 --batches 2 --warmup 0 --counted 0 --ops 512 -b mmio.alias:bar=00:03.0:force=yes:guest=nc,ngnre,mixed
END
"$lab/boot" "${trace[@]}" --mode race --image "$kernel/Image" --ptelab build/arm64/ptelab --job "$tmp/job" \
	--out "$tmp/race.jsonl" > "$tmp/end" 2>&1
jq -s '[.[] | select(.bench == "mmio.alias")]' "$tmp/race.jsonl" > "$tmp/5.json"
holds "guest and host: both streams are whole" 5 \
	'length == 3 and all(.[]; .status == "ok" and .proof.read_back_bytes == 65536)'
grep "'nvme-cmb'" "$tmp/trace" |
	sed -E 's/.* cpu ([0-9]+) .* addr 0x[0-9a-f]*([0-9a-f]{5}) value .* size ([0-9]+) .*/\1 \2 \3/' |
	awk '
	function hex(s,  i, v) { v = 0; for (i = 1; i <= length(s); i++) v = v * 16 + index("0123456789abcdef", substr(s, i, 1)) - 1; return v }
	{
		at = hex($2)
		if (!($1 in n)) { who[$1] = at; cpus++ }
		want = who[$1] + int(n[$1] / 8) % 512 * 128 + n[$1] % 8 * 8
		if (at != want || $3 != 8) { print "store " n[$1] " of CPU " $1 " went to " $2; bad = 1; exit }
		n[$1]++
	}
	END {
		if (bad) exit
		for (c in n) if (n[c] != 3 * 2 * 512 * 8) { print n[c] " stores of CPU " c; exit }
		print cpus == 2 && who[0] + who[1] == 64 ? "each in order" : "not two streams"
	}' > "$tmp/verdict"
equal "guest and host: the device got each stream in its order" "$(cat "$tmp/verdict")" "each in order"

# --- protected KVM: the hypervisor has stage 2, and the module keeps off it ---

cat > "$tmp/job" <<END
# qemu: -device nvme,serial=cmb,cmb_size_mb=2,addr=0x3
# cmdline: kvm-arm.mode=protected
# module
ptelab run -o - -q --seed 7 --batches 2 --warmup 0 --counted 1 --ops 256 -b mmio.map:backing=sysfs:bar=00:03.0:force=yes:guest=nc
END
"$lab/boot" --image "$kernel/Image" --ptelab build/arm64/ptelab --job "$tmp/job" --module "$module" \
	--out "$tmp/protected.jsonl" > "$tmp/end" 2>&1
jq -s '[.[] | select(.bench == "mmio.map")]' "$tmp/protected.jsonl" > "$tmp/6.json"
check "protected KVM: it is" grep -aq 'detected: Protected KVM' "$tmp/protected.console"
holds "protected KVM: mapped, and of stage 2 nothing is told" 6 'length == 1 and .[0].status == "ok" and
	(.[0].proof.stage2.why | contains("stage 2: not available")) and .[0].proof.in_force == "unknown"'

check "the kernel did not complain" sh -c "! grep -E 'WARNING|BUG|Call trace' '$tmp/boot.console' '$tmp/race.console' '$tmp/protected.console'"
