// SPDX-License-Identifier: GPL-2.0
/* From what the plugin wrote to a boot's results, and to what a difference is
 * of: made-up boots whose every count is known. */
#include "tests/unit/test.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>

#include "analysis/code/explain.h"
#include "analysis/code/merge.h"
#include "analysis/judge/compare.h"
#include "lib/record.h"
#include "lib/util.h"
#include "tests/unit/folder.h"
#include "tests/unit/walk_program.h"

static char *in_dir(const char *fmt, ...)
{
	va_list ap;
	char *name, *path;

	va_start(ap, fmt);
	if (vasprintf(&name, fmt, ap) < 0)
		abort();
	va_end(ap);
	path = xasprintf("%s/%s", dir, name);
	free(name);
	return path;
}

/*
 * Two operations: user code (3 and 4 instructions, the harness's), each with a
 * system call into handler(), which calls walk() or walk.isra.0(), which loads
 * @loads times and jumps to tail().
 */
static char *run_kernel(unsigned int loads, bool isra)
{
	uint64_t walk = KERNEL + (isra ? 0x900 : 0x200);
	struct program p;
	unsigned int i, k;

	program_begin(&p, false);
	RUN(&p, KERNEL + 0xa00, NOP, RET);
	RUN(&p, 0x3ffff0, MARK(MARK_RUN));
	RUN(&p, 0x400000, MARK(MARK_ARM), READ(1));
	RUN(&p, 0x400008, READ(0));
	RUN(&p, 0x40000c, MARK(MARK_BEGIN), NOP, B_);
	for (i = 0; i < 2; i++) {
		RUN(&p, 0x400100, SVC);
		RUN(&p, VECTORS + 0x400, B_);
		RUN(&p, KERNEL + 0x100, NOP, BL);
		RUN(&p, walk, NOP, NOP);
		for (k = 0; k < loads; k++)
			RUN(&p, walk + 8, LDR, B_);
		RUN(&p, walk + 0x10, B_);
		RUN(&p, KERNEL + 0x300, STR, RET);
		RUN(&p, KERNEL + 0x108, ERET);
		RUN(&p, 0x400104, B_);
	}
	RUN(&p, 0x400018, MARK(MARK_END), NOP, READ(0));
	RUN(&p, 0x400024, MARK(MARK_DONE), NOP);
	RUN(&p, KERNEL + 0x404, NOP, RET);
	RUN(&p, KERNEL + 0x408, RET);
	program_end(&p);
	return xstrdup(p.path);
}

/* A boot's lines as the guest prints them, for one point. */
static void write_boot(const char *path, unsigned int pmu)
{
	json_t *header = json_pack("{s:i, s:{s:s, s:b}, s:{s:s, s:s, s:s}}",
			"seed", 7, "machine", "mode", "exact", "icount", 1,
			"absent", "loads", "x", "lines_touched", "y", "ns", "z");
	json_t *point = json_pack("{s:s, s:{s:s}, s:s, s:i, s:{s:[i]}, s:{s:{s:f, s:i, s:i, s:s}}, s:{}, s:{}, s:{s:i}}",
			"bench", "t.one", "params", "folio", "4k", "status",
			"ok", "operations", 2, "batches", "instructions", pmu,
			"counters", "instructions", "per_op", pmu / 2.,
			"total", pmu, "operations", 2, "pass", "timed",
			"absent", "proof", "regions", "first", 0);
	struct run_writer *w = run_writer_open(path, header);

	assert_non_null(w);
	assert_int_equal(run_writer_point(w, point), 0);
	assert_int_equal(run_writer_close(w, true), 0);
	json_decref(header);
	json_decref(point);
}

static struct symbols *make_symbols(bool isra)
{
	char *map = in_dir("System.map");
	FILE *f = fopen(map, "w");
	struct symbols *s = symbols_new();

	fprintf(f, "0000000000400000 T main\n0000000000400100 T call\n"
		"ffff800080000000 T first\nffff800080000100 T handler\n"
		"ffff800080000200 t %s\nffff800080000300 T tail\n"
		"ffff800080000400 T after\nffff800080000900 t %s\n"
		"ffff800080000a00 T more\n"
		"ffff800080010000 T vectors\nffff800080010800 d data\n",
		isra ? "other" : "walk", isra ? "walk.isra.0" : "other");
	fclose(f);
	assert_int_equal(symbols_add_map(s, map), 0);
	free(map);
	return s;
}

/* User: 3 + 2 * 2 + 3; an operation: vector 1, handler 3, walk 3, tail 2,
 * and 2 for each load. */
