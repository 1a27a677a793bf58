#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# perf.sh: ptelab run --perf, with the perf of this machine; with a program that
# says what perf does elsewhere; and without any.
# run: here
set -u
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

ptelab=$top/build/native/ptelab
cd "$tmp" || exit 1
run=("$ptelab" run -q --batches 4 --warmup 1 --counted 0 --counter none)
point='select(.type == "point" and .bench != "harness.empty")'
# value FILE JQ: of its point
value()
{
	jq -r "$point | $2" "$1"
}

# --- what may not be asked ---

short=("${run[@]}" -b skeleton.mincore -n 10 -o x.jsonl --perf)
refuses neither-tool "takes 'record' or 'stat'" "${short[@]}" 'top -e x'
refuses no-tool "takes 'record' or 'stat'" "${short[@]}" ''
refuses a-program "'true' is no option of perf stat, and perf starts no program" "${short[@]}" 'stat -e page-faults true'
for bad in -o --output=x -- -p --pid -a --all-cpus -t --switch-output --control -D --pre --post -r --out; do
	refuses "not-$bad" "may not have ${bad%%=*} here" "${short[@]}" "record $bad"
done
refuses of-the-other 'perf stat may not have -F' "${short[@]}" 'stat -F 99'
refuses no-value '\-e needs a value' "${short[@]}" 'stat -i -e'
refuses value '\-i has no value' "${short[@]}" 'stat -i=3'
refuses many-words 'more than 64 words' "${short[@]}" "stat $(printf '%s ' -i{1..70})"
refuses better-alone 'goes with --bt or --perf' "$ptelab" run --better lower
refuses record-to-stdout 'record writes beside the boot file' "${run[@]}" -o - --perf record
check nothing-was-written test ! -e x.jsonl

# --- what perf does elsewhere ---

mkdir bin
cat > bin/perf <<'END'
#!/usr/bin/perl
# Answers on the second descriptor of --control, and at SIGINT prints what FAKE says.
$| = 1;
my ($fd, $back) = "@ARGV" =~ /--control fd:(\d+),(\d+)/;
my ($log) = "@ARGV" =~ /--log-fd (\d+)/;
my ($to) = "@ARGV" =~ /-o (\S+)/;
open my $control, "<&=", $fd or die;
open my $answers, ">&=", $back or die;
my ($n, $on, $until) = (0, 0, $ENV{FAKE_DIES} // 1e9);
$SIG{INT} = sub {
	if ($to) {
		print STDERR "[ perf record: Woken up 1 times ]\n",
			$ENV{FAKE_FULL} ? "failed to write x: No space left on device\n" :
			"[ perf record: Captured and wrote 0.1 MB $to (7 samples) ]\n";
	} else {
		open my $out, ">&=", $log;
		print $out eval qq("$ENV{FAKE}");
		close $out;
	}
	$SIG{INT} = "DEFAULT";
	kill INT => $$;
};
my $line = "";
while (sysread $control, my $c, 1) {
	$line .= $c;
	next if $c ne "\n";
	$n++ if $line eq "enable\n";
	$line = "";
	if (!$until--) {
		print STDERR "Events enabled\nError:\nthe disk is gone\n";
		exit 3;
	}
	syswrite $answers, "ack\n\0";
}
END
chmod +x bin/perf
fake()
{
	PATH=$tmp/bin:$PATH "${run[@]}" -b skeleton.mincore -n 10 "$@"
}
# A count of each enabled batch, one that shared its counter, a derived metric
export FAKE='{\"counter-value\" : \"@{[20*$n]}.000000\", \"unit\" : \"\", \"event\" : \"cpu/event=0x11/u\", \"pcnt-running\" : 100.00}\n{\"counter-value\" : \"@{[5*$n]}.000000\", \"unit\" : \"Joules\", \"event\" : \"energy\", \"pcnt-running\" : 62.50, \"metric-value\" : nan}\n{\"counter-value\" : \"<not supported>\", \"unit\" : \"\", \"event\" : \"cycles\", \"pcnt-running\" : 100.00}\n{\"metric-value\" : 31.25, \"metric-unit\" : \"%%  frontend_bound\"}\n'
fake --perf 'stat -e a -M TopdownL1' --better lower -o s.jsonl > out 2> err
equal stat-status "$? $(cat err)" "0 "
equal each-batch-once "$(value s.jsonl '.counters["perf.cpu_event_0x11_u"] | "\(.total) \(.operations) \(.per_op) \(.pass)"')" "80 40 2 timed"
equal running "$(value s.jsonl '.counters["perf.energy"] | "\(.per_op) \(.percent_running)"')" "0.5 62.5"
equal derived "$(value s.jsonl '.counters["perf.frontend_bound"].per_op')" 31.25
equal units "$(jq -r 'select(.type == "header").metrics | [.["perf.energy", "perf.frontend_bound", "perf.cpu_event_0x11_u"] |
	.unit + " " + .kind + " " + .better] | join(", ")' s.jsonl)" "Joules tool lower, % tool lower, counts tool lower"
