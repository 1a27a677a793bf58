// SPDX-License-Identifier: GPL-2.0
/*
 * Selection, loading, environments, samples and verdicts, on made-up runs.
 * What the commands print is tested by tests/analysis/.
 */
#include "tests/unit/analysis_test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/judge/compare.h"
#include "tests/analysis/fixture.h"

static char dir[] = "/tmp/ptelab-analysis.XXXXXX";

static int make_dir(void **state __attribute__((unused)))
{
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state __attribute__((unused)))
{
	char *command = xasprintf("rm -rf %s", dir);
	int ret = system(command);

	free(command);
	return ret;
}

static json_t *params(const char *text)
{
	json_t *p = json_loads(text, 0, NULL);

	assert_non_null(p);
	return p;
}

static bool selects(const char *selector, const char *bench, const char *text)
{
	struct selection s = { 0 };
	json_t *p = params(text);
	bool match;

	assert_int_equal(select_bench(&s, selector), 0);
	match = selected_point(&s, bench, p);
	selection_free(&s);
	json_decref(p);
	return match;
}

TEST(selectors)
{
	const char *p = "{\"folio\": \"64k\", \"pages\": 16}";
	struct selection s = { 0 };

	assert_true(selects("gup.*", "gup.fast", p));
	assert_false(selects("gup", "gup.fast", p));
	assert_true(selects("gup.fast:pages=1,16", "gup.fast", p));
	assert_true(selects("*:pages=16:folio=4k,64k", "gup.fast", p));
	assert_false(selects("*:pages=16:folio=4k", "gup.fast", p));
	assert_false(selects("*:pages=1,6", "gup.fast", p));
	assert_false(selects("*:write=1", "gup.fast", p));
	assert_true(selects("each:folio=64K", "gup.fast", p));
	assert_true(selects("*:folio=65536", "gup.fast", p));
	assert_true(selects("*:folio=each", "gup.fast", p));
	assert_false(selects("*:write=each", "gup.fast", p));
	assert_int_equal(select_bench(&s, "*:pages="), -EINVAL);
	assert_int_equal(select_bench(&s, "*:pages"), -EINVAL);
	assert_int_equal(select_bench(&s, ":"), -EINVAL);
	assert_int_equal(s.nr_benches, 0);
	/* the address of a PCI device has colons of its own */
	p = "{\"bar\": \"0000:41:00.0/2\", \"size\": 8}";
	assert_true(selects("mmio.*:bar=0000:41:00.0/2:size=8", "mmio.store", p));
	assert_false(selects("mmio.*:bar=0000:42:00.0/2", "mmio.store", p));
	assert_true(selected_point(NULL, "x", NULL));
}

TEST(keys)
{
	json_t *a = params("{\"b\": 1, \"a\": \"x\"}");
	json_t *b = params("{\"a\": \"x\", \"b\": 1}");
	json_t *c = params("{\"a\": \"x\", \"b\": 2}");
	char *ka = point_key("exact", "m.n", a), *kb = point_key("exact", "m.n", b);
	char *kc = point_key("exact", "m.n", c), *kd = point_key("race", "m.n", a);

	assert_string_equal(ka, kb);
	assert_string_not_equal(ka, kc);
	assert_string_not_equal(ka, kd);
	free(ka);
	free(kb);
	free(kc);
	free(kd);
	json_decref(a);
	json_decref(b);
	json_decref(c);
}

/* A run in a folder of its own, loaded. */
static struct side *run_of(struct fixture f, const char *const *points,
			   size_t nr)
{
	static unsigned int nr_runs;
	char *path = xasprintf("%s/run%u", dir, nr_runs++);
	struct side *s;

	f.dir = path;
	f.points = points;
	f.nr_points = nr;
	if (!f.release)
		f.release = "6.12.0";
	if (!f.build_id)
		f.build_id = "abc";
	if (!f.mode)
		f.mode = "exact";
	if (!f.cmdline)
		f.cmdline = "quiet";
	if (!f.boots)
		f.boots = 1;
	if (!f.processes)
		f.processes = 1;
	assert_int_equal(fixture_write(&f), 0);
	s = side_load(path, NULL);
	assert_non_null(s);
	free(path);
	return s;
}

#define POINTS(...) ((const char *const[]){ __VA_ARGS__ }), \
	ARRAY_SIZE(((const char *const[]){ __VA_ARGS__ }))

static struct sample sample_of(struct side *s, const char *metric)
{
	return sample_take(&s->points[0], metric,
			   metric_tier(&s->points[0], metric), NULL);
}

