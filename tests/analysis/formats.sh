#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The forms of compare for other programs: each is read back by a parser that is not
# ptelab's, or checked against what is published of it, and has the verdicts and
# figures of compare.json, also where names are hostile.
# shellcheck source=made-up.sh
. "$(dirname "$0")/made-up.sh"
needs jq
needs perl

# --- the runs ---

make_run -o base -k 6.12.0 -B aaaa -n 3 'harness.empty : instructions=60' \
	'gup.pin_fast folio=64k pages=16 : instructions_kernel=1331.5+0.25 lockless_gathers=16 gup_slow_pages=0 pages_pinned=16' \
	'gup.futex folio=64k : instructions_kernel=700+10 lockless_gathers=1 lockless_retries=0' \
	'mmio.store bar=0000:41:00.0/2 : s2_maps.nc=256' 'fault.only folio=4k : faults.minor=1' \
	'fault.file folio=4k ! unavailable no such # file system' 'fault.anon folio=4k ! invalid pgreuse moved by 3, not 256'
make_run -o new -k 6.12.0-x -B bbbb -n 3 'harness.empty : instructions=60' \
	'gup.pin_fast folio=64k pages=16 : instructions_kernel=620.25 lockless_gathers=0 gup_slow_pages=0.5 pages_pinned=15' \
	'gup.futex folio=64k : instructions_kernel=705+10 lockless_gathers=-gone lockless_retries=0' \
	'mmio.store bar=0000:41:00.0/2 : s2_maps.nc=256' \
	'fault.file folio=4k ! unavailable no such # file system' 'fault.anon folio=4k : faults.minor=1'
timed()
{
	make_run -M timed -k "$1" -B "$2" -o "$3" -n 6 -P 2 "gup.pin_fast folio=64k : ns=$4%1 latency_ns.p50=33%1" \
		'fault.cow folio=4k : ns=500%.05' 'fault.file folio=4k : ns=100%8' "mmio.store map=wc : mb_per_s=$4%1"
}
timed 6.12.0 aaaa tb 1000
timed 6.12.0-x bbbb tn 1300

# Names as no benchmark has them, but a file can: of a benchmark, a parameter, its
# value, and the unit of a metric.
long=$(printf 'long%.0s' {1..500})
printf '%s\0' "a\"b'c" 'a b' $'a\nb' $'a\tb' '100%s%n%20' 'größe–✓' 'a # SKIP b' 'not ok 1 - a' '$(touch owned)`touch owned`;touch owned' \
	'<b>&amp;</b>' 'x>y' 'k=v' '0000:41:00.0/2' 'a..b' '.a.' '..' '-1' "\\#\\\\" $'\e[31mred' "$long" "${long}x" '*' 'Unit' |
	jq -Rs '[split("\u0000")[] | select(. != "")]' > names.json
hostile()
{
	mkdir "$2" && jq -c --slurpfile all names.json '$all[0] as $names |
		if .type == "header" then .metrics += ($names | to_entries | map({("m\(.key)"): {unit: .value, kind: "event", better: "lower"}}) | add)
		elif .type == "footer" then empty
		else . as $p | range($names | length) as $i | $names[$i] as $n | $p | .bench = $n | .params = {($n): $n, folio: "64k"} |
			.counters = {("m\($i)"): .counters."faults.minor", instructions: .counters.instructions} end' \
		"$1/boot-001.jsonl" | sealed "$2/boot-001.jsonl"
}
make_run -o plain-base -k '6.12.0 "a"' -B $'a\n"b"' 'a.b : faults.minor=10 instructions=7'
make_run -o plain-new -k '6.12.0 <b>' -B bbbb 'a.b : faults.minor=13 instructions=7'
hostile plain-base hostile-base
hostile plain-new 'new "x" # 1'

# Each is a comparison: its name, and its runs.
comparisons='exact timed three hostile same'
runs_of()
{
	case $1 in
	exact) runs=(base new) ;;
	timed) runs=(tb tn) ;;
	three) runs=(base new base) ;;
	hostile) runs=(hostile-base 'new "x" # 1') ;;
	same) runs=(base base) ;;
	esac
}
for name in $comparisons; do
	runs_of "$name"
	out=()
	for form in json gobench ktap lava kcidb bmf gha b4; do
		out+=(--format "$form=$name.$form")
	done
	check "$name: written" exits 0 ptelab compare "${runs[@]}" "${out[@]}"
	# a comparison, or several: always an array here
	jq 'if type == "array" then . else [.] end' "$name.json" > "$name.array"
