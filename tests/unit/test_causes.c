// SPDX-License-Identifier: GPL-2.0
/* What a difference is made of, in made-up boots whose every count is known. */
#include "tests/unit/test.h"

#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include "analysis/code/causes.h"
#include "lib/record.h"
#include "lib/util.h"
#include "tests/unit/folder.h"

/*
 * How often the one instruction of each function runs in a batch of two
 * operations. main() calls changed() and other(); changed() calls called(),
 * other() calls drawn(); an interrupt comes while other() runs.
 */
struct counts {
	int changed, called, other, drawn, interrupt;
};

static void write_insns(const char *path, const char *const *points,
			const struct counts *n, size_t nr)
{
	static const char *const names[] = {
		"main", "changed.isra.0", "called", "other", "drawn", "irq",
	};
	FILE *f = fopen(path, "w");
	size_t i;

	fprintf(f, "{\"schema\":\"ptelab-insns-1\"}\n");
	for (i = 0; i < nr; i++)
		fprintf(f, "{\"type\":\"region\",\"run\":0,\"batch\":0,\"bench\":\"%s\",\"params\":{},\"operations\":2,"
			"\"nodes\":[0,0,-1,0,0, 0,1,0,0,1, 1,1,1,0,2, 0,1,0,0,3, 3,1,3,0,4, 3,2,3,0,5],"
			"\"counts\":[0,0,0,1,10, 1,1,0,1,%d, 2,2,0,1,%d, 3,3,0,1,%d, 4,4,0,1,%d, 5,5,0,1,%d]}\n",
			points[i], n[i].changed, n[i].called, n[i].other,
			n[i].drawn, n[i].interrupt);
	for (i = 0; i < ARRAY_SIZE(names); i++)
		fprintf(f, "{\"type\":\"function\",\"name\":\"%s\",\"space\":\"%s\",\"start\":\"%zx\",\"words\":\"%s\"}\n",
			names[i], i ? "kernel" : "user", 4096 * (i + 1),
			i == 4 ? "f9400000" : "d503201f");
	fclose(f);
}

static double sum_of(const struct counts *n)
{
	return 10 + n->changed + n->called + n->other + n->drawn +
	       n->interrupt;
}

/* A boot of @nr points; @insns: whether its instructions were counted. */
static void write_boot(const char *side, int boot, const char *const *points,
		       const struct counts *n, size_t nr, bool insns)
{
	char *folder = xasprintf("%s/%s", dir, side);
	char *path = xasprintf("%s/boot-%03d.jsonl", folder, boot);
	char *name = xasprintf("boot-%03d.insns.gz", boot);
	char *counts = xasprintf("%s/%s", folder, name);
	json_t *header = json_pack("{s:i, s:{s:s, s:b}, s:{}}", "seed", boot,
				   "machine", "mode", "exact", "icount", 1,
				   "absent");
	struct run_writer *w;
	size_t i;

	mkdir(folder, 0755);
	if (insns)
		json_object_set_new(header, "insns", json_pack("{s:s, s:i}",
				"file", name, "run", 0));
	w = run_writer_open(path, header);
	assert_non_null(w);
	for (i = 0; i < nr; i++) {
		double sum = sum_of(&n[i]);
		json_t *p = json_pack("{s:s, s:{}, s:s, s:i, s:{s:[f]},"
			" s:{s:{s:f, s:f, s:i, s:s}, s:{s:f, s:f, s:i, s:s}}}",
			"bench", points[i], "params", "status", "ok",
			"operations", 2, "batches", "instructions", sum,
			"counters", "instructions", "per_op", sum / 2,
			"total", sum, "operations", 2, "pass", "timed",
			"loads", "per_op", n[i].drawn / 2., "total",
			(double)n[i].drawn, "operations", 2, "pass", "region");

		assert_int_equal(run_writer_point(w, p), 0);
		json_decref(p);
	}
	assert_int_equal(run_writer_close(w, true), 0);
	write_insns(counts, points, n, nr);
	json_decref(header);
	free(counts);
	free(name);
	free(path);
	free(folder);
}

static struct side *load(const char *name)
{
	char *path = xasprintf("%s/%s", dir, name);
	struct side *s = side_load(path, NULL);

	assert_non_null(s);
	free(path);
	return s;
}

static const char *const points[] = { "t.one", "t.two" };

