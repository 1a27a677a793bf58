#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# What ptelab prints of given runs, byte for byte as in tests/golden/. Run it
# with --update to write these files anew, then look at git diff.
# shellcheck source=made-up.sh
. "$(dirname "$0")/made-up.sh"
needs jq
needs xz
if [ "$(uname -m)" != x86_64 ]; then
	skip golden "frozen on x86-64; elsewhere the last digits may differ"
	exit 0
fi

golden=$top/tests/golden
got=$tmp/golden
large=16384	# a larger output is kept compressed
# neither the caller's locale nor its terminal shape the output
export LC_ALL=C TZ=UTC
unset COLUMNS ARGP_HELP_FMT PTELAB_CACHE

mkdir "$got" "$tmp/bin"
# The pictures depend on gnuplot's version, what it is given does not: this one
# draws the checksum of its script's lines. Their order may change: a setting
# means the same wherever it is set before it is used.
cat > "$tmp/bin/gnuplot" <<'END'
#!/bin/sh
[ $# -gt 0 ] || { cat > /dev/null; exit 0; }
for last; do :; done
case $1 in
-e)	output=$(printf '%s' "$2" | sed -n "s/.*output *= *['\"]\\([^'\"]*\\)['\"].*/\\1/p")
	printf '<svg xmlns="http://www.w3.org/2000/svg">\n<text>%s</text>\n</svg>\n' \
		"$(sort "$last" | cksum)" > "$output";;
esac
END
chmod +x "$tmp/bin/gnuplot"
PATH=$tmp/bin:$PATH

# held NAME COMMAND...: keeps what it prints, on both streams, and its status
held()
{
	local name=$1 status=0

	shift
	"$@" > "$got/$name" 2> "$tmp/held.err" < /dev/null || status=$?
	if [ -s "$tmp/held.err" ]; then
		printf -- '--- standard error\n' >> "$got/$name"
		cat "$tmp/held.err" >> "$got/$name"
	fi
	[ $status -eq 0 ] || printf -- '--- exit status %d\n' $status >> "$got/$name"
}