TEST(boots_and_processes)
{
	struct side *s = run_of((struct fixture){ .mode = "timed", .boots = 3,
				.processes = 2 }, POINTS("a.b : ns=100+10"));
	struct sample v = sample_of(s, "ns");

	assert_int_equal(s->run->nr_files, 6);
	assert_int_equal(s->nr_boots, 3);
	assert_int_equal(s->points[0].nr_obs, 6);
	assert_int_equal(v.nr, 3);
	assert_int_equal(v.boots, 3);
	near(v.min, 100, 1e-12);
	near(v.max, 120, 1e-12);
	near(v.median, 110, 1e-12);
	sample_free(&v);
	side_free(s);
}

/* Neither files of one boot nor boots of one seed are evidence of their own. */
TEST(exact_units)
{
	struct side *race = run_of((struct fixture){ .mode = "race", .boots = 2,
				   .processes = 5 },
				   POINTS("a.b : faults.minor=1+1"));
	struct side *exact = run_of((struct fixture){ .boots = 2 },
				    POINTS("a.b : faults.minor=1+1"));
	struct fixture again = { .dir = exact->run->path, .mode = "exact",
		.release = "6.12.0 again", .build_id = "abc", .boots = 3,
		.processes = 1, .cmdline = "quiet",
		.points = (const char *const[]){ "a.b : faults.minor=1+1" },
		.nr_points = 1 };
	struct side *both;
	struct sample v = sample_of(race, "faults.minor");

	assert_int_equal(v.nr, 2);
	assert_int_equal(v.boots, 2);
	sample_free(&v);
	assert_int_equal(fixture_write(&again), 0);
	both = side_load(exact->run->path, NULL);
	v = sample_of(both, "faults.minor");
	assert_int_equal(v.nr, 3);
	assert_int_equal(v.boots, 5);
	sample_free(&v);
	side_free(both);
	side_free(exact);
	side_free(race);
}

TEST(tiers)
{
	struct side *exact = run_of((struct fixture){ .boots = 2 },
				    POINTS("a.b : instructions=5 ns=3 faults.minor=1"));
	struct side *timed = run_of((struct fixture){ .mode = "timed" },
				    POINTS("a.b : instructions=5 ns=3 faults.minor=1"));
	const struct side_point *e = &exact->points[0], *t = &timed->points[0];

	assert_int_equal(metric_tier(e, "instructions"), TIER_EXACT);
	assert_int_equal(metric_tier(e, "faults.minor"), TIER_EXACT);
	assert_int_equal(metric_tier(e, "ns"), TIER_NONE);
	assert_int_equal(metric_tier(t, "instructions"), TIER_TIMED);
	assert_int_equal(metric_tier(t, "faults.minor"), TIER_EXACT);
	assert_int_equal(metric_tier(t, "ns"), TIER_TIMED);
	side_free(exact);
	side_free(timed);
}

static enum verdict verdict_of(const char *base, const char *new,
			       unsigned int boots)
{
	struct side *b = run_of((struct fixture){ .boots = boots },
				POINTS(base));
	struct side *n = run_of((struct fixture){ .boots = boots },
				POINTS(new));
	struct comparison *c = compare_sides(b, n, &compare_defaults);
	enum verdict v;

	assert_int_equal(c->nr_results, 1);
	v = c->results[0].verdict;
	comparison_free(c);
	side_free(b);
	side_free(n);
	return v;
}

TEST(exact_verdicts)
{
	assert_int_equal(verdict_of("a.b : faults.minor=1",
				    "a.b : faults.minor=1", 3),
			 VERDICT_EQUAL);
	assert_int_equal(verdict_of("a.b : faults.minor=1",
				    "a.b : faults.minor=1.0009765625", 3),
			 VERDICT_REGRESSION);
	assert_int_equal(verdict_of("a.b : faults.minor=1",
				    "a.b : faults.minor=0", 1),
			 VERDICT_IMPROVEMENT);
	assert_int_equal(verdict_of("a.b : pages_pinned=1",
				    "a.b : pages_pinned=2", 1),
			 VERDICT_CHANGED);
	/* 1 2 3 against 3 4 5, against 4 5 6, against itself: seed by seed */
	assert_int_equal(verdict_of("a.b : faults.minor=1+1",
				    "a.b : faults.minor=3+1", 3),
			 VERDICT_REGRESSION);
	assert_int_equal(verdict_of("a.b : faults.minor=1+1",
				    "a.b : faults.minor=4+1", 3),
			 VERDICT_REGRESSION);
	assert_int_equal(verdict_of("a.b : faults.minor=1+1",
				    "a.b : faults.minor=1+1", 3),
			 VERDICT_OVERLAP);
	/* one value inside the other's range is no difference either */
	assert_int_equal(verdict_of("a.b : faults.minor=2",
				    "a.b : faults.minor=1+1", 3),
			 VERDICT_OVERLAP);
}