static unsigned int instructions(unsigned int loads)
{
	return 3 + 2 * 2 + 3 + 2 * (1 + 3 + 3 + 2 + 2 * loads);
}

/* Makes DIR/NAME/boot-001.jsonl with its instructions; 0 or -errno. */
static int make_side(const char *name, unsigned int loads, bool isra,
		     unsigned int pmu)
{
	char *counts = run_kernel(loads, isra);
	char *raw = in_dir("%s.jsonl", name), *folder = in_dir("%s", name);
	char *out = in_dir("%s/boot-001.jsonl", name);
	struct symbols *sym = make_symbols(isra);
	struct regions *r = regions_load(counts);
	int ret;

	mkdir(folder, 0755);
	write_boot(raw, pmu);
	assert_non_null(r);
	ret = merge_counts(raw, r, sym, out);
	unlink(counts);
	regions_free(r);
	symbols_free(sym);
	free(counts);
	free(raw);
	free(folder);
	free(out);
	return ret;
}

static struct side *load(const char *name)
{
	char *path = in_dir("%s", name);
	struct side *s = side_load(path, NULL);

	assert_non_null(s);
	free(path);
	return s;
}

static double counter(const struct side *s, const char *metric)
{
	double v = NAN;

	observation_value(&s->points[0].obs[0], metric, &v);
	return v;
}

static void merged(void **state)
{
	struct side *s;
	json_t *header;

	(void)state;
	assert_int_equal(make_side("merged", 5, false, instructions(5)), 0);
	s = load("merged");
	assert_true(s->run->files[0]->complete);
	assert_float_equal(counter(s, "loads"), 5, 0);
	assert_float_equal(counter(s, "stores"), 1, 0);
	assert_float_equal(counter(s, "tlbi"), 0, 0);
	assert_float_equal(counter(s, "tlbi.broadcast_page"), 0, 0);
	assert_float_equal(counter(s, "sysreg_reads"), .5, 0);
	assert_float_equal(counter(s, "exceptions.user_svc"), 1, 0);
	assert_float_equal(counter(s, "exceptions.kernel_irq"), 0, 0);
	/* lines were not counted, so they stay absent, with the reason */
	assert_true(isnan(counter(s, "lines_touched")));
	header = json_object_get(s->run->files[0]->header, "absent");
	assert_null(json_object_get(header, "loads"));
	assert_non_null(json_object_get(header, "lines_touched"));
	assert_non_null(json_object_get(header, "ns"));
	side_free(s);
}

/* What ran at all, by when it ran first: also before and after the region. */
static void seen(void **state)
{
	char *path = in_dir("seen/boot-001.insns.gz");
	const struct insn_seen *s;
	struct insn_file *f;

	(void)state;
	assert_int_equal(make_side("seen", 5, false, instructions(5)), 0);
	f = insn_file_load(path);
	assert_non_null(f);
	s = insn_seen_at(f, KERNEL + 0x204);
	assert_non_null(s);
	assert_int_equal(s->region, 0);
	assert_non_null(insn_seen_at(f, KERNEL + 0xa00));
	s = insn_seen_at(f, KERNEL + 0x408);
	assert_non_null(s);
	assert_int_equal(s->start, KERNEL + 0x404);
	assert_int_equal(s->nr, 2);
	assert_int_equal(s->region, f->nr_regions);
	assert_null(insn_seen_at(f, KERNEL + 0x400));
	assert_null(insn_seen_at(f, KERNEL + 0x40c));
	assert_null(insn_seen_at(f, KERNEL));
	/* what is not the kernel's is left out */
	assert_null(insn_seen_at(f, 0x400100));
	insn_file_free(f);
	free(path);
}

/* The PMU says otherwise: then it is told, and no class is made up. */
static void contradicted(void **state)
{
	struct side *s;

	(void)state;
	assert_int_equal(make_side("other", 5, false, instructions(5) + 1), 0);
	s = load("other");
	assert_true(isnan(counter(s, "loads")));
	assert_non_null(strstr(observation_absent(&s->points[0].obs[0], "loads"),
			       "plugin saw 48 instructions where the PMU counted 49"));
	side_free(s);
}

static const struct explained_function *
function(const struct explanation *e, const char *name)
{
	size_t i;

	for (i = 0; i < e->nr; i++)
		if (!strcmp(e->functions[i].name, name))
			return &e->functions[i];
	return NULL;
}