done
check "the runs have each verdict that can be" test "$(jq -s '[.[][].results[].verdict] | unique | length' ./*.array)" -ge 7

# counts: "N VERDICT" of all rows, from lines of verdicts
counts()
{
	sort | uniq -c | sed 's/^ *//' | paste -sd' '
}
verdicts()
{
	jq -r '.[].results[].verdict' "$1.array" | counts
}

# --- gobench ---

# The grammar is that of golang.org/design/14313-benchmark-format, with the unit
# lines of golang.org/issue/43744, as its authors' reader takes them. Prints every
# value as side, name, unit, iterations, value.
cat > gobench.pl <<'END'
use strict; use warnings; use utf8; use open qw(:std :encoding(UTF-8));
my ($side, %unit, $tier, %config) = ('');
while (my $line = <STDIN>) {
	chomp $line;
	if ($line =~ /^Benchmark/) {
		my @f = split ' ', $line;
		@f >= 4 && @f % 2 == 0 or die "$.: an odd number of fields, or too few: $line\n";
		$f[0] =~ /^Benchmark[^a-z]/ or die "$.: a name in lower case: $f[0]\n";
		$f[1] =~ /^\d{1,18}$/ or die "$.: iterations $f[1]\n";
		# sub-names are key=value or a word, and the last number is of GOMAXPROCS
		(my $name = $f[0]) =~ s/-\d+$// or die "$.: no GOMAXPROCS: $f[0]\n";
		my ($base, @parts) = split m{/}, $name, -1;
		/^[^=\s]*(=[^=\s]*)?$/ or die "$.: sub-name $_\n" for @parts;
		for (my $i = 2; $i < @f; $i += 2) {
			$f[$i] =~ /^[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?$/ or die "$.: value $f[$i]\n";
			print join("\t", $side, $f[0], $f[$i + 1], $f[1], $f[$i], $tier), "\n";
		}
	} elsif ($line =~ /^Unit\s/) {
		my (undef, $unit, @pairs) = split ' ', $line;
		@pairs or die "$.: a unit without metadata\n";
		for (@pairs) {
			/^(assume=(exact|nothing)|better=(lower|higher))$/ or die "$.: $_\n";
			my ($key, $value) = split /=/;
			!exists $unit{"$unit $key"} or die "$.: $unit has $key twice\n";
			$unit{"$unit $key"} = $value;
			print join("\t", 'Unit', $unit, $key, $value), "\n";
		}
	} elsif ($line =~ /^\p{Ll}[^\s\p{Lu}:]*:($|[ \t]+(.*))/) {
		my ($key, $value) = $line =~ /^([^:]*):[ \t]*(.*)/;
		$config{$key} = 1;
		$side = $value if $key eq 'side';
		$tier = $value if $key eq 'tier';
	} elsif ($line !~ /^(#.*)?$/) {
		die "$.: neither configuration, unit, benchmark nor comment: $line\n";
	}
}
for (qw(ptelab side kernel seed mode tier)) { $config{$_} or die "no $_\n"; }
END
# Every value of compare.json, and no other one: side, unit, value.
cat > values.pl <<'END'
use strict; use warnings; use JSON::PP;
sub name { my ($text, $keep) = @_; utf8::encode($text); $text =~ s/([^A-Za-z0-9_.:,+\@$keep-])/sprintf "%%%02X", ord $1/ge; $text }
local $/; open my $f, '<:raw', $ARGV[0] or die; my $all = decode_json(<$f>);
my %told;
for my $c (@$all) {
	for my $r (@{$c->{results}}) {
		my $point = join ' ', $r->{bench}, $r->{mode}, map { "$_=$r->{params}{$_}" } sort keys %{$r->{params}};
		my ($metric, $unit) = (name($r->{metric}, ''), name($r->{unit}, '/'));
		$unit = "$metric-$unit" if $metric ne $unit;
		$unit .= '/op' if $unit !~ m{/};
		for my $side ('base', 'new') {
			next if $side eq 'base' && $told{"$point $r->{metric}"}++;
			my $v = $r->{$side};
			my @v = ref $v ? @{$v->{values}} : ($v) x $r->{"boots_$side"};
			printf "%s %s %.15g\n", $side, $unit, $_ for @v;
		}
	}
}
END
gobench()
{
	perl gobench.pl < "$1.gobench" > "$1.values" && [ -s "$1.values" ]
}
gobench_values()
{
	awk -F '\t' '$1 == "Unit" { next } first == "" { first = $1 }
		{ printf "%s %s %.15g\n", $1 == first ? "base" : "new", $3, $5 }' "$1.values" | sort > got
	perl values.pl "$1.array" | sort > want
	diff want got > differs || { head -n 3 differs; return 1; }
}
gobench_operations()
{
	[ "$(awk -F '\t' '$1 != "Unit" { n += $4 } END { printf "%d", n }' "$1.values")" = \
		"$(jq '[.[0].results[] | .base_total.operations, .new_total.operations] | add' "$1.array")" ]
}
gobench_exact()
{
	awk -F '\t' '$1 == "Unit" && $3 == "assume" { exact[$2] = 1; next } $1 == "Unit" { next }
		exact[$3] && (($1, $2, $3) in v) && v[$1, $2, $3] != $5 { print $3 " varies"; bad = 1 }
		exact[$3] && $6 != "exact" { print $3 " is timed"; bad = 1 }
		{ v[$1, $2, $3] = $5 } END { exit bad }' "$1.values"
}
for name in $comparisons; do
	check "gobench: $name: by the grammar" gobench "$name"
	check "gobench: $name: every value, and no other" gobench_values "$name"
	check "gobench: $name: exact units are" gobench_exact "$name"
done
check "gobench: iterations are operations" gobench_operations exact
check "gobench: iterations are operations, of all processes of a boot" gobench_operations timed
check "gobench: better, and what never varies" grep -qx 'Unit lockless_gathers-calls/op assume=exact better=lower' exact.gobench
check "gobench: a count that varies is not assumed exact" grep -qx 'Unit instructions_kernel-instructions/op better=lower' exact.gobench
check "gobench: higher is better" grep -qx 'Unit mb_per_s-MB/s better=higher' timed.gobench
check "gobench: names" grep -qx 'BenchmarkGup/pin_fast/folio=64k/pages=16-1 1280 1331.5 instructions_kernel-instructions/op' exact.gobench
check "gobench: a value's slash begins no sub-name" grep -q '^BenchmarkMmio/store/bar=0000:41:00.0%2F2-1 ' exact.gobench
names()
{
	[ "$(awk -F '\t' '$1 != "Unit" { print $2 }' hostile.values | sort -u | wc -l)" = "$(jq length names.json)" ]
}
check "gobench: no two points have one name" names

# --- KTAP ---

# Perl's TAP::Parser reads the points; it takes the version line, and the subtests,
# for unknown lines, which the kernel's document says of TAP parsers. Then each
# subtest by itself.
cat > ktap.pl <<'END'
use strict; use warnings; use TAP::Parser;
sub read_tap {
	my ($tap, $what) = @_;
	my $p = TAP::Parser->new({ tap => $tap });
	my @tests;
	while (my $r = $p->next) { push @tests, $r if $r->is_test; }
	die "$what: " . join('; ', $p->parse_errors) . "\n" if $p->parse_errors;
	die "$what: no plan\n" unless $p->is_good_plan;
	return @tests;
}
my @lines = <STDIN>;
$lines[0] eq "KTAP version 1\n" && $lines[1] =~ /^1\.\.\d+$/ or die "no version, or no plan\n";
my @points = read_tap(join('', @lines), 'points');
my ($sub, $nr, $fails, $any) = ('', 0);
for (@lines) {
	# the grammar: version, plan, result, diagnostic
	/^(  )?(KTAP version 1|1\.\.\d+|(not )?ok \d+ [^#]*( # .*)?|# .*)$/ or die "no line of KTAP: $_";
	if (s/^  //) { $sub .= $_; next; }
	next unless /^(not )?ok/;
	my $point = $points[$nr++];
	my @rows = $sub ? read_tap($sub, 'subtest of ' . $point->description) : ();
	die "does not begin with a version: $sub" if $sub && $sub !~ /^KTAP version 1\n1\.\./;
	$fails = grep { !$_->is_ok } @rows;
	die "a failed subtest, and its parent passes: $_" if !!$fails == !!$point->is_ok;
	die "all is skipped but the parent: $_" if !$fails && !$point->has_skip && !grep { !$_->has_skip } @rows;
	print 'point ', $point->has_skip ? 'skip' : $point->is_ok ? 'pass' : 'fail', "\n";
	for my $r (@rows) {
		my $text = $r->has_skip ? $r->explanation : $r->description;
		$text =~ s/.*# //;
		print 'row ', $r->has_skip ? 'skip ' : $r->is_ok ? 'pass ' : 'fail ', $text =~ /^(\w+): /, "\n";
	}
	$sub = '';
}
END
ktap()
{
	perl ktap.pl < "$1.ktap" > "$1.tests" && [ -s "$1.tests" ]
}
for name in $comparisons; do
	check "ktap: $name: TAP::Parser reads it, and each subtest" ktap "$name"
	equal "ktap: $name: verdicts" "$(awk '$1 == "row" { print $3 }' "$name.tests" | counts)" "$(verdicts "$name")"
	equal "ktap: $name: worse is not ok" "$(grep -c '^row fail' "$name.tests")" \
		"$(jq '[.[].results[] | select(.verdict == "regression")] | length' "$name.array")"
done
skipped()
{
	[ "$(grep -c '^point skip$' exact.tests)" = 3 ] && grep -q '^ok 5 fault.only folio=4k mode=exact # SKIP missing: only in base$' exact.ktap &&
	grep -q '^ok [67] fault.file folio=4k mode=exact # SKIP unavailable: no such # file system$' exact.ktap &&
	grep -q '^ok [67] fault.anon folio=4k mode=exact # SKIP invalid: pgreuse moved by 3, not 256$' exact.ktap &&
	grep -qx '# lockless_gathers: only base has it: gone' exact.ktap
}
check "ktap: what was not measured is skipped, with the reason" skipped
equal "ktap: what is inconclusive is skipped" "$(grep -c '^row skip inconclusive' timed.tests)" \
	"$(jq '.[0].counts.inconclusive' timed.array)"
prove_fails()
{
	! prove -e cat exact.ktap > prove.out 2>&1 && cat prove.out && grep -Eq 'Failed tests: +2-3$' prove.out && prove -e cat same.ktap
}
check "ktap: prove fails where a point is worse, and only there" prove_fails
check "ktap: several new runs are told apart" grep -q '^not ok 2 new gup.pin_fast folio=64k pages=16 mode=exact$' three.ktap
not_exercised()
{
	mkdir -p ab && cp -r base ab/base && cp -r new ab/patched && cat > ab/changes.json <<-'END' &&
		{"schema": "ptelab-changes-1", "ran": "never ran", "functions": [{"name": "never", "kind": "changed", "ran": "never ran"}]}
	END
	exits 0 ptelab compare ab --json && json '.exercised == "not exercised"' &&
	exits 0 ptelab compare ab --format ktap && cp "$tmp/out" never.ktap && ktap never &&
	grep -qx 'point fail' never.tests && ! grep -q pass never.tests &&
	says 'ok 1 harness.empty mode=exact # SKIP no point ran the changed code'
}
check "ktap: where the changed code did not run, nothing passes" not_exercised
# A patch may make the compiler emit a function that was inline everywhere.
inline_before()
{
	jq '.functions += [{"name": "spin.isra.0", "kind": "new", "ran": "never ran",
		"source": {"file": "include/linux/spinlock.h", "line": 7}},
		{"name": "own", "kind": "new", "ran": "never ran", "source": {"file": "mm/own.c", "line": 9}}]' \
		ab/changes.json > changes.more && mv changes.more ab/changes.json &&
	exits 0 ptelab compare ab && says 'not never(), spin() (inline before), own()'
}
check "a function that was inline is not the patch's own" inline_before

# --- LAVA ---

# Its helper, which the shell of a test definition runs, takes a name, a result and
# a measurement. What it signals is split at blanks, each at '=', and ends at '>'
# (lava_dispatcher/actions/test/shell.py); two cases of one name end the job; the
# name is a folder on the device; a measurement is a decimal number.
mkdir bin
cat > bin/lava-test-case <<'END'
#!/bin/sh
printf '%s\t' "$@"
echo
END
chmod +x bin/lava-test-case
cat > lava.pl <<'END'
use strict; use warnings;
my %seen;
while (<STDIN>) {
	chomp;
	my ($name, @options) = split /\t/;
	my %o = @options;
	$name =~ /^[A-Za-z0-9_.-]{1,255}$/ && $name !~ /^[-.]/ or die "name $name\n";
	!$seen{$name}++ or die "twice: $name\n";
	for (keys %o) { /^--(result|measurement|units)$/ or die "option $_\n"; }
	$o{'--result'} =~ /^(pass|fail|skip)$/ or die "no result: $name\n";
	($o{'--measurement'} // 0) =~ /^-?\d+(\.\d+)?(e[-+]\d+)?$/ or die "measurement of $name\n";
	($o{'--units'} // 'x') !~ /[\s=>]/ or die "units of $name\n";
	print $o{'--result'}, exists $o{'--measurement'} ? " measured\n" : "\n";
}
END
lava()
{
	PATH=$PWD/bin:$PATH sh -eu "$1.lava" > "$1.cases" && perl lava.pl < "$1.cases" > "$1.results" && [ -s "$1.results" ] && [ ! -e owned ]
}
# A row that is worse fails, one that is inconclusive is skipped, the others pass.
as_results()
{
	jq -r '.[].results[].verdict | if . == "regression" then "fail" elif . == "inconclusive" then "skip" else "pass" end' "$1.array" | counts
}
for name in $comparisons; do
	check "lava: $name: a shell runs it, names are good and differ" lava "$name"
	equal "lava: $name: verdicts" "$(sed -n 's/ measured//p' "$name.results" | counts)" "$(as_results "$name")"
done
equal "lava: what was not measured is skipped" "$(grep -cx skip exact.results)" 4
check "lava: names and figures" grep -q $'^exact.gup.pin_fast.folio-64k.pages-16.gup_slow_pages\t--result\tfail\t--measurement\t0.5\t--units\tpages' exact.cases

# --- KCIDB ---

# The facts of the schema of version 5.3, kcidb_io/schema/v05_03.py of
# github.com/kernelci/kcidb-io: which members there are and must be, and the
# patterns of their values.
cat > kcidb.schema.json <<'END'
{
  "$schema": "http://json-schema.org/draft-07/schema#",
  "definitions": {
    "text": { "type": "string", "pattern": "^[^\\u0000]*$" },
    "id": { "type": "string", "pattern": "^[a-z0-9_]+:[^\\u0000]*$" },
    "origin": { "type": "string", "pattern": "^[a-z0-9_]+$" },
    "status": { "enum": ["FAIL", "ERROR", "MISS", "PASS", "DONE", "SKIP"] },
    "path": { "type": "string", "pattern": "^([a-zA-Z0-9_-]+(\\.[a-zA-Z0-9_-]+)*)?$" },
    "checkout": {
      "type": "object", "required": ["id", "origin"], "additionalProperties": false,
      "properties": { "id": { "$ref": "#/definitions/id" }, "origin": { "$ref": "#/definitions/origin" },
        "comment": { "$ref": "#/definitions/text" }, "misc": { "type": "object" } }
    },
    "build": {
      "type": "object", "required": ["checkout_id", "id", "origin"], "additionalProperties": false,
      "properties": { "checkout_id": { "$ref": "#/definitions/id" }, "id": { "$ref": "#/definitions/id" },
        "origin": { "$ref": "#/definitions/origin" }, "comment": { "$ref": "#/definitions/text" },
        "architecture": { "type": "string", "pattern": "^[a-z0-9_]*$" },
        "status": { "$ref": "#/definitions/status" }, "misc": { "type": "object" } }
    },
    "test": {
      "type": "object", "required": ["build_id", "id", "origin"], "additionalProperties": false,
      "properties": { "build_id": { "$ref": "#/definitions/id" }, "id": { "$ref": "#/definitions/id" },
        "origin": { "$ref": "#/definitions/origin" }, "path": { "$ref": "#/definitions/path" },
        "comment": { "$ref": "#/definitions/text" }, "status": { "$ref": "#/definitions/status" },
        "environment": { "type": "object", "additionalProperties": false,
          "properties": { "comment": { "$ref": "#/definitions/text" }, "misc": { "type": "object" } } },
        "number": { "type": "object", "required": ["value"], "additionalProperties": false,
          "properties": { "value": { "type": "number" }, "unit": { "$ref": "#/definitions/text" } } },
        "misc": { "type": "object" } },
      "if": { "required": ["number"] },
      "then": { "properties": { "status": { "enum": ["FAIL", "ERROR", "PASS", "DONE"] } } }
    }
  },
  "type": "object", "required": ["version"], "additionalProperties": false,
  "properties": {
    "version": { "type": "object", "required": ["major"], "additionalProperties": false,
      "properties": { "major": { "const": 5 }, "minor": { "type": "integer", "minimum": 0, "maximum": 3 } } },
    "checkouts": { "type": "array", "items": { "$ref": "#/definitions/checkout" } },
    "builds": { "type": "array", "items": { "$ref": "#/definitions/build" } },
    "tests": { "type": "array", "items": { "$ref": "#/definitions/test" } }
  }
}
END
# Those of https://bencher.dev/bmf.json; the lengths are of its page on the format.
cat > bmf.schema.json <<'END'
{
  "$schema": "http://json-schema.org/draft-07/schema#",
  "type": "object", "propertyNames": { "minLength": 1, "maxLength": 1024 },
  "additionalProperties": {
    "type": "object", "propertyNames": { "minLength": 1, "maxLength": 64 },
    "additionalProperties": {
      "type": "object", "required": ["value"], "additionalProperties": false,
      "properties": { "value": { "type": "number" }, "lower_value": { "type": "number" }, "upper_value": { "type": "number" } }
    }
  }
}
END
python=''
for p in python3 /usr/bin/python3; do
	[ -n "$python" ] || ! "$p" -c 'import jsonschema' 2> /dev/null || python=$p
done
# valid SCHEMA FILE
valid()
{
	"$python" - "$@" <<-'END'
		import json, sys
		from jsonschema import Draft7Validator
		schema, document = (json.load(open(f, encoding="utf-8")) for f in sys.argv[1:3])
		Draft7Validator.check_schema(schema)
		for error in Draft7Validator(schema).iter_errors(document):
		    sys.exit("%s: %s" % ("/".join(str(p) for p in error.absolute_path), error.message[:200]))
	END
}
# A schema that accepts everything is no check.
rejects()
{
	jq '.tests[0].status = "GOOD"' exact.kcidb > wrong && ! valid kcidb.schema.json wrong &&
	jq '.tests[0].path = "a b"' exact.kcidb > wrong && ! valid kcidb.schema.json wrong &&
	jq 'del(.tests[0].build_id)' exact.kcidb > wrong && ! valid kcidb.schema.json wrong
}
if [ -n "$python" ]; then
	for name in $comparisons; do
		check "kcidb: $name: by the schema" valid kcidb.schema.json "$name.kcidb"
		check "bmf: $name: by the schema" valid bmf.schema.json "$name.bmf"
	done
	check "kcidb: the schema rejects what is wrong" rejects
else
	skip "kcidb and bmf: by the schema" "needs python3-jsonschema (scripts/deps test)"
fi
for name in $comparisons; do
	json=$name.kcidb
	holds "kcidb: $name: ids differ, and what they refer to is there" '(.tests | map(.id) | unique | length) == (.tests | length)
		and (.builds | map(.id) | unique | length) == (.builds | length)
		and (.builds | map(.id)) as $b | (.checkouts | map(.id)) as $c
		| all(.tests[]; .build_id | IN($b[])) and all(.builds[]; .checkout_id | IN($c[]))'
	equal "kcidb: $name: verdicts" "$(jq -r '.tests[] | select(.misc) | .misc.verdict' "$json" | counts)" "$(verdicts "$name")"
	holds "kcidb: $name: a verdict is PASS or FAIL, a measurement DONE" 'all(.tests[] | select(.misc); .status ==
		if .misc.verdict == "regression" then "FAIL" elif .misc.verdict == "inconclusive" then "DONE" else "PASS" end)
		and all(.tests[] | select(.misc == null and .number); .status == "DONE")'
done
equal "kcidb: every row of compare.json is a test's misc" "$(jq -c '[.tests[].misc | values] | sort' exact.kcidb)" \
	"$(jq -c '[.[0].results[] | with_entries(select(.value != null))] | sort' exact.array)"
json=exact.kcidb
holds "kcidb: a figure on each build" '[.tests[] | select(.path == "ptelab.exact.gup.pin_fast.folio-64k.pages-16.instructions_kernel") | [.build_id, .status, .number.value]]
	== [["ptelab:aaaa", "DONE", 1331.75], ["ptelab:bbbb", "PASS", 620.25]]'
holds "kcidb: what was not measured" '[.tests[] | select(.number == null) | [.path, .status, .comment]] == [
	["ptelab.exact.fault.only.folio-4k", "SKIP", "missing: only in base"],
	["ptelab.exact.fault.file.folio-4k", "SKIP", "unavailable: no such # file system"],
	["ptelab.exact.fault.anon.folio-4k", "ERROR", "invalid: pgreuse moved by 3, not 256"]]'
same_ids()
{
	exits 0 ptelab compare base new --format kcidb && cmp "$tmp/out" exact.kcidb
}
check "kcidb: the same boots have the same ids" same_ids
origin()
{
	exits 0 ptelab compare base new --format kcidb --origin my_ci2 &&
	json 'all(.checkouts[], .builds[], .tests[]; .origin == "my_ci2" and (.id | startswith("my_ci2:")))'
}
check "kcidb: --origin" origin
refuses "kcidb: an origin that is none" "--origin: 'My CI' has other characters" "$PTELAB" compare base new --origin 'My CI'

# --- Bencher Metric Format, github-action-benchmark ---

for name in $comparisons; do
	equal "bmf: $name: a measure for each row" "$(jq '[.[] | length] | add' "$name.bmf")" "$(jq '[.[].results[]] | length' "$name.array")"
	json=$name.bmf
	holds "bmf: $name: values lie between their bounds" 'all(.[][]; .lower_value <= .value and .value <= .upper_value)'
	# https://github.com/benchmark-action/github-action-benchmark: name, unit and
	# value, and range and extra, which are texts
	json=$name.gha
	holds "gha: $name: members, and no name twice" 'type == "array" and (map(.name) | unique | length) == length and all(.[];
		(.name | type) == "string" and (.unit | type) == "string" and (.value | type) == "number"
		and (.extra | type) == "string" and (.range | type | IN("string", "null")) and (keys - ["name", "unit", "value", "range", "extra"]) == [])'
	equal "gha: $name: verdicts, where lower is better" "$(jq -r '.[].extra | split(":")[0]' "$name.gha" | counts)" \
		"$(jq -r '.[].results[] | select(.better == "lower") | .verdict' "$name.array" | counts)"
done
json=exact.bmf
holds "bmf: figures of the new kernel" '."gup.futex folio=64k mode=exact".instructions_kernel == {value: 715, lower_value: 705, upper_value: 725}'
json=exact.gha
holds "gha: figures of the new kernel" '.[] | select(.name == "gup.futex folio=64k mode=exact: instructions_kernel")
	== {name, unit: "instructions", value: 715, range: "± 10", extra: "regression: 710 -> 715 (+0.7%)"}'
json=hostile.bmf
holds "bmf: no two points have one name" "length == $(jq length names.json)"

# --- b4 ---

# docs/maintainer/review.rst of b4: an array of tool, status, summary, details
for name in $comparisons; do
	json=$name.b4
	holds "b4: $name: members" "length == $(jq length "$name.array") and all(.[]; (keys == [\"details\", \"status\", \"summary\", \"tool\"])
		and .tool == \"ptelab\" and (.summary | test(\"^[^\\n]+\$\")) and (.details | length) > 0)"
	equal "b4: $name: worse fails, what is not decided warns" "$(jq -c 'map(.status)' "$json")" "$(jq -c 'map(.counts |
		if .regression > 0 then "fail" elif .changed + .inconclusive > 0 then "warn" else "pass" end)' "$name.array")"
done
equal "b4: the counts are in the summary" "$(jq -r '.[0].summary' exact.b4)" "2 regressions, 2 improvements, 1 changed, 2 equal, 1 idle"

# --- docs/formats.md ---

# Each block of a form there has lines of what is printed of the runs above.
examples()
{
	awk -v name="$1" '/^```/ { on = $0 == "```" name; next } on' "$top/docs/formats.md" > example
	[ -s example ] && while IFS= read -r line; do
		grep -qxF -- "$line" "exact.$1" || { echo "not printed: $line"; return 1; }
	done < example
}
for form in gobench ktap lava kcidb bmf gha b4; do
	check "docs: $form: the example is what is printed" examples $form
done
