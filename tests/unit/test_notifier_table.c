// SPDX-License-Identifier: GPL-2.0
/* The notifier family's table: every combination of parameters has a reason
 * why it can't be had, or a size; none of it changes anything. */
#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/harness/point.h"
#include "bench/notifier/notifier.h"
#include "lib/util.h"

static struct point_list all;

static int expand(void **state)
{
	static const char *const selector[] = { "notifier.*" };
	static const char *const params[] = {
		"secondary=none,module,kvm,kvm+module", "measure=op,guest",
		"folio=4k,64k,2m", "guest=read,write",
	};

	(void)state;
	return points_expand(selector, 1, params, ARRAY_SIZE(params), &all);
}

static int drop(void **state)
{
	(void)state;
	points_free(&all);
	return 0;
}

static void context(const struct point *p, struct bench_ctx *ctx)
{
	memset(ctx, 0, sizeof(*ctx));
	ctx->bench = p->bench;
	memcpy(ctx->value, p->value, sizeof(ctx->value));
	ctx->threads = 1;
}

static bool is_notifier(const struct point *p)
{
	return !strncmp(p->bench->name, "notifier.", 9);
}

static void said(const char *why)
{
	if (!why)
		return;
	assert_true(strlen(why) > 10);
	assert_null(strchr(why, '\n'));
}

static void reasons(void **state)
{
	size_t i, n = 0;

	(void)state;
	for (i = 0; i < all.nr; i++) {
		struct bench_ctx ctx;

		if (!is_notifier(&all.points[i]))
			continue;
		context(&all.points[i], &ctx);
		said(ctx.bench->unavailable(&ctx));
		n++;
	}
	assert_true(n > 300);
}

static void sizes(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < all.nr; i++) {
		uint64_t def = 0, max = 0;
		struct bench_ctx ctx;

		if (!is_notifier(&all.points[i]))
			continue;
		context(&all.points[i], &ctx);
		ctx.bench->size(&ctx, &def, &max);
		assert_in_range(def, 1, 1 << 20);
		assert_in_range(def, 1, max);
		/* the same however often it is asked, as long as memory is */
		if (nt_op(&ctx)->max_calls == 1 && !nt_measures_guest(&ctx))
			assert_int_equal(max, 1);
	}
}

/* Without a guest nothing of the guest's can be measured. */
static void guest_needs_a_vm(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < all.nr; i++) {
		struct bench_ctx ctx;

		if (!is_notifier(&all.points[i]))
			continue;
		context(&all.points[i], &ctx);
		if (nt_measures_guest(&ctx) && !nt_has_vm(&ctx))
			assert_non_null(strstr(ctx.bench->unavailable(&ctx),
					       "needs a guest"));
	}
}

static void every_one_has_the_common_parameters(void **state)
{
	const struct bench *const *b;

	(void)state;
	for (b = bench_all(); *b; b++) {
		if (strncmp((*b)->name, "notifier.", 9))
			continue;
		assert_true(param_has(*b, "secondary"));
		assert_true(param_has(*b, "measure"));
		assert_true(param_has(*b, "folio"));
		assert_true(strlen((*b)->op) > 5);
		assert_true(strlen((*b)->measures) > 10);
		assert_true(strlen((*b)->may_lie) > 10);
		assert_true((*b)->needs_root);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reasons), cmocka_unit_test(sizes),
		cmocka_unit_test(guest_needs_a_vm),
		cmocka_unit_test(every_one_has_the_common_parameters),
	};

	return cmocka_run_group_tests(tests, expand, drop);
}
