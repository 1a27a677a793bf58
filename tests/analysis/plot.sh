#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# ptelab plot: which pictures are drawn, of what, and what is said if not.
# shellcheck source=made-up.sh
. "$(dirname "$0")/made-up.sh"
needs gnuplot

points()
{
	local folio pages

	for pages in 1 16 256; do
		for folio in 4k 64k 2m; do
			echo "gup.pin_fast folio=$folio pages=$pages racer=none : instructions_kernel=$((100 + pages * $1))+1 lockless_gathers=$2"
		done
	done
	for folio in 4k 64k 2m; do
		echo "fault.cow folio=$folio : instructions_kernel=$((700 + $1))"
	done
	echo "fault.file folio=4k : instructions_kernel=5000"
}
mapfile -t p < <(points 40 16)
make_run -o base -k 6.12.0 -B aaaa -n 3 "${p[@]}"
mapfile -t p < <(points 20 0)
make_run -o new -k "6.12.0-it's \`x\`" -B bbbb -n 3 "${p[@]}"

is_png()
{
	[ "$(head -c 8 "$1" | od -An -tx1 | tr -d ' \n')" = 89504e470d0a1a0a ]
}

default_pictures()
{
	exits 0 ptelab plot base new -o plots &&
	[ "$(sort "$tmp/out")" = "$(printf 'plots/%s\n' {folio-fault,folio-gup,pages-gup,points}-instructions_kernel.{png,svg} forest-exact.{png,svg} | sort)" ] &&
	[ ! -s "$tmp/err" ] || { cat "$tmp/out" "$tmp/err"; return 1; }
	for f in plots/*.png; do
		is_png "$f" || return
	done
	for f in plots/*.svg; do
		tail -n 2 "$f" | grep -q '</svg>' || return
	done
}
check "a picture of every point and of each sweep" default_pictures
check "the title names both kernels" says "6.12.0 and 6.12.0-it's" plots/points-instructions_kernel.svg
check "the axis says that counts are exact" says "kernel instructions per operation, exact (icount)" plots/folio-gup-instructions_kernel.svg
check "changes are written beside the rows" says ">-49.5%<" plots/points-instructions_kernel.svg

# What the table calls no difference is none here: no line, no delta, and last.
overlap()
{
	local n

	for n in 1 2; do
		make_run -o o$n -B $n -n 3 "gup.fast folio=4k : instructions_kernel=$((105 - 5 * n))+$((30 + 10 * n))" \
			"gup.fast folio=64k : instructions_kernel=$((499 + n))" 'gup.fast folio=2m : instructions_kernel=60' || return
	done
	exits 0 ptelab compare o1 o2 --all --format rows && grep -q 'instructions_kernel.* overlap' "$tmp/out" &&
	exits 0 ptelab plot o1 o2 -o o --keep -f svg && says '>overlap<' o/points-instructions_kernel.svg &&
	[ "$(grep -c '^[1-3] NaN NaN$' o/points-instructions_kernel.gp)" = 2 ] &&
	grep -qx '1 500 501' o/points-instructions_kernel.gp
}
check "what overlaps is not drawn as a difference" overlap

other_sweeps()
{
	make_run -o wb -k 6.12.0 -B aaaa 'mmio.store width=1 map=wc : instructions_kernel=8' 'mmio.store width=4 map=wc : instructions_kernel=4' 'mmio.store width=8 map=wc : instructions_kernel=2' &&
	exits 0 ptelab plot wb -o w -f svg && says w/width-mmio-instructions_kernel.svg && says ">width<" w/width-mmio-instructions_kernel.svg
}
check "any parameter with three values is swept" other_sweeps

# What is drawn is what was measured: the data in the kept script.
data()
{
	exits 0 ptelab plot base new -o kept --keep -b 'fault.cow' --format svg &&
	[ -e kept/folio-fault-instructions_kernel.gp ] &&
	grep -q '^4096 740 740 740$' kept/folio-fault-instructions_kernel.gp &&
	grep -q '^2097152 720 720 720$' kept/folio-fault-instructions_kernel.gp &&
	gnuplot -e "format='svg'; output='again.svg'" kept/folio-fault-instructions_kernel.gp &&
	cmp -s again.svg kept/folio-fault-instructions_kernel.svg
}
check "--keep leaves a script that draws the same picture" data
ranges()
{
	exits 0 ptelab plot base new -o kept --keep -b gup.pin_fast --format svg &&
	grep -q '^4096 141 140 142$' kept/folio-gup-instructions_kernel.gp
}
check "median and range over boots" ranges
chosen_metric()
{
	exits 0 ptelab plot base new -o m -m lockless_gathers -f svg && says m/points-lockless_gathers.svg &&
	says m/folio-gup-lockless_gathers.svg && silent_on instructions
}
check "--metric" chosen_metric
forest()
{
	make_run -o fb -M timed -k 6.12.0 -B aaaa -n 6 'gup.pin_fast folio=64k : ns=1000%1' 'fault.cow folio=4k : ns=500%.05' 'fault.file folio=4k : ns=100%8' &&
	make_run -o fn -M timed -k 6.12.0-x -B bbbb -n 6 'gup.pin_fast folio=64k : ns=800%1' 'fault.cow folio=4k : ns=500%.05' 'fault.file folio=4k : ns=100%8' &&
	exits 0 ptelab plot fb fn -o forest -f svg --keep && says forest/forest-timed.svg && says forest/spread-1-gup.pin_fast-ns.svg || return
	# one full mark with an interval below no change, two hollow ones
	awk '/^\$data/ { on = 1; next } /^EOD/ { on = 0 } on && $1 != "NaN" && NF == 4 { print b, ($4 < 0 ? "below" : $3 > 0 ? "above" : "across") } /^$/ { b++ }' \
		forest/forest-timed.gp >marks
	[ "$(cut -d' ' -f2 marks | sort | uniq -c | tr -s ' \n' ' ')" = " 2 across 1 below " ] || { cat marks; return 1; }
	says "margin = 1" forest/forest-timed.gp && says "% improvement<" forest/forest-timed.svg
}
check "every ratio with its interval; full marks for differences" forest
trend()
{
	local i v

	for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14; do
		v=$((i < 8 ? 1000 : 1100))
		make_run -o "k$i" -M timed -k "6.$i.0" -B "b$i" -n 4 "gup.pin_fast folio=64k : ns=$v%.5" 'fault.cow folio=4k : ns=500%.5' || return
	done
	exits 0 ptelab plot --trend k{1..14} -o trend -f svg,png && says "change at k8: gup.pin_fast folio=64k ns" && says trend/trend-ns.svg &&
	[ "$(grep -c "^change at" "$tmp/out")" = 1 ] && is_png trend/trend-ns.png && exits 2 ptelab plot --trend k1 k2 k3 -o trend
}
check "runs in order: the change point is found, and only that" trend
# the last of four runs; and boots that differ less than runs do are no evidence
trend_exact()
{
	local i

	for i in 1 2 3 4; do
		make_run -o "x$i" -k "6.$i.0" -B "b$i" -n 2 "a.b : instructions_kernel=$((i < 4 ? 100 : 200))" || return
	done
	exits 0 ptelab plot --trend x{1..4} -o trendx -f svg && says "change at x4: a.b instructions_kernel 100 -> 200"
}
check "runs in order: an exact change is told, were it in the last" trend_exact
trend_runs()
{
	local i

	for i in 1 2 3 4 5 6 7 8; do
		make_run -o "y$i" -M timed -k "6.$i.0" -B "b$i" -n 4 "a.b : ns=$((1000 + i * 7 % 8 + (i > 4) * 3))%.01" || return
	done
	exits 0 ptelab plot --trend y{1..8} -o trendy -f svg && silent_on "change at"
}
check "runs in order: boots of a run are one value" trend_runs
time_first()
{
	make_run -o tb -M timed -k 6.12.0 -B aaaa -n 4 'a.b x=1 : ns=10%1 instructions_kernel=5%1' &&
	exits 0 ptelab plot tb -o t -f svg && says t/points-ns.svg && silent_on instructions
}
check "time where there is time; a single run" time_first
racer()
{
	make_run -o rb -M race -k 6.12.0 -B aaaa -n 3 'gup.futex racer=mprotect folio=64k : racer_rounds=0.2+0.1 lockless_retries=0.01+0.01' &&
	make_run -o rn -M race -k 6.12.0-x -B bbbb -n 3 'gup.futex racer=mprotect folio=64k : racer_rounds=0.2+0.1 lockless_retries=0' &&
	exits 0 ptelab plot rb rn -o r -f svg --keep && says r/racer-lockless_retries.svg &&
	[ "$(sed -n '/^\$data/,/^EOD/p' r/racer-lockless_retries.gp | grep -c '^0\.[0-9]* 0')" = 6 ]
}
check "a racing CPU: a mark for each boot" racer
sizes()
{
	local p=() size seq

	for size in 8 64 512; do
		for seq in str8 stp; do
			p+=("mmio.store map=wc sequence=$seq size=$size : ns=$((size * 2))%1 mb_per_s=500%1"
			    "mmio.store map=device sequence=$seq size=$size : ns=$((size * 3))%1 mb_per_s=300%1")
		done
	done
	make_run -o mm -M timed -n 4 "${p[@]}" && exits 0 ptelab plot mm -o mm.d -f svg --keep &&
	says mm.d/size-mmio-ns.svg && says mm.d/size-mmio-mb_per_s.svg &&
	grep -q '^panels = 2$' mm.d/size-mmio-ns.gp && grep -q '^runs = 2$' mm.d/size-mmio-ns.gp &&
	[ "$(sed -n '/^\$data/,/^EOD/p' mm.d/size-mmio-ns.gp | grep -c '^64 ')" = 4 ] &&
	says 'bytes of a group' mm.d/size-mmio-ns.svg && says '>stp<' mm.d/size-mmio-ns.svg
}
check "stores against size: a panel a mapping, a line a sequence" sizes
terminal()
{
	exits 0 ptelab plot base new --format terminal -b fault.cow && says "folio size" &&
	[ ! -e plots/terminal ] && ! ls ./*.terminal 2>/dev/null
}
check "in the terminal" terminal
pdf()
{
	exits 0 ptelab plot base new -o pdf -f pdf -b fault.cow && [ "$(head -c 5 pdf/points-instructions_kernel.pdf)" = "%PDF-" ]
}
check "pdf" pdf
many_rows()
{
	local i p=()

	for i in $(seq 40); do
		p+=("fam.b$((i % 7)) n=$i : instructions_kernel=$i")
	done
	make_run -o many -B aaaa "${p[@]}" && exits 0 ptelab plot many many -o many.d -f svg --keep &&
	grep -q '^rows = 7$' many.d/points-instructions_kernel.gp && says "The most changed point of each" many.d/points-instructions_kernel.svg
}
check "more points than fit: one of each benchmark" many_rows
no_gnuplot()
{
	mkdir -p bin && exits 2 env PATH="$PWD/bin" "$PTELAB" plot base new -o none &&
	says "gnuplot is not on the PATH: install it" "$tmp/err" && [ "$(wc -l <"$tmp/err")" = 1 ] && [ ! -e none ]
}
check "without gnuplot: one line that says what to install" no_gnuplot
gnuplot_fails()
{
	mkdir -p fails && printf '#!/bin/sh\necho broken pipe dream >&2\nexit 1\n' >fails/gnuplot && chmod +x fails/gnuplot &&
	exits 2 env PATH="$PWD/fails:$PATH" "$PTELAB" plot base new -o f && says "gnuplot failed: broken pipe dream" "$tmp/err"
}
check "gnuplot fails" gnuplot_fails
# gnuplot does not look at whether its writes succeed.
half_written()
{
	mkdir -p half && cat > half/gnuplot <<-'END' && chmod +x half/gnuplot &&
		#!/bin/sh
		echo '<svg' > "$(printf '%s' "$2" | sed -n "s/.*output = '\([^']*\)'.*/\1/p")"
	END
	exits 2 env PATH="$PWD/half:$PATH" "$PTELAB" plot base new -o h -f svg && says "is the disk full?" "$tmp/err" && [ -z "$(ls h)" ]
}
check "a picture that is not written in full" half_written
leaves_nothing()
{
	mkdir -p empty && TMPDIR=$PWD/empty exits 0 ptelab plot base new -o l -f svg && [ -z "$(ls empty)" ]
}
check "no temporary file is left" leaves_nothing
refused()
{
	make_run -o gov -k 6.12.0-x -B bbbb -n 3 -e governor=powersave 'fault.cow folio=4k : instructions_kernel=1' &&
	exits 2 ptelab plot base gov -o g && says "--allow governor" "$tmp/err" &&
	exits 0 ptelab plot base gov -o g --allow governor
}
check "what compare refuses is not drawn either" refused
check "nothing to draw" exits 2 ptelab plot base new -b nothing
check "no such metric" exits 2 ptelab plot base new -m nothing
check "bad usage" exits 2 ptelab plot base --format jpeg
check "unwritable folder" exits 2 ptelab plot base -o /proc/nowhere
check "--help" exits 0 ptelab plot --help