static const struct flame *frame(const struct flame *f, const char *name)
{
	const struct flame *found;
	size_t i;

	if (!strcmp(f->name, name))
		return f;
	for (i = 0; i < f->nr; i++) {
		found = frame(f->child[i], name);
		if (found)
			return found;
	}
	return NULL;
}

/* 5 loads an operation, then 2: walk() has 6 instructions less. */
static void explained(void **state)
{
	struct insn_store *store = insn_store_new();
	const struct explained_function *f;
	struct side *base, *new;
	struct explanation *e;
	const struct flame *n;
	char *text;
	size_t len;
	FILE *out;

	(void)state;
	assert_int_equal(make_side("base", 5, false, instructions(5)), 0);
	assert_int_equal(make_side("new", 2, true, instructions(2)), 0);
	base = load("base");
	new = load("new");
	e = explain(&base->points[0], &new->points[0], "instructions", -1,
		    store);
	assert_non_null(e);
	assert_int_equal(e->seed, 7);
	assert_float_equal(explained_delta(e), -6, 1e-9);
	assert_float_equal(explained_share(e), 1, 1e-9);
	/* the variant that GCC made is the function, and the largest change */
	assert_string_equal(e->functions[0].name, "walk");
	assert_float_equal(e->functions[0].self[BASE], 13, 0);
	assert_float_equal(e->functions[0].self[NEW], 7, 0);
	assert_float_equal(e->functions[0].calls[NEW], 1, 0);
	f = function(e, "tail");
	assert_float_equal(f->self[BASE], 2, 0);
	assert_float_equal(f->calls[BASE], 1, 0);
	assert_float_equal(function(e, "main")->self[NEW], 3, 0);
	assert_null(function(e, "other"));
	/* a tail call is a frame on the function that jumped */
	n = frame(frame(e->flame, "handler"), "walk");
	assert_non_null(n);
	assert_float_equal(n->all[BASE], 15, 0);
	assert_non_null(frame(n, "tail"));
	assert_float_equal(e->flame->all[BASE], e->counted[BASE], 1e-9);

	out = open_memstream(&text, &len);
	explain_text(e, 20, 1, out);
	fclose(out);
	assert_non_null(strstr(text, "accounted for: 100 % of -6"));
	assert_non_null(strstr(text, "+0x8            5         2  ldr"));
	free(text);
	out = open_memstream(&text, &len);
	explain_svg(e, NULL, out);
	fclose(out);
	assert_non_null(strstr(text, ">walk -6"));
	free(text);
	explanation_free(e);

	e = explain(&base->points[0], &new->points[0], "loads", -1, store);
	assert_float_equal(explained_delta(e), -3, 1e-9);
	assert_float_equal(explained_share(e), 1, 1e-9);
	assert_float_equal(function(e, "walk")->self[BASE], 5, 0);
	assert_float_equal(function(e, "tail")->self[BASE], 0, 0);
	explanation_free(e);

	assert_null(explain(&base->points[0], &new->points[0], "ns", -1, store));
	assert_null(explain(&base->points[0], &new->points[0], "loads", 8,
			    store));
	assert_non_null(strstr(fail_text(), "no boot of seed 8"));
	insn_store_free(store);
	side_free(base);
	side_free(new);
}

/* What was measured and what was counted differ: that is said, not hidden. */
static void not_all(void **state)
{
	struct insn_store *store = insn_store_new();
	struct side *base, *new;
	struct explanation *e;
	char *text;
	size_t len;
	FILE *out;

	(void)state;
	assert_int_equal(make_side("base2", 5, false, instructions(5)), 0);
	assert_int_equal(make_side("new2", 2, true, instructions(2) - 12), 0);
	base = load("base2");
	new = load("new2");
	e = explain(&base->points[0], &new->points[0], "instructions", -1,
		    store);
	assert_float_equal(explained_share(e), .5, 1e-9);
	out = open_memstream(&text, &len);
	explain_text(e, 20, 0, out);
	fclose(out);
	assert_non_null(strstr(text, "accounted for: 50.0000 % of -12"));
	free(text);
	explanation_free(e);
	insn_store_free(store);
	side_free(base);
	side_free(new);
}

