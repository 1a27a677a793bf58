// SPDX-License-Identifier: GPL-2.0
/*
 * Which points are chosen, of points whose blocks are given. What is made of
 * images and of a job's text is in tests/analysis/atlas.sh.
 */
#include "tests/unit/test.h"

#include <string.h>

#include "analysis/code/pick.h"
#include "lib/util.h"

#define MAX	100

/* An atlas that is put together point by point. */
struct world {
	struct atlas a;
	struct atlas_point points[MAX];
	uint64_t set[MAX], *runs[MAX];
	struct pick *out;
	size_t nr;
};

/* @blocks: a bit for each that the point runs; @ran: instructions of it. */
static void add(struct world *w, const char *bench, const char *folio,
		const char *secondary, uint64_t blocks, size_t ran)
{
	size_t i = w->a.nr_points++;

	w->a.points = w->points;
	w->points[i] = (struct atlas_point){ .bench = bench, .nr_ran = ran,
		.params = json_pack("{s:s, s:s}", "folio", folio, "secondary",
				    secondary) };
	w->set[i] = blocks;
	w->runs[i] = &w->set[i];
}

static void pick(struct world *w, size_t nr_blocks, size_t budget)
{
	free(w->out);
	w->nr = pick_points(&w->a, w->runs, NULL, nr_blocks, budget, &w->out);
}

static void end(struct world *w)
{
	size_t i;

	for (i = 0; i < w->a.nr_points; i++)
		json_decref((json_t *)w->points[i].params);
	free(w->out);
}

static void assert_pick(const struct world *w, size_t i, size_t point,
			  enum why_picked why)
{
	assert_true(i < w->nr);
	assert_int_equal(w->out[i].point, point);
	assert_int_equal(w->out[i].why, why);
}

/* The point with most, then what adds to it; not one that adds nothing. */
static void covers(void **state)
{
	struct world w = { 0 };

	(void)state;
	add(&w, "a.x", "4k", "none", 0x03, 1);
	add(&w, "a.x", "64k", "kvm", 0x3c, 1);
	add(&w, "a.x", "2m", "module", 0x0f, 1);
	pick(&w, 6, 80);
	assert_int_equal(w.nr, 2);
	assert_pick(&w, 0, 1, WHY_COVER);
	assert_pick(&w, 1, 0, WHY_COVER);
	end(&w);
}

/* Of two that run the same the first, which is nearer to the defaults. */
static void first_of_equals(void **state)
{
	struct world w = { 0 };

	(void)state;
	add(&w, "a.x", "4k", "none", 1, 1);
	add(&w, "a.x", "64k", "kvm", 1, 9);
	pick(&w, 1, 80);
	assert_int_equal(w.nr, 1);
	assert_pick(&w, 0, 0, WHY_COVER);
	end(&w);
}

/*
 * Those that differ in the listener before those that differ in the folio; of
 * other benchmarks, and those that differ in both, none.
 */
static void neighbour(void **state)
{
	struct world w = { 0 };

	(void)state;
	add(&w, "a.x", "4k", "none", 3, 1);
	add(&w, "a.x", "4k", "kvm", 1, 1);
	add(&w, "a.x", "64k", "none", 1, 1);
	add(&w, "a.x", "64k", "kvm", 1, 1);
	add(&w, "a.y", "4k", "none", 1, 1);
	pick(&w, 2, 80);
	assert_int_equal(w.nr, 4);
	assert_pick(&w, 0, 0, WHY_COVER);
	assert_pick(&w, 1, 4, WHY_BENCH);
	assert_pick(&w, 2, 1, WHY_NEIGHBOUR);
	assert_pick(&w, 3, 2, WHY_NEIGHBOUR);
	assert_string_equal(w.out[2].param, "secondary");
	assert_string_equal(w.out[3].param, "folio");
	assert_int_equal(w.out[3].of, 0);
	end(&w);
}

/* The busiest point of each benchmark, the busiest benchmark first. */
static void controls(void **state)
{
	static const char *const bench[] = { "c.0", "c.1", "c.2", "c.3", "c.4",
					     "c.5", "c.6", "c.7" };
	struct world w = { 0 };
	size_t i;

	(void)state;
	add(&w, "a.x", "4k", "none", 1, 1000);
	for (i = 0; i < ARRAY_SIZE(bench); i++) {
		add(&w, bench[i], "4k", "none", 0, 10);
		add(&w, bench[i], "64k", "none", 0, 100 + i);
	}
	pick(&w, 1, 80);
	assert_int_equal(w.nr, 1 + PICK_CONTROLS);
	for (i = 0; i < PICK_CONTROLS; i++)
		assert_pick(&w, 1 + i, 2 * (ARRAY_SIZE(bench) - i),
			      WHY_CONTROL);
	/* not one that a tick fell into */
	w.points[2 * ARRAY_SIZE(bench)].interrupted = true;
	pick(&w, 1, 80);
	assert_pick(&w, 1, 2 * (ARRAY_SIZE(bench) - 1), WHY_CONTROL);
	/* and nothing but these, if no point runs any of it */
	w.set[0] = 0;
	pick(&w, 1, 80);
	assert_int_equal(w.nr, PICK_CONTROLS);
	assert_pick(&w, 0, 0, WHY_CONTROL);
	end(&w);
}