/* The same for boots of a race, in which seeds repeat nothing. */
static enum verdict race_verdict(const char *base, const char *new,
				 unsigned int boots)
{
	struct fixture f = { .mode = "race", .boots = boots };
	struct side *b = run_of(f, POINTS(base)), *n = run_of(f, POINTS(new));
	struct comparison *c = compare_sides(b, n, &compare_defaults);
	enum verdict v = c->results[0].verdict;

	comparison_free(c);
	side_free(b);
	side_free(n);
	return v;
}

/* Boots that vary are judged as those of timed rows are, whatever their gap. */
TEST(race_verdicts)
{
	/* of three boots a side, once in ten by luck */
	assert_int_equal(race_verdict("a.b : faults.minor=1+1",
				      "a.b : faults.minor=400+1", 3),
			 VERDICT_INCONCLUSIVE);
	assert_int_equal(race_verdict("a.b : faults.minor=1",
				      "a.b : faults.minor=2", 3),
			 VERDICT_INCONCLUSIVE);
	assert_int_equal(race_verdict("a.b : faults.minor=1+1",
				      "a.b : faults.minor=400+1", 5),
			 VERDICT_REGRESSION);
	assert_int_equal(race_verdict("a.b : faults.minor=1+1",
				      "a.b : faults.minor=3+1", 5),
			 VERDICT_OVERLAP);
}

/*
 * Null: two runs of the same must not differ more often than 5 % of all
 * tables. 200 tables of 10 rows; the noise of a run depends on its release.
 */
TEST(false_alarms)
{
	char names[10][32], release[16];
	const char *points[10];
	unsigned int round, alarms = 0, i;
	struct side *s[2];

	for (i = 0; i < 10; i++) {
		snprintf(names[i], sizeof(names[i]), "a.b%u : ns=100%%2", i);
		points[i] = names[i];
	}
	for (round = 0; round < 200; round++) {
		struct compare_options opt = compare_defaults;
		struct comparison *c;

		opt.resamples = 200;
		for (i = 0; i < 2; i++) {
			snprintf(release, sizeof(release), "%u.%u", round, i);
			s[i] = run_of((struct fixture){ .mode = "timed",
				      .boots = 6, .release = release },
				      points, 10);
		}
		c = compare_sides(s[0], s[1], &opt);
		assert_int_equal(c->family, 10);
		alarms += c->count[VERDICT_REGRESSION] +
			  c->count[VERDICT_IMPROVEMENT] > 0;
		comparison_free(c);
		side_free(s[0]);
		side_free(s[1]);
	}
	print_message("%u of 200 tables raise a false alarm\n", alarms);
	assert_true(alarms <= 20);
}

TEST(environments)
{
	static const char *const quiet[] = { "governor=performance" };
	static const char *const loud[] = { "governor=powersave" };
	const char *allow[] = { "gov*" };
	struct side *b = run_of((struct fixture){ .settings = quiet,
				.nr_settings = 1 }, POINTS("a.b : ns=1"));
	struct side *n = run_of((struct fixture){ .settings = loud,
				.nr_settings = 1, .build_id = "def",
				.first_seed = 1 }, POINTS("a.b : ns=1"));
	struct env_differences e = env_compare(b, n, NULL, 0);
	char *text;
	size_t i;

	assert_int_equal(env_refused(&e), 2);	/* governor, seeds */
	for (i = 0; i < e.nr; i++)
		assert_int_equal(e.d[i].matters, strcmp(e.d[i].key, "build_id") != 0);
	env_free(&e);
	e = env_compare(b, n, allow, 1);
	assert_int_equal(env_refused(&e), 1);
	env_free(&e);
	e = env_compare(b, b, NULL, 0);
	assert_int_equal(e.nr, 0);
	env_free(&e);
	text = env_difference_text(&(struct env_difference){
		.key = "cmdline", .scope = ENV_BETWEEN,
		.base = "console=ttyS0 nokaslr panic=-1 a=1 quiet root=/dev/vda",
		.new = "console=ttyS0 nokaslr panic=-1 quiet b root=/dev/vda c" });
	assert_string_equal(text, "cmdline: base has a=1, new has b c");
	free(text);
	side_free(b);
	side_free(n);
}