/* A boot whose time was sampled: @a and @b of 100 samples in two functions. */
static void write_sampled(const char *name, double ns, int a, int b, int lost)
{
	char *folder = in_dir("%s", name), *file = in_dir("%s/boot-001.jsonl", name);
	json_t *header = json_pack("{s:{s:s}}", "machine", "mode", "timed");
	json_t *point = json_pack("{s:s, s:{}, s:s, s:i, s:{s:[f]}, s:{s:{s:f, s:f, s:i, s:s}}, s:{}, s:{}, s:{s:s, s:s, s:i, s:i, s:i, s:{s:i, s:i, s:i}}}",
			"bench", "t.sampled", "params", "status", "ok",
			"operations", 10, "batches", "ns", ns * 10, "counters",
			"ns", "per_op", ns, "total", ns * 10, "operations", 10,
			"pass", "timed", "absent", "proof", "samples", "event",
			"cpu-clock", "metric", "ns", "frequency", 4999,
			"count", 100, "lost", lost, "functions", "kernel a",
			a, "kernel b.isra.0", b, "user a", 100 - a - b);
	struct run_writer *w;

	mkdir(folder, 0755);
	w = run_writer_open(file, header);
	assert_non_null(w);
	run_writer_point(w, point);
	run_writer_close(w, true);
	json_decref(header);
	json_decref(point);
	free(folder);
	free(file);
}

static void sampled(void **state)
{
	struct insn_store *store = insn_store_new();
	const struct explained_function *f;
	struct side *base, *new;
	struct explanation *e;
	double low, high;
	char *text;
	size_t len;
	FILE *out;

	(void)state;
	write_sampled("s-base", 1000, 50, 30, 0);
	write_sampled("s-new", 2000, 50, 30, 3);
	base = load("s-base");
	new = load("s-new");
	assert_string_equal(explain_default_metric(base), "ns");
	e = explain(&base->points[0], &new->points[0], "ns", -1, store);
	assert_non_null(e);
	assert_string_equal(e->event, "cpu-clock");
	assert_int_equal(e->nr, 3);	/* a of the kernel, a of the program */
	f = function(e, "a");
	assert_float_equal(f->self[BASE], 500, 1e-9);
	assert_float_equal(f->self[NEW], 1000, 1e-9);
	/* 50 of 100: Clopper and Pearson's 0.3983 to 0.6017 */
	assert_float_equal(f->low[BASE], 398.3, .1);
	assert_float_equal(f->high[BASE], 601.7, .1);
	explained_interval(f, &low, &high);
	assert_float_equal(low, 500 - hypot(203.4, 101.7), .2);
	assert_float_equal(high, 500 + hypot(203.4, 101.7), .2);
	assert_float_equal(function(e, "b")->self[NEW], 600, 1e-9);
	out = open_memstream(&text, &len);
	explain_text(e, 20, 1, out);
	fclose(out);
	assert_null(strstr(text, "accounted"));
	assert_null(strstr(text, "exact"));
	assert_non_null(strstr(text, "new: 3 samples were lost"));
	free(text);
	explanation_free(e);
	/* no instructions were counted, and none are made of samples */
	assert_null(explain(&base->points[0], &new->points[0], "instructions",
			    -1, store));
	insn_store_free(store);
	side_free(base);
	side_free(new);
}

/* Boots of seeds 1 and 2; the first @counted of them have loads. */
static struct side *make_boots(const char *name, double loads, int counted)
{
	char *folder = in_dir("%s", name);
	int seed;

	mkdir(folder, 0755);
	for (seed = 1; seed <= 2; seed++) {
		json_t *header = json_pack("{s:i, s:{s:s, s:b}}", "seed", seed,
				"machine", "mode", "exact", "icount", 1);
		json_t *counters = json_pack("{s:{s:f, s:i, s:i}}",
				"gup_fast_calls", "per_op", loads, "total", 1,
				"operations", 1);
		json_t *point = json_pack("{s:s, s:{}, s:s, s:i, s:o, s:{}}",
				"bench", "t.boots", "params", "status", "ok",
				"operations", 1, "counters", counters, "absent");
		struct run_writer *w = run_writer_open(folder, header);

		if (seed <= counted)
			json_object_set_new(counters, "loads", json_pack(
				"{s:f, s:i, s:i, s:s}", "per_op", loads,
				"total", 1, "operations", 1, "pass", "region"));
		run_writer_point(w, point);
		run_writer_close(w, true);
		json_decref(header);
		json_decref(point);
	}
	free(folder);
	return load(name);
}

static bool compared(const struct side *base, struct side *new,
		     const char *metric)
{
	struct comparison *c = compare_sides(base, new, &compare_defaults);
	bool found = false;
	size_t i;

	for (i = 0; i < c->nr_results; i++)
		found |= !strcmp(c->results[i].metric, metric);
	comparison_free(c);
	return found;
}