# held_picture NAME ARGS...: what ptelab plot gives gnuplot to draw
held_picture()
{
	local name=$1 gp

	shift
	held "plot-$name" ptelab plot "$@" -o "plot-$name" -f svg --keep
	for gp in "plot-$name"/*.gp; do
		[ -e "$gp" ] || continue
		printf -- '--- %s\n' "$gp"
		# what a picture shows; how it is drawn is its template's
		grep -E '^[a-z_]*(\[[0-9]*\])? = ' "$gp" | sort
		sed -n '/^\$[a-z]* <</,/^EOD/p' "$gp"
	done >> "$got/plot-$name"
}

# --- the runs ---

# Recorded: the series notify-upgrade-range in the emulated machine, barriers
# and samples on an x86-64 host; counted instructions as test_explain makes them.
cp -r "$golden"/runs/* .
xz -d series-*/*.xz

points()
{
	local folio pages

	for pages in 1 16 256; do
		for folio in 4k 64k 2m; do
			echo "gup.pin_fast folio=$folio pages=$pages write=1 : instructions_kernel=$((100 + pages * $1))+1 instructions=$((300 + pages * $1))+1 lockless_gathers=$2 loads=$((20 + pages * $1 / 4))+1"
		done
	done
	for folio in 4k 64k 2m; do
		echo "fault.cow folio=$folio : instructions_kernel=$((700 + $1)) faults.minor=1 contpte_unfolds=0"
	done
	cat <<END
harness.empty : instructions_kernel=50 instructions_user=10 instructions=60
gup.futex folio=64k : instructions_kernel=$((660 + $1))+10 lockless_gathers=1
notifier.upgrade pages=1 secondary=kvm : kvm_zap_calls=$3 kvm_refaults_same_pfn=$3 notifier_secondary=$((1 - $3)) shadow_stale=$((3 * $3)) notifier_start.protection_vma=$3 tlbi.broadcast_page=1
notifier.mprotect pages=16 dir=up : kvm_unnecessary=$3 kvm_unnecessary.protection_vma=$3 tlbi.broadcast_range=1
mmio.store map=vfio bar=0000:41:00.0/2 : s2_maps.nc=$((256 - 256 * $3)) s2_maps.device=$((256 * $3))
fault.file folio=4k ! unavailable no such file system
fault.anon folio=4k ! invalid pgreuse moved by 3, not 256
END
}
mapfile -t p < <(points 40 16 0)
make_run -o base -k 6.12.0 -B aaaabbbbcccc -n 5 "${p[@]}" 'fault.only folio=4k : faults.minor=1'
mapfile -t p < <(points 20 0 1)
make_run -o new -k 6.12.0-x -B bbbbccccdddd -n 5 "${p[@]}"
mapfile -t p < <(points 30 1 1)
make_run -o other -k 6.12.0-y -B ccccddddeeee -n 5 "${p[@]}"
make_run -o noisy -k 6.12.0-z -B ddddeeeeffff -n 5 -e governor=powersave -e thp.64k=always "${p[@]}"
make_run -o cut -k 6.12.0-x -B bbbbccccdddd -n 5 -t "${p[@]}"

timed()
{
	make_run -M timed -k "$1" -B "$2" -o "$3" -n 6 -P 2 \
		"gup.pin_fast folio=4k : ns=900%1 cycles=1800%1 faults.minor=1" "gup.pin_fast folio=64k : ns=$4%1 cycles=$((2 * $4))%1 faults.minor=1" \
		"gup.pin_fast folio=2m : ns=1100%1 cycles=2200%1 faults.minor=1" 'fault.cow folio=4k : ns=500%.05' 'fault.file folio=4k : ns=100%8'
}
timed 6.12.0 aaaabbbbcccc timed-base 1000
timed 6.12.0-x bbbbccccdddd timed-new 800
for i in {1..14}; do
	make_run -o "trend-$i" -M timed -k "6.$i.0" -B "b$i" -n 4 "gup.pin_fast folio=64k : ns=$((i < 8 ? 1000 : 1100))%.5" 'fault.cow folio=4k : ns=500%.5'
done

race()
{
	make_run -M race -k "$1" -B "$2" -o "$3" -n 3 "gup.futex racer=mprotect folio=64k : racer_rounds=0.2+0.1 lockless_retries=$4+$4 gup_slow_pages=0" \
		"gup.futex racer=none folio=64k : lockless_retries=0 gup_slow_pages=0"
}
race 6.12.0 aaaabbbbcccc race-base 0.01
race 6.12.0-x bbbbccccdddd race-new 0

stores()
{
	local size seq map

	for map in device wc; do
		for size in 8 64 512; do
			for seq in iowrite64 memcpy_toio; do
				echo "mmio.store map=$map sequence=$seq size=$size bar=0000:41:00.0/2 : ns=$((size * $1))%1 mb_per_s=$((1000 / $1))%1"
			done
		done
	done
	echo 'mmio.readback map=wc size=8 bar=0000:41:00.0/2 : ns=900%1'
}
mapfile -t p < <(stores 2)
make_run -o mmio -M timed -k 6.12.0 -B aaaabbbbcccc -n 4 "${p[@]}"
mapfile -t p < <(stores 3)
make_run -o mmio-new -M timed -k 6.12.0-x -B bbbbccccdddd -n 4 "${p[@]}"
make_run -o mmio-emulated 'mmio.store map=wc sequence=str8 size=64 : instructions_user=8.125 ns=-emulated'

# The same outcomes, of which one model forbids one: sealed anew.
forbidden()
{
	local f

	mkdir forbidden
	for f in 1 2; do
		f=forbidden/boot-00$f.jsonl
		jq -c 'if .bench == "barrier.mp" and .params.barriers == "mb+mb" then
			.counters.forbidden_outcomes |= (.total = 3 | .per_op = 3 / .operations) | .proof.witnesses = 3 | .proof.forbidden_by = ["LKMM", "AArch64"]
			else . end' "barrier/${f##*/}" | sealed "$f"
	done
}
forbidden

# --- what is printed of them ---

for form in text rows mail grid count markdown csv json; do
	held "compare-exact-$form" ptelab compare base new --format $form
	held "compare-timed-$form" ptelab compare timed-base timed-new --format $form
	held "compare-three-$form" ptelab compare base new other --format $form
	held "compare-series-$form" ptelab compare series-base series-patched --format $form
	held "compare-race-$form" ptelab compare race-base race-new --format $form
	held "compare-forbidden-$form" ptelab compare barrier forbidden --format $form
done
held compare-all ptelab compare base new --all
held compare-filtered ptelab compare base new -b 'gup.*:folio=4k,64k:pages=16' -m 'instructions*' -m lockless_gathers
held compare-mean ptelab compare timed-base timed-new --center mean --margin 20 --seed 7
held compare-itself ptelab compare base base
held compare-cut ptelab compare base cut -b 'gup.futex'
held compare-mmio ptelab compare mmio mmio-new
held compare-refused ptelab compare base noisy
held compare-allowed ptelab compare base noisy --allow 'governor,thp.*' -b 'notifier.*'
held compare-fail-on ptelab compare base new --fail-on regression -m kvm_unnecessary
held compare-nothing ptelab compare base new -b nothing
held compare-one ptelab compare base
held compare-damaged ptelab compare base nowhere

for form in text csv json; do
	held "show-exact-$form" ptelab show base --format $form
	held "show-timed-$form" ptelab show timed-base --format $form
	held "show-barrier-$form" ptelab show barrier --format $form
done
held show-series ptelab show series-patched
held show-filtered ptelab show base -b 'fault.*:folio=4k' -b gup.futex -m 'instructions*'
held show-cut ptelab show cut
held show-barriers ptelab show barrier --format barriers
held show-forbidden ptelab show forbidden --format barriers
held show-litmus ptelab show barrier --format litmus
held show-mmio ptelab show mmio --format mmio
held show-mmio-emulated ptelab show mmio-emulated --format mmio
held show-nothing ptelab show base -b nothing

held plan-text ptelab plan timed-base
held plan-json ptelab plan timed-base --json
held plan-minutes ptelab plan timed-base --minutes 240 -e 2 --rows 20 -b 'gup.*'
held plan-exact ptelab plan base

held explain-text ptelab explain counted-base counted-new --instructions 2
held explain-json ptelab explain counted-base counted-new --json
held explain-loads ptelab explain counted-base counted-new -m loads --rows 2
held explain-svg ptelab explain counted-base counted-new -o where.svg
cat where.svg >> "$got/explain-svg"
held explain-sampled ptelab explain sampled-a sampled-b --top 0
held explain-sampled-json ptelab explain sampled-a sampled-b --json --top 0
held explain-uncounted ptelab explain base new
held explain-nothing ptelab explain counted-base counted-new -b nothing

held_picture exact base new
held_picture series series-base series-patched
held_picture timed timed-base timed-new
held_picture race race-base race-new
held_picture metric base new other -m lockless_gathers -b 'gup.*'
held_picture mmio mmio
held_picture barrier barrier
held_picture trend --trend trend-{1..14}
held_picture nothing base new -b nothing

held report-exact ptelab report base new -o - --title 'exact <i>'
held report-series ptelab report series-base series-patched -o -
held report-timed ptelab report timed-base timed-new -o - --again 'make ab'
held report-forbidden ptelab report barrier forbidden -o -
held report-mmio ptelab report mmio mmio-new -o -

cat > small.cfg <<'END'
about = "small: two benchmarks";
bench = [ "fault.anon_write", "notifier.mprotect:pages=1,16" ];
param = [ "folio=4k,64k" ];
boots = 3;
END
for form in '' --tsv --json; do
	held "sweep${form#-}" ptelab sweep plan small.cfg -k base=6.12.9-arm64 -k new=6.12.9-x $form
done
printf 'boots = 2;\nbench = [ "gup.*" ];\nboot = 3;\n' > typo.cfg
held sweep-typo ptelab sweep check typo.cfg

# Of what depends on the machine, the rest.
held run-points ptelab run --dry-run -b gup.pin_fast:pages=1,16 -b fault.cow -b notifier.cow:secondary=each -p folio=4k,64k
sed -i 's/  unavailable: .*//' "$got/run-points"
held run-unknown ptelab run -b gup.pin_fats --dry-run
held run-param ptelab run -b fault.anon_write -p foli=4k --dry-run
held list-json ptelab list --json gup.pin_fast
jq 'del(.[].unavailable)' "$got/list-json" > list.json
mv list.json "$got/list-json"
held list-text ptelab list fault.cow
held list-brief ptelab list -s harness.empty
ptelab doctor --json | jq -c '[.[] | keys - ["fix"]] | unique' > "$got/doctor"

# --- as they were? ---

# names DIR: of the files in it
names()
{
	find "$1" -maxdepth 1 -type f -printf '%f\n' | sort
}

# A file's text, compressed or not.
text_of()
{
	if [ -e "$1.xz" ]; then
		xz -dc "$1.xz"
	else
		cat "$1" 2> /dev/null
	fi
}

update()
{
	local name

	for name in $(names "$golden"); do
		[ -e "$got/${name%.xz}" ] || rm "$golden/$name"
	done
	for name in $(names "$got"); do
		text_of "$golden/$name" | cmp -s - "$got/$name" && continue
		rm -f "$golden/$name" "$golden/$name.xz"
		cp "$got/$name" "$golden/$name"
		[ "$(wc -c < "$got/$name")" -le $large ] || xz -9 "$golden/$name"
		echo "updated tests/golden/$name"
	done
}

same()
{
	text_of "$golden/$1" > "$tmp/want"
	cmp -s "$tmp/want" "$got/$1" && return
	diff -U1 --label "tests/golden/$1" --label "now" "$tmp/want" "$got/$1" | head -n 40
	return 1
}

if [ "${1:-}" = --update ]; then
	update
	exit
fi
for name in $(names "$got"); do
	if same "$name" > "$tmp/diff"; then
		ok "$name"
	else
		cat "$tmp/diff"
		not_ok "$name" "differs from tests/golden/$name; if it is meant to, tests/analysis/golden.sh --update"
	fi
done
for name in $(names "$golden"); do
	[ -e "$got/${name%.xz}" ] ||
		not_ok "${name%.xz}" "nothing prints it any more; tests/analysis/golden.sh --update removes it"
done