/* Two boots a side of @nr points, counted; loads them. */
static void make_sides(const struct counts *base, const struct counts *new,
		       size_t nr, struct side **b, struct side **n)
{
	static int pairs;
	char *base_name = xasprintf("base%d", pairs);
	char *new_name = xasprintf("new%d", pairs++);
	int i;

	for (i = 0; i < 2; i++) {
		write_boot(base_name, i, points, base + i * nr, nr, true);
		write_boot(new_name, i, points, new + i * nr, nr, true);
	}
	*b = load(base_name);
	*n = load(new_name);
	free(base_name);
	free(new_name);
}

static json_t *changes(void)
{
	return json_pack("{s:[{s:s}]}", "functions", "name", "changed");
}

static struct causes *causes_with(json_t *changed)
{
	struct causes *c = causes_new(changed);

	json_decref(changed);
	return c;
}

/* Two boots a side of @nr points: what each one's instructions differ by. */
static void find_causes(json_t *changed, const struct counts *base,
			const struct counts *new, size_t nr,
			struct cause *cause)
{
	struct causes *c = causes_with(changed);
	struct side *b, *n;
	size_t i;

	make_sides(base, new, nr, &b, &n);
	for (i = 0; i < nr; i++)
		assert_int_equal(causes_add(c, &b->points[i], &n->points[i],
					    "instructions"), i);
	causes_settle(c);
	for (i = 0; i < nr; i++)
		cause[i] = causes_of(c, i);
	causes_free(c);
	side_free(b);
	side_free(n);
}

/* What varies at one point is noise at the other, too, where it did not. */
static void noise_and_rest(void **state)
{
	const struct counts base[2][2] = {
		{ { 100, 20, 30, 7, 0 }, { 100, 20, 30, 5, 0 } },
		{ { 100, 20, 30, 9, 0 }, { 100, 20, 30, 5, 0 } },
	}, new[2][2] = {
		{ { 104, 26, 30, 7, 0 }, { 100, 20, 38, 6, 0 } },
		{ { 104, 26, 30, 1, 0 }, { 100, 20, 38, 6, 0 } },
	};
	struct causes *c = causes_with(changes());
	struct side *b, *n;
	struct cause cause;
	int i;

	(void)state;
	make_sides(&base[0][0], &new[0][0], 2, &b, &n);
	for (i = 0; i < 2; i++)
		assert_int_equal(causes_add(c, &b->points[i], &n->points[i],
					    "instructions"), i);
	assert_int_equal(causes_add(c, &b->points[0], &n->points[0], "loads"), 2);
	/* time is nothing that instructions make up */
	assert_int_equal(causes_add(c, &b->points[0], &n->points[0], "ns"), -1);
	causes_settle(c);

	cause = causes_of(c, 0);
	assert_float_equal(cause.part[CAUSE_CHANGED], 2, 0);
	assert_float_equal(cause.part[CAUSE_CALLED], 3, 0);
	assert_float_equal(cause.part[CAUSE_ELSEWHERE], 0, 0);
	assert_float_equal(cause_sum(&cause), 5, 0);
	assert_true(cause.noise);
	assert_float_equal(cause.low[BASE], 3.5, 0);
	assert_float_equal(cause.high[BASE], 4.5, 0);
	assert_float_equal(cause.low[NEW], .5, 0);

	assert_float_equal(cause.proof, 5, 0);
	/* its ranges touch */
	assert_float_equal(cause.noise_delta, 0, 0);

	/* unchanged code that changed code does not call proves nothing */
	cause = causes_of(c, 1);
	assert_float_equal(cause.part[CAUSE_ELSEWHERE], 4.5, 0);
	assert_float_equal(cause.proof, 0, 0);
	assert_false(cause.noise);

	/* only drawn() loads */
	cause = causes_of(c, 2);
	assert_float_equal(cause_sum(&cause), 0, 0);
	assert_true(cause.noise);
	causes_free(c);
	side_free(b);
	side_free(n);
}

/* Changed code is noise only where it varies itself. */
static void changed_varies(void **state)
{
	const struct counts base[2][2] = {
		{ { 100, 0, 0, 0, 0 }, { 100, 0, 0, 0, 0 } },
		{ { 102, 0, 0, 0, 0 }, { 100, 0, 0, 0, 0 } },
	}, new[2][2] = {
		{ { 104, 0, 0, 0, 0 }, { 104, 0, 0, 0, 0 } },
		{ { 104, 0, 0, 0, 0 }, { 104, 0, 0, 0, 0 } },
	};
	struct cause cause[2];

	(void)state;
	find_causes(changes(), &base[0][0], &new[0][0], 2, cause);
	assert_float_equal(cause_sum(&cause[0]), 0, 0);
	assert_true(cause[0].noise);
	assert_float_equal(cause[1].part[CAUSE_CHANGED], 2, 0);
	assert_false(cause[1].noise);
}

