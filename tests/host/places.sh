#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# How many files somebody touches who adds a benchmark, a metric, a counter, a
# format, a finding, a subcommand, a sweep key: each is added to a copy of the tree,
# built, and found by list, --help, the man page and completion.
set -uo pipefail
. "$(dirname "$0")/../lib.sh"

if ! [ -x "$top/build/native/ptelab" ]; then
	skip places "no build/native/ptelab: run make"
	exit 0
fi
copy=$tmp/tree
mkdir -p "$copy/build"
(cd "$top" && cp -a Makefile analysis bench bpf cli debian docs emu kmod lib scripts tests "$copy" &&
	cp -a build/native "$copy/build/") || exit 1
cp -a "$copy" "$tmp/before"
cd "$copy" || exit 1
ptelab=$copy/build/native/ptelab

# touched: which files of the copy differ since it was last asked
touched()
{
	diff -rq --no-dereference -x build "$tmp/before" "$copy" | sed -E 's/^Files [^ ]* and ([^ ]*) differ$/\1/; s/^Only in ([^ ]*): /\1\//' |
		sed "s|^$copy/||" | sort | tr '\n' ' '
	rm -rf "$tmp/before"
	mkdir "$tmp/before"
	cp -a Makefile analysis bench bpf cli debian docs emu kmod lib scripts tests "$tmp/before"
}

# after PATTERN FILE TEXT: puts lines behind the first line that matches
after()
{
	pattern=$1 text=$3 awk '{ print } !done && $0 ~ ENVIRON["pattern"] { print ENVIRON["text"]; done = 1 }
		END { exit !done }' "$2" > "$tmp/edited" && cat "$tmp/edited" > "$2"
}

# --- a benchmark ---

sed -e 's/skeleton/sample/g; s/sample\.c/skeleton.c/; /\.hidden = true/d; s/BENCH(9000/BENCH(9001/' bench/skeleton.c > bench/sample.c
equal "a benchmark is 1 file" "$(touched)" "bench/sample.c "

# --- a metric ---

after '^const struct metric metrics' lib/metric.c '	{ "sample_metric", "samples", METRIC_EVENT, BETTER_LOWER, "a sample" },'
equal "a metric is 1 file" "$(touched)" "lib/metric.c "

# --- a counter ---

echo 'CALL(sample_count, "sample_metric", MM_CURRENT, "sample_function")' >> bpf/counters.def
equal "a counter of calls is 1 file" "$(touched)" "bpf/counters.def "

# --- a format ---

after '^/. --- the table' analysis/report/report_forms.c '
static void report_sample(const struct report *r, FILE *f)
{
	fprintf(f, "%zu comparisons\n", r->nr);
}'
after '^static const struct report_format formats' analysis/report/report_forms.c '	{ { "sample", "how many comparisons there are" }, report_sample },'
sed -i 's/^The others are .fBgrid/sample, &/' docs/man/ptelab-compare.1
equal "a format is 2 files" "$(touched)" "analysis/report/report_forms.c docs/man/ptelab-compare.1 "

# --- a finding ---

after '^} kinds.. = ' analysis/judge/rules.c '	{ "sample-finding", "more samples are taken", {
		{ SEVERITY_WARNING, { { "sample_metric", RISES } },
		  "more samples are taken" } } },'
after '^.SH FINDINGS' docs/man/ptelab-compare.1 '.TP
.B sample\-finding
more samples are taken'
equal "a finding is 2 files" "$(touched)" "analysis/judge/rules.c docs/man/ptelab-compare.1 "

# --- a subcommand ---

cat > cli/cmd_sample.c <<'END'
// SPDX-License-Identifier: GPL-2.0
/* ptelab sample: says so. */
#include <argp.h>
#include <stdio.h>

#include "cli/args.h"
#include "cli/cmd.h"

int cmd_sample(int argc, char **argv)
{
	static const struct argp argp = { .doc = "Says so.\vExample:\n  ptelab sample" };

	args_parse(&argp, argc, argv, 0);
	puts("sample");
	return EXIT_DONE;
}
END
echo 'COMMAND(sample, "says so")' >> cli/commands.def
for s in NAME SYNOPSIS DESCRIPTION 'EXIT STATUS' FILES EXAMPLES 'SEE ALSO'; do
	printf '.SH %s\nSays so.\n' "$s"
done > docs/man/ptelab-sample.1
equal "a subcommand is 3 files" "$(touched)" "cli/cmd_sample.c cli/commands.def docs/man/ptelab-sample.1 "

# --- a sweep key ---

after '^#define RANGE' cli/sweep.c '	{ KEY(samples, COUNT), RANGE(7, 1, 9), .help = "a sample" },'
after '^struct sweep .$' cli/sweep.h '	unsigned int samples;'
after '^.SH SWEEP FILES' docs/man/ptelab-sweep.1 'Also samples.'
equal "a sweep key is 3 files" "$(touched)" "cli/sweep.c cli/sweep.h docs/man/ptelab-sweep.1 "

# --- and it is all there ---

if env -u MAKEFLAGS -u MAKELEVEL make -s -j"$(nproc)" > "$tmp/build" 2>&1; then
	ok "the copy builds"
else
	not_ok "the copy builds" "$(grep -m 1 error "$tmp/build")"
	exit 1
fi
check "the benchmark is listed" bash -c "$ptelab list -s | grep -q '^sample.mincore '"
check "the skeleton is not, unless asked for" bash -c \
	"! $ptelab list -s | grep -q skeleton && $ptelab list -s skeleton.mincore | grep -q skeleton.mincore"
measures()
{
	"$ptelab" run -q -b sample.mincore -b skeleton.mincore:pages=1,3 --counter none --batches 2 --min-batch-ms 0 -o "$tmp/run.jsonl" > /dev/null &&
	[ "$(grep -c '"status":"ok"' "$tmp/run.jsonl")" = 4 ]
}
check "the benchmark and the skeleton measure, and prove it" measures
check "the metric is listed" bash -c "$ptelab list --metrics sample_metric | grep -q 'a sample'"
check "the counter is listed" bash -c "$ptelab trace --list -v 2>&1 | grep -q '^sample_metric '"
check "the format prints" bash -c "$ptelab compare '$tmp/run.jsonl' '$tmp/run.jsonl' --format sample | grep -qx '1 comparisons'"
check "the command runs" bash -c "$ptelab sample | grep -qx sample"
printf 'bench = [ "gup.*" ];\nsamples = 10;\n' > "$tmp/bad.cfg"
refuses "the sweep key has its bounds" "samples: takes a whole number from 1 to 9" "$ptelab" sweep check "$tmp/bad.cfg"
if PTELAB=$ptelab tests/analysis/names.sh > "$tmp/names" 2>&1 && ! grep -q '^not ok' "$tmp/names" && grep -q '^ok' "$tmp/names"; then
	ok "help, man page and completion have them all"
else
	not_ok "help, man page and completion have them all" "$(grep -m 1 '^not ok' "$tmp/names")"
fi
