#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The head of a comparison fits a screen and a mail, whatever differs: of made-up
# runs that are like the largest shipped series, and of the results that ship.
# shellcheck source=made-up.sh
. "$(dirname "$0")/made-up.sh"

# lockless N: many points that differ in numbers, three folio sizes each
lockless()
{
	local name pages folio	# fixtures have _ for a blank in words

	for name in GUP-fast GUP-fast_pin GUP-fast_longterm_pin O_DIRECT_read io_uring_buffer_registration vmsplice; do
		for pages in 1 4 16 64 256; do
			for folio in 4k 64k 2m; do
				case $folio in
				4k) echo "$name folio=4k pages=$pages words=$name : instructions_kernel=$((500 + 50 * pages + $1 * (4 + pages))) lockless_gathers=0" ;;
				64k) echo "$name folio=64k pages=$pages words=$name : instructions_kernel=$((500 + 800 * pages - $1 * 600 * pages)) lockless_gathers=$((pages - $1 * pages)) contpte_folds=$((2 - $1))" ;;
				2m) echo "$name folio=2m pages=$pages words=$name : instructions_kernel=$((400 + 6 * $1))" ;;
				esac
			done
		done
	done
	for name in spurious_write_fault copy-on-write_fault zap; do
		echo "$name folio=64k words=$name : instructions_kernel=$((5600 - 700 * $1)) lockless_gathers=$((2 - 2 * $1))"
	done
	echo 'process_vm_readv folio=4k words=process_vm_readv : instructions_kernel=900'
}

# device N: a few points of many, whose pages change their memory type
device()
{
	local what seq size bar

	for bar in 00:04.0/2 1b36:0010; do
		for what in NC nGnRE; do
			echo "map bar=$bar guest=$what words=guest's_first_store_to_a_VFIO_BAR,_${what}_in_its_stage_1 : instructions_kernel=$((4800 + 4 * $1)) s2_maps.nc=$((1 - $1)) s2_maps.device=$1 in_force.Normal-NC=$((1 - $1)) in_force.Device-nGnRE=$1"
		done
	done
	for seq in str8 stp neon64; do
		for what in guest_memory device wc; do
			for size in 64 512 4k; do
				echo "store sequence=$seq map=$what size=$size words=${seq}_stores,_$what : instructions_user=8.125"
			done
		done
	done
	for seq in iowrite64_copy memcpy_toio; do
		echo "store sequence=$seq words=${seq}_stores,_ioremap : instructions_user=9"
	done
}

for what in lockless device; do
	mapfile -t p < <("$what" 0)
	make_run -o "$what" -B aaaa -n 3 "${p[@]}"
	mapfile -t p < <("$what" 1)
	make_run -o "$what-new" -B bbbb -n 3 "${p[@]}"
	check "$what: compares" exits 0 ptelab compare "$what" "$what-new"
	cp "$tmp/out" "$what.txt"
	check "$what: 20 lines" short_head "$what.txt"
done

# Each line that differs is in a row, at the end of one, or named with its delta.
values()
{
	tr -s '\n ' ' ' < lockless.txt > flat
	says 'pages=64: -38400; 16: -9600; 4: -2400; 1: -600 ' flat &&
	says ' the same change: GUP-fast pin; GUP-fast; O DIRECT read; io uring buffer registration; vmsplice ' flat &&
	says ' the same change: spurious write fault; zap ' flat && silent_on 'Also' flat &&
	says 'Contpte gathers gone (33 points); fewer contpte folds (30).' flat
}
check "lockless: other values in a line, and who does the same" values
moves()
{
	tr -s '\n ' ' ' < device.txt > flat
	says 'WORSE at 4 of 33 points' flat &&
	says '1 stage-2 nc -> device page, 1 effective Normal-NC -> Device-nGnRE page' flat &&
	says 'the same change: nGnRE in its stage 1' flat && silent_on 'bar=' flat &&
	says 'neon64, stp, str8 stores' flat
}
check "device: one line for each bar, and what a page became" moves
# With one bar that does otherwise, each has a line.
otherwise()
{
	mapfile -t p < <(device 1 | sed '/bar=1b36:0010 guest=NC/s/=4804/=4900/')
	make_run -o odd -B bbbb -n 3 "${p[@]}" &&
	exits 0 ptelab compare device odd && short_head "$tmp/out" && says 'bar=1b36:0010' && says '4900'
}
check "device: not where one does otherwise" otherwise

shipped()
{
	local f

	for f in "$top"/runs/example-*/answer.txt; do
		short_head "$f" || return
	done
}
check "the answers that ship" shipped