static size_t count_rule(const struct comparison *c, const char *rule)
{
	size_t nr = 0, i;

	for (i = 0; i < c->nr_findings; i++)
		nr += !strcmp(c->findings[i].rule, rule);
	return nr;
}

static size_t rule_fires(const char *rule, const char *base, const char *new)
{
	struct side *b = run_of((struct fixture){ .boots = 3 }, POINTS(base));
	struct side *n = run_of((struct fixture){ .boots = 3 }, POINTS(new));
	struct comparison *c = compare_sides(b, n, &compare_defaults);
	size_t nr = count_rule(c, rule);

	comparison_free(c);
	side_free(b);
	side_free(n);
	return nr;
}

TEST(rules)
{
	static const struct {
		const char *rule, *base, *new;
		size_t fires;
	} cases[] = {
		{ "unnecessary-kvm-zap",
		  "a.b : kvm_zap_calls=0 kvm_refaults_same_pfn=0",
		  "a.b : kvm_zap_calls=1 kvm_refaults_same_pfn=1", 1 },
		/* Where permissions were looked at, that decides. */
		{ "unnecessary-kvm-zap",
		  "a.b : kvm_refaults_same_pfn=0 kvm_unnecessary=0 kvm_unnecessary.clear=0",
		  "a.b : kvm_refaults_same_pfn=1 kvm_unnecessary=0 kvm_unnecessary.clear=0", 0 },
		{ "unnecessary-kvm-zap",
		  "a.b : kvm_refaults_same_pfn=1 kvm_unnecessary=0 kvm_unnecessary.clear=0",
		  "a.b : kvm_refaults_same_pfn=1 kvm_unnecessary=1 kvm_unnecessary.clear=1", 1 },
		{ "unnecessary-kvm-zap",
		  "a.b : kvm_refaults_same_pfn=1 kvm_unnecessary=1 kvm_unnecessary.clear=1",
		  "a.b : kvm_refaults_same_pfn=1 kvm_unnecessary=1 kvm_unnecessary.clear=1", 1 },
		{ "unnecessary-kvm-zap", "a.b : kvm_refaults_same_pfn=0",
		  "a.b : kvm_refaults_same_pfn=1", 1 },
		/* on both sides: told, as not the change's doing */
		{ "unnecessary-kvm-zap", "a.b : kvm_refaults_same_pfn=1",
		  "a.b : kvm_refaults_same_pfn=1", 1 },
		{ "unnecessary-kvm-zap", "a.b : kvm_refaults_same_pfn=1",
		  "a.b : kvm_refaults_same_pfn=0", 0 },
		{ "unnecessary-kvm-zap",
		  "a.b : kvm_zap_calls=0 kvm_zapped_leaves=0 kvm_refaults_same_pfn=0",
		  "a.b : kvm_zap_calls=1 kvm_zapped_leaves=1 kvm_refaults_same_pfn=1", 1 },
		{ "unnecessary-kvm-zap", "a.b : kvm_zap_calls=0",
		  "a.b : kvm_zap_calls=1", 0 },
		{ "stale-secondary-tlb", "a.b : shadow_stale=0",
		  "a.b : shadow_stale=0+1", 1 },
		{ "stale-secondary-tlb", "a.b : shadow_stale=0",
		  "a.b : shadow_stale=0", 0 },
		{ "stale-secondary-tlb", "a.b : notifier_secondary=1",
		  "a.b : notifier_secondary=0", 1 },
		{ "stale-secondary-tlb", "a.b : notifier_secondary=1",
		  "a.b : notifier_secondary=0.5", 0 },
		{ "lockless-retry", "a.b : lockless_retries=0",
		  "a.b : lockless_retries=0.1", 1 },
		{ "lockless-retry", "a.b : lockless_retries=0.1",
		  "a.b : lockless_retries=0", 1 },
		{ "lockless-retry", "a.b : lockless_retries=0.1+0.1",
		  "a.b : lockless_retries=0.2+0.05", 0 },
		/* alike with every seed */
		{ "lockless-retry", "a.b : lockless_retries=0.1+0.1",
		  "a.b : lockless_retries=0.2+0.1", 1 },
		{ "gup-slow-fallback", "a.b : gup_slow_pages=0",
		  "a.b : gup_slow_pages=1", 1 },
		{ "gup-slow-fallback", "a.b : gup_slow_pages=1",
		  "a.b : gup_slow_pages=0", 0 },
		{ "contpte-unfolded", "a.b : contpte_unfolds=0",
		  "a.b : contpte_unfolds=1", 1 },
		{ "stage2-memtype", "a.b : s2_maps.nc=9 s2_maps.device=0",
		  "a.b : s2_maps.nc=0 s2_maps.device=9", 1 },
		/* more maps of one type are no other type */
		{ "stage2-memtype", "a.b : s2_maps.normal=0",
		  "a.b : s2_maps.normal=9", 0 },
		{ "stage2-memtype", "a.b : s2_maps.nc=9",
		  "a.b : s2_maps.nc=9", 0 },
		{ "exact-difference", "a.b : faults.minor=1 faults.major=0",
		  "a.b : faults.minor=2 faults.major=1", 2 },
		{ "exact-difference", "a.b : faults.minor=1+1",
		  "a.b : faults.minor=2+2", 0 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		if (rule_fires(cases[i].rule, cases[i].base, cases[i].new) !=
		    cases[i].fires)
			fail_msg("%s: %s -> %s\n", cases[i].rule,
				 cases[i].base, cases[i].new);
}

/* A row that the table does not call a difference is no finding either. */
TEST(findings_follow_verdicts)
{
	struct side *b = run_of((struct fixture){ .mode = "race", .boots = 3 },
		POINTS("a.b : kvm_unnecessary.clear=1+1 lockless_retries=1+1"));
	struct side *n = run_of((struct fixture){ .mode = "race", .boots = 3 },
		POINTS("a.b : kvm_unnecessary.clear=4+1 lockless_retries=4+1"));
	struct comparison *c = compare_sides(b, n, &compare_defaults);

	assert_int_equal(c->count[VERDICT_REGRESSION], 0);
	assert_int_equal(c->nr_findings, 0);
	comparison_free(c);
	side_free(b);
	side_free(n);
}

/* Findings group the points of one benchmark and metric. */
TEST(grouped_findings)
{
	struct side *b = run_of((struct fixture){ .boots = 2 },
		POINTS("a.b n=1 : faults.minor=1", "a.b n=2 : faults.minor=10",
		       "a.c n=1 : faults.minor=1"));
	struct side *n = run_of((struct fixture){ .boots = 2 },
		POINTS("a.b n=1 : faults.minor=2", "a.b n=2 : faults.minor=90",
		       "a.c n=1 : faults.minor=2"));
	struct comparison *c = compare_sides(b, n, &compare_defaults);

	assert_int_equal(c->nr_findings, 2);
	assert_int_equal(json_array_size(c->findings[0].evidence), 2);
	assert_string_equal(c->findings[0].text,
		"faults.minor 10 -> 90, +800.0%, at n=2 (the largest of 2 points)");
	assert_string_equal(c->findings[1].bench, "a.c");
	comparison_free(c);
	side_free(b);
	side_free(n);
}

/* An invalid boot is left out of a side, and told. */
TEST(partly_invalid)
{
	struct side *b = run_of((struct fixture){ .boots = 2 },
				POINTS("a.b : faults.minor=1"));
	struct side *n;
	struct comparison *c;
	char *path = xstrdup(b->run->path);
	struct fixture f = { .dir = path, .release = "6.12.0",
		.build_id = "abc", .mode = "exact", .boots = 1,
		.processes = 1, .first_seed = 5, .cmdline = "quiet",
		.points = (const char *const[]){ "a.b ! invalid moved" },
		.nr_points = 1 };
	const char *allow[] = { "seeds" };
	struct compare_options opt = compare_defaults;

	assert_int_equal(fixture_write(&f), 0);
	n = side_load(path, NULL);
	assert_non_null(n);
	opt.allow = allow;
	opt.nr_allow = 1;
	c = compare_sides(b, n, &opt);
	assert_int_equal(c->nr_results, 1);
	assert_int_equal(c->results[0].new.nr, 2);
	assert_int_equal(c->nr_missing, 1);
	assert_string_equal(c->missing[0].reason, "moved");
	assert_int_equal(c->missing[0].boots, 1);
	assert_int_equal(c->missing[0].of, 3);
	comparison_free(c);
	side_free(b);
	side_free(n);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(selectors),
		cmocka_unit_test(keys),
		cmocka_unit_test(boots_and_processes),
		cmocka_unit_test(exact_units),
		cmocka_unit_test(tiers),
		cmocka_unit_test(exact_verdicts),
		cmocka_unit_test(race_verdicts),
		cmocka_unit_test(false_alarms),
		cmocka_unit_test(environments),
		cmocka_unit_test(rules),
		cmocka_unit_test(findings_follow_verdicts),
		cmocka_unit_test(grouped_findings),
		cmocka_unit_test(partly_invalid),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
