#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# bt.sh: --bt of run and trace, with a program that says what bpftrace 0.17
# says, and does what one that misbehaves does; and without any.
# run: here
set -u
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

ptelab=$top/build/native/ptelab
cd "$tmp" || exit 1
mkdir bin
cat > bin/bpftrace <<'END'
#!/usr/bin/perl
# Each answer to SIGUSR1 counts on; the text of the script says how to behave.
$| = 1;
my $n = $ENV{BT_START} // 0;
my $attached = "__BPFTRACE_NOTIFY_PROBES_ATTACHED\n";
sub answer
{
	$n += $ENV{BT_STEP} // 1;
	print qq({"type": "printf", "data": "talk\\n"}\n),
		qq({"type": "map", "data": {"@": @{[2 * $n]}}}\n),
		qq({"type": "map", "data": {"\@k": {"a b": $n, "c,1": 1, "c,2": $n, "": 4}}}\n),
		qq({"type": "map", "data": {"\@ptelab_mark": 0}}\n),
		qq({"type": "hist", "data": {"\@z": []}}\n);
}
sub note
{
	open my $log, ">>", $ENV{BT_LOG} // "/dev/null";
	print $log "@_\n";
}
sub fails
{
	print STDERR @_;
	exit 1;
}
fails("ERROR: RLIMIT_MEMLOCK is not a reason\n",
	"stdin:3:7-8: ERROR: syntax error, unexpected ;\n") if $ARGV[3] =~ /wrong/;
fails("ERROR: Error attaching probe: 'kprobe:x'\n") if $ARGV[3] =~ /detached/;
fails() if $ARGV[3] =~ /silent/;
my $asked = 0;
$SIG{USR1} = sub { $asked++ };
$SIG{TERM} = sub { note("ended"); exit 0 };
note($ARGV[4]);
print qq({"type": "attached_probes", "data": {"probes": 2}}\n);
print STDERR $attached;
exit 0 if $ARGV[3] =~ /dies/;
while (1) {
	select undef, undef, undef, 0.02;
	while ($asked) { $asked--; answer() }
}
END
chmod +x bin/bpftrace
path=$PATH
PATH=$tmp/bin:$PATH
run=("$ptelab" run -q -b skeleton.mincore -n 10 --batches 1 --warmup 0 --counter none)

BT_LOG=$tmp/log "${run[@]}" --counted 3 --bt 'a { @ = count(); }' -o a.jsonl > out 2> err
equal run-status "$?" 0
counters()
{
	jq -c 'select(.bench == "skeleton.mincore") | .counters | with_entries(select(.key | startswith("bt."))) |
		map_values(.total)' "$1"
}
# Two answers a reading, so two of them in each of three batches
equal counts "$(counters a.jsonl)" '{"bt._":12,"bt.k.a_b":6,"bt.k.c.1":0,"bt.k.c.2":6}'
equal absent "$(jq -r 'select(.bench == "skeleton.mincore") | .absent["bt.z"]' a.jsonl)" "not a number: the map is of hist"
equal empty-key "$(jq -r 'select(.bench == "skeleton.mincore") | .absent["bt.k"]' a.jsonl | cut -d: -f1)" "no names of metrics"
check pid-is-the-argument grep -qE '^[0-9]+$' log
equal each-one-is-ended "$(grep -c ended log)" "$(grep -c '^[0-9]' log)"
equal better-is-none "$(jq -r 'select(.type == "header") | .metrics["bt.*"].better' a.jsonl)" none
"${run[@]}" --bt 'a' --better lower -o b.jsonl > out 2> err
equal better "$(jq -r 'select(.type == "header") | .metrics["bt.*"].better' b.jsonl)" lower
BT_START=99 BT_STEP=-1 "${run[@]}" --bt 'a' -o c.jsonl > out 2> err
equal falls "$(jq -r 'select(.bench == "skeleton.mincore") | .absent["bt._"]' c.jsonl)" "no count: the map's value fell"
echo 'of a file' > x.bt
BT_LOG=$tmp/log2 "${run[@]}" --bt 'x.bt 7 8' -o d.jsonl > out 2> err
equal arguments-of-a-file "$(head -n 1 log2)" 7

refuses wrong-script 'line 3 of the script, column 7-8: syntax error, unexpected ;' "${run[@]}" --bt wrong -o e.jsonl
refuses not-attached "Error attaching probe: 'kprobe:x'" "${run[@]}" --bt detached -o e.jsonl
refuses silent 'it ended without a reason' "${run[@]}" --bt silent -o e.jsonl
check nothing-was-written test ! -e e.jsonl
refuses no-file 'nonesuch.bt: No such file' "${run[@]}" --bt nonesuch.bt -o e.jsonl
refuses better-alone '\-\-better goes with --bt' "${run[@]}" --better lower -o e.jsonl
refuses better-what "sideways" "${run[@]}" --bt a --better sideways -o e.jsonl
refuses nothing-counted 'counts in the counted batches' "${run[@]}" --bt a --counted 0 -o e.jsonl
refuses trace-wrong 'line 3 of the script' "$ptelab" trace --bt wrong -- true
refuses trace-intervals 'counts once, at the end' "$ptelab" trace --bt a -I 100 -- true
refuses trace-dies 'bpftrace has ended' "$ptelab" trace --bt dies -- true
"$ptelab" trace --json -o t --bt a -- true 2> err
equal trace-counts "$(jq -c '[.counters["bt._", "bt.k.a_b"].count]' t)" '[4,2]'

# Without it all else is measured, and one line says so.
PATH=$path
if command -v bpftrace > /dev/null; then
	skip no-bpftrace "this machine has one"
else
	"${run[@]}" --bt 'a' -o f.jsonl > out 2> err
	equal absent-status "$?" 0
	equal absent-is-one-line "$(cat err)" "ptelab: warning: --bt: there is no bpftrace here; apt-get install bpftrace"
	equal absent-has-its-reason "$(jq -r 'select(.type == "header") | .absent["bt.*"]' f.jsonl)" \
		"--bt: there is no bpftrace here; apt-get install bpftrace"
	"$ptelab" trace -q --bt 'a' -e 'faults.*' -- true > out 2> err
	equal trace-absent "$? $(grep -c 'no bpftrace' err)" "0 1"
fi