/* What one seed alone has counted is no evidence of a difference. */
static void every_seed(void **state)
{
	struct side *first = make_boots("b-first", 5, 1);
	struct side *first_new = make_boots("n-first", 6, 1);
	struct side *all = make_boots("b-all", 5, 2);
	struct side *all_new = make_boots("n-all", 6, 2);

	(void)state;
	assert_false(compared(first, first_new, "loads"));
	assert_false(compared(all, first_new, "loads"));
	assert_true(compared(all, all_new, "loads"));
	assert_true(compared(first, first_new, "gup_fast_calls"));
	side_free(first);
	side_free(first_new);
	side_free(all);
	side_free(all_new);
}

/* Not what the plugin wrote, cut short, or of a run that is not whole. */
static void refused(void **state)
{
	char *counts = run_kernel(1, false);
	char *raw = in_dir("r.jsonl"), *out = in_dir("r/boot-001.jsonl");
	char *folder = in_dir("r"), *insns = in_dir("r/boot-001.insns.gz");
	char *no_plugin = in_dir("none");
	struct symbols *sym = make_symbols(false);
	struct regions *r = regions_load(counts);
	struct stat st;
	FILE *f;

	(void)state;
	assert_null(regions_load(raw));
	write_boot(raw, instructions(1));
	assert_null(regions_load(raw));
	mkdir(folder, 0755);
	assert_int_equal(merge_counts(raw, r, sym, folder), -EINVAL);
	/* a run that the plugin saw nothing of */
	f = fopen(no_plugin, "w");
	fwrite(&(uint64_t){ REGIONS_MAGIC }, 8, 1, f);
	fclose(f);
	regions_free(r);
	r = regions_load(no_plugin);
	assert_non_null(r);
	assert_int_equal(merge_counts(raw, r, sym, out), -EPROTO);
	assert_int_not_equal(stat(out, &st), 0);
	assert_int_not_equal(stat(insns, &st), 0);
	/* a checksum that is wrong */
	regions_free(r);
	r = regions_load(counts);
	f = fopen(raw, "r+");
	fseek(f, 40, SEEK_SET);
	fputc(' ', f);
	fclose(f);
	assert_int_not_equal(merge_counts(raw, r, sym, out), 0);
	assert_int_not_equal(stat(out, &st), 0);
	assert_null(insn_file_load(raw));
	regions_free(r);
	symbols_free(sym);
	unlink(counts);
	free(counts);
	free(raw);
	free(out);
	free(folder);
	free(insns);
	free(no_plugin);
}

/* Of a map, which has no sizes: what is far from all symbols is in none. */
static void far_from_symbols(void **state)
{
	struct symbols *s = make_symbols(false);

	(void)state;
	assert_string_equal(symbols_find(s, 0x4000fc)->name, "main");
	assert_string_equal(symbols_find(s, 0x400ffc)->name, "call");
	assert_null(symbols_find(s, 0xffff800078d30000));
	symbols_free(s);
}

/* One cause: for the most part the same functions differ, in one direction. */
static void causes(void **state)
{
	struct explained_function zap[] = {
		{ .name = "walk", .space = "kernel", .self = { 0, 100 } },
		{ .name = "lock", .space = "kernel", .self = { 10, 20 } },
	}, more[] = {
		{ .name = "walk", .space = "kernel", .self = { 5, 85 } },
		{ .name = "free", .space = "kernel", .self = { 0, 30 } },
	}, other[] = {
		{ .name = "lock", .space = "kernel", .self = { 0, 10 } },
		{ .name = "copy", .space = "kernel", .self = { 0, 60 } },
		{ .name = "walk", .space = "user", .self = { 0, 70 } },
	}, less[] = {
		{ .name = "walk", .space = "kernel", .self = { 100, 0 } },
	};
	struct explanation a = { .functions = zap, .nr = ARRAY_SIZE(zap) };
	struct explanation b = { .functions = more, .nr = ARRAY_SIZE(more) };
	struct explanation c = { .functions = other, .nr = ARRAY_SIZE(other) };
	struct explanation d = { .functions = less, .nr = ARRAY_SIZE(less) };

	(void)state;
	assert_true(explain_alike(&a, &b));
	assert_false(explain_alike(&a, &c));
	assert_false(explain_alike(&a, &d));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(far_from_symbols),
		cmocka_unit_test(merged),
		cmocka_unit_test(seen),
		cmocka_unit_test(contradicted),
		cmocka_unit_test(explained),
		cmocka_unit_test(not_all),
		cmocka_unit_test(sampled),
		cmocka_unit_test(every_seed),
		cmocka_unit_test(refused),
		cmocka_unit_test(causes),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