/* Changed code that varies proves a difference that is larger than that. */
static void changed_varies_less(void **state)
{
	const struct counts base[2] = { { 100, 0, 0, 0, 0 }, { 102, 0, 0, 0, 0 } };
	const struct counts new[2] = { { 110, 0, 0, 0, 0 }, { 108, 0, 0, 0, 0 } };
	struct cause cause;

	(void)state;
	find_causes(changes(), base, new, 1, &cause);
	assert_true(cause.noise_in_change);
	assert_float_equal(cause_sum(&cause), 0, 0);
	assert_float_equal(cause.proof, 4, 0);
}

/* What changed code calls proves nothing if it is noise at another point. */
static void called_varies(void **state)
{
	const struct counts base[2][2] = {
		{ { 100, 20, 0, 0, 0 }, { 100, 20, 0, 0, 0 } },
		{ { 100, 22, 0, 0, 0 }, { 100, 20, 0, 0, 0 } },
	}, new[2][2] = {
		{ { 100, 20, 0, 0, 0 }, { 100, 26, 0, 0, 0 } },
		{ { 100, 20, 0, 0, 0 }, { 100, 26, 0, 0, 0 } },
	};
	struct cause cause[2];

	(void)state;
	find_causes(changes(), &base[0][0], &new[0][0], 2, cause);
	assert_true(cause[0].noise_in_change);
	assert_float_equal(cause[1].part[CAUSE_CALLED], 3, 0);
	assert_float_equal(cause[1].proof, 0, 0);
	assert_false(cause[1].noise);
}

/* An interrupt has no caller, so it is one thing wherever it comes. */
static void interrupts(void **state)
{
	const struct counts base[2] = { { 1, 1, 1, 1, 0 }, { 1, 1, 1, 1, 6 } };
	const struct counts new[2] = { { 1, 1, 1, 1, 6 }, { 1, 1, 1, 1, 6 } };
	struct cause cause;

	(void)state;
	find_causes(NULL, base, new, 1, &cause);
	assert_float_equal(cause_sum(&cause), 0, 0);
	assert_float_equal(cause.low[BASE], 0, 0);
	assert_float_equal(cause.high[BASE], 3, 0);
}

/* One boot does not show what varies: it proves changed code, and nothing else. */
static void one_boot(void **state)
{
	const struct counts base = { 100, 20, 30, 7, 0 };
	const struct counts new = { 104, 26, 38, 7, 0 };
	struct causes *c = causes_with(changes());
	struct side *b, *n;
	struct cause cause;

	(void)state;
	write_boot("one-base", 1, points, &base, 1, true);
	write_boot("one-new", 1, points, &new, 1, true);
	b = load("one-base");
	n = load("one-new");
	assert_int_equal(causes_add(c, &b->points[0], &n->points[0],
				    "instructions"), 0);
	causes_settle(c);
	cause = causes_of(c, 0);
	assert_float_equal(cause_sum(&cause), 9, 0);
	assert_float_equal(cause.proof, 2, 0);
	assert_false(cause.noise);
	causes_free(c);
	side_free(b);
	side_free(n);
}

/* A boot without counts explains nothing. */
static void not_known(void **state)
{
	const struct counts one = { 1, 1, 1, 1, 1 };
	struct causes *c = causes_with(NULL);
	struct side *part, *two;

	(void)state;
	write_boot("part", 1, points, &one, 1, true);
	write_boot("part", 2, points, &one, 1, false);
	write_boot("two", 1, points, &one, 1, true);
	write_boot("two", 2, points, &one, 1, true);
	part = load("part");
	two = load("two");
	assert_int_equal(causes_add(c, &part->points[0], &two->points[0],
				    "instructions"), -1);
	assert_int_equal(causes_add(c, &two->points[0], &two->points[0],
				    "instructions"), 0);
	causes_free(c);
	side_free(part);
	side_free(two);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(noise_and_rest),
		cmocka_unit_test(changed_varies),
		cmocka_unit_test(changed_varies_less),
		cmocka_unit_test(called_varies),
		cmocka_unit_test(interrupts),
		cmocka_unit_test(one_boot),
		cmocka_unit_test(not_known),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