equal not-supported "$(jq -r 'select(.type == "header").absent["perf.cycles"]' s.jsonl)" "perf: not supported here"
equal named-in-the-record "$(value s.jsonl .perf.file)" s.perf-002.json
equal as-perf-printed-it "$(grep -c counter-value s.perf-002.json)" 3
check command-in-the-record test "$(value s.jsonl .perf.command)" = "perf stat -e a -M TopdownL1"
"$ptelab" show s.jsonl > out 2> err
check show-names-the-file grep -q 'perf stat -e a -M TopdownL1: s.perf-002.json; a batch takes' out
check show-tells-multiplexing grep -q 'multiplexed: perf counted perf.energy only 62 % of the time' out
"$ptelab" compare s.jsonl s.jsonl --format json > compare.json 2> err
equal timed-tier "$(jq -r '[.results[] | select(.metric | startswith("perf.")) | .tier] | unique | join(" ")' compare.json)" timed
fake --perf 'record' -o r.jsonl > out 2> err
equal record "$? $(value r.jsonl '.perf | "\(.file) \(.samples)"')" "0 r.perf-002.data 7"
touch t.perf-001.json
refuses no-file-is-overwritten 't.perf-001.json: File exists' fake --perf stat -o t.jsonl
equal measured-nevertheless "$(value t.jsonl '.status + " " + .absent["perf.*"]')" \
	"ok --perf: t.perf-001.json: File exists"
FAKE_FULL=1 refuses full-disk 'perf: failed to write x: No space left on device' fake --perf record -o u.jsonl
# The first are of the trial and of the empty batch.
FAKE_DIES=5 refuses dies-at-once 'perf: the disk is gone' fake --perf stat -o v.jsonl
FAKE='' refuses no-json 'printed no JSON; perf 6.0' fake --perf stat -o w.jsonl
check nothing-begun test ! -e w.jsonl

# --- the perf of this machine ---