/*
 * A benchmark's points that differ in more than neighbours do, half of what
 * room there is; what runs most of it first.
 */
static void kinds(void **state)
{
	static const char *const dir[] = { "up", "down", "both", "none" };
	struct world w = { 0 };
	size_t i;

	(void)state;
	add(&w, "a.x", "4k", "none", 0xff, 1);
	for (i = 0; i < ARRAY_SIZE(dir); i++)
		add(&w, "a.x", "4k", "none", (2U << i) - 1, 1);
	add(&w, "a.x", "4k", "kvm", 1, 1);
	for (i = 0; i < ARRAY_SIZE(dir); i++)
		json_object_set_new((json_t *)w.points[1 + i].params, "dir",
				    json_string(dir[i]));
	json_object_set_new((json_t *)w.points[0].params, "dir",
			    json_string("other"));
	json_object_set_new((json_t *)w.points[5].params, "dir",
			    json_string("other"));
	pick(&w, 8, 10);	/* 5, and room for as many controls */
	assert_int_equal(w.nr, 4);
	assert_pick(&w, 0, 0, WHY_COVER);
	assert_pick(&w, 1, 4, WHY_KIND);
	assert_pick(&w, 2, 3, WHY_KIND);
	assert_pick(&w, 3, 5, WHY_NEIGHBOUR);
	end(&w);
}

static void budget(void **state)
{
	struct world w = { 0 };
	size_t i, n, kinds[5];

	(void)state;
	for (i = 0; i < 40; i++)
		add(&w, "a.x", "4k", "none", 1ULL << i, 1);
	for (i = 0; i < 10; i++)
		add(&w, i % 2 ? "b.x" : "b.y", "4k", "none", 0, 1);
	for (n = 1; n < 60; n += 7) {
		memset(kinds, 0, sizeof(kinds));
		pick(&w, 40, n);
		assert_true(w.nr <= n);
		for (i = 0; i < w.nr; i++)
			kinds[w.out[i].why]++;
		assert_int_equal(kinds[WHY_CONTROL], n > 3 ? 2 : n / 2);
		assert_int_equal(kinds[WHY_COVER], n < 12 ? n - n / 2 :
				 n < 46 ? n - PICK_CONTROLS : 40);
	}
	end(&w);
}

/* Nothing differs that a point could run. */
static void no_blocks(void **state)
{
	struct world w = { 0 };

	(void)state;
	add(&w, "a.x", "4k", "none", 0, 1);
	pick(&w, 0, 80);
	assert_int_equal(w.nr, 1);
	assert_pick(&w, 0, 0, WHY_CONTROL);
	end(&w);
	memset(&w, 0, sizeof(w));
	pick(&w, 0, 80);
	assert_int_equal(w.nr, 0);
	end(&w);
}

/* Where set-up runs it, each parameter may matter; where an operation does, three. */
static void set_up_has_more_neighbours(void **state)
{
	const bool set_up[MAX] = { true };
	struct world w = { 0 };
	size_t i;

	(void)state;
	add(&w, "a.x", "4k", "none", 0x03, 1);
	add(&w, "a.x", "64k", "none", 0, 1);
	add(&w, "a.x", "64k", "kvm", 0, 1);
	json_object_set_new((json_t *)w.points[0].params, "guest", json_string("nc"));
	json_object_set_new((json_t *)w.points[1].params, "guest", json_string("nc"));
	json_object_set_new((json_t *)w.points[2].params, "guest", json_string("wb"));
	add(&w, "a.x", "4k", "none", 0, 1);
	json_object_set_new((json_t *)w.points[3].params, "guest", json_string("wb"));
	for (i = 0; i < 2; i++) {
		free(w.out);
		w.nr = pick_points(&w.a, w.runs, i ? set_up : NULL, 6, 80, &w.out);
		assert_pick(&w, 0, 0, WHY_COVER);
		/* the others are points that run none of it */
		assert_true(w.nr > 1);
		assert_pick(&w, 1, i ? 1 : w.out[1].point, i ? WHY_NEIGHBOUR : WHY_CONTROL);
	}
	assert_pick(&w, 2, 3, WHY_NEIGHBOUR);
	assert_string_equal(w.out[2].param, "guest");
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(covers),
		cmocka_unit_test(first_of_equals),
		cmocka_unit_test(neighbour),
		cmocka_unit_test(controls),
		cmocka_unit_test(kinds),
		cmocka_unit_test(budget),
		cmocka_unit_test(no_blocks),
		cmocka_unit_test(set_up_has_more_neighbours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