if command -v perf > /dev/null; then
	"${run[@]}" -b fault.anon_write:folio=4k -n 50 --perf 'stat -e page-faults,context-switches,task-clock' -o a.jsonl > out 2> err
	case $(value a.jsonl .status) in
	ok)
		# Exactly the operation: what surrounds it faults nowhere.
		equal faults-of-perf "$(value a.jsonl '.counters["perf.page-faults"] | "\(.per_op) \(.total)"')" "1 200"
		equal unit "$(jq -r 'select(.type == "header").metrics["perf.task-clock"].unit' a.jsonl)" msec
		"${run[@]}" -b fault.anon_write:folio=4k -n 50 --perf 'record -e page-faults -c 1 -d' -o b.jsonl > out 2> err
		equal samples "$(value b.jsonl .perf.samples)" 200
		equal samples-in-the-file "$(perf script -i "$(value b.jsonl .perf.file)" -F ip 2> /dev/null | grep -c .)" 200
		# The program is ptelab itself: no symbols of other files are needed
		"${run[@]}" -b fault.anon_write:folio=4k:threads=2 -n 50 --perf 'stat -e page-faults' -o c.jsonl > out 2> err
		[ "$(nproc)" -lt 2 ] || equal faults-of-two-threads "$(value c.jsonl '.counters["perf.page-faults"].per_op >= 1')" true ;;
	*) skip faults-of-perf "$(value a.jsonl .reason)" ;;
	esac
	"${run[@]}" -b skeleton.mincore -n 50 --perf 'stat -e page-faults' -o c2.jsonl > out 2> err
	equal none-in-an-empty-batch "$(jq -r 'select(.bench == "harness.empty").counters["perf.page-faults"].total' c2.jsonl)" 0
	equal cost-is-measured "$(jq -r 'select(.type == "point") | .perf | [.batch_ns, .batch_ns_without, .control_ns] |
		all(. > 0)' c2.jsonl | sort -u)" true
	"$ptelab" run -b skeleton.mincore -n 50 --batches 2 --counter none --perf 'stat -e page-faults' -o d.jsonl > out 2> err
	check cost-is-printed grep -q '^ptelab: --perf: an empty batch takes .* without.*perf counts perf.page-faults 0' err
	refuses wrong-event "event syntax error: 'nonesuch': parser error" "${run[@]}" -b skeleton.mincore --perf 'stat -e nonesuch' -o e.jsonl
	check wrong-event-writes-nothing test ! -e e.jsonl
	"${run[@]}" -b skeleton.mincore -n 10 --perf 'record -e arm_spe_9//' -o f.jsonl > out 2> err
	equal no-such-pmu "$? $(wc -l < err) $(value f.jsonl .status)" "0 1 ok"
	check no-such-pmu-is-absent test -n "$(jq -r 'select(.type == "header").absent["perf.*"] | select(test("Cannot find PMU"))' f.jsonl)"

	# Ended by a signal: no perf is left, and no file of half a point
	env --default-signal=INT "${run[@]}" -b skeleton.mincore -n 1000 --batches 100000 --perf 'record -e page-faults' \
		-o g.jsonl > out 2> err &
	check interrupted-has-begun await $! test -e g.perf-001.data
	kill -INT $!
	wait $!
	equal interrupted "$?" 130
	equal no-file-is-left "$(find . -name 'g.perf-*')" ""
	"${run[@]}" -b skeleton.mincore -n 1000 --batches 100000 --perf 'stat -e page-faults' -o h.jsonl > out 2> err &
	child=$!
	perf_of() { grep -sl "^PPid:[[:space:]]*$child$" /proc/[0-9]*/status | cut -d/ -f3; }
	await $child test -e h.perf-001.json
	perf=$(perf_of)
	kill -KILL $child
	wait $child 2> /dev/null
	for ((i = 0; i < 600; i++)); do
		[ -n "$perf" ] && [ -d "/proc/$perf" ] && ! grep -q '^State:[[:space:]]*Z' "/proc/$perf/status" || break
		sleep 0.1
	done
	check killed-with-ptelab sh -c "[ -n '$perf' ] && { [ ! -d /proc/$perf ] || grep -q 'State:.*Z' /proc/$perf/status; }"
	# A disk of 64 KiB, where it may be mounted
	if mkdir small && mount -t tmpfs -o size=64k none small 2> /dev/null; then
		"${run[@]}" -b fault.anon_write:folio=4k -n 400 --batches 12 --perf 'record -e page-faults -c 1 -d -g' \
			-o small/a.jsonl > out 2> err
		equal small-disk "$? $(grep -c 'No space left on device' err)" "2 1"
		umount small
	else
		skip small-disk "no tmpfs can be mounted"
	fi
else
	skip perf-of-this-machine "no perf"
fi

# --- no perf ---

# shellcheck disable=SC2016
if unshare -m mount -t tmpfs none /usr/bin 2> /dev/null; then
	unshare -m sh -c 'mount -t tmpfs none /usr/bin && exec "$@"' sh \
		"${run[@]}" -b skeleton.mincore -n 10 --perf stat -o k.jsonl > out 2> err
	equal no-perf "$? $(cat err)" "0 ptelab: warning: --perf: there is no perf here; apt-get install linux-perf"
	equal no-perf-is-absent "$(jq -r 'select(.type == "header").absent["perf.*"]' k.jsonl)" \
		"--perf: there is no perf here; apt-get install linux-perf"
	equal all-else-is-measured "$(value k.jsonl '.status + " " + (.counters.ns.per_op > 0 | tostring)')" "ok true"
else
	skip no-perf "/usr/bin can't be hidden here"
fi
