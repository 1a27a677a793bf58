/* SPDX-License-Identifier: GPL-2.0 */
/* What the unit tests of analysis/ share: cmocka, and comparing doubles. */
#ifndef PTELAB_ANALYSIS_TEST_H
#define PTELAB_ANALYSIS_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#undef fail	/* lib/util.h has a function of this name */
#include <math.h>

#include "../../lib/util.h"

#define TEST(name)	static void name(void **state __attribute__((unused)))
#define N(a)		(a), ARRAY_SIZE(a)

#define failed_here(...) do {						\
	print_error(__VA_ARGS__);					\
	print_error("\n");						\
	_fail(__FILE__, __LINE__);					\
} while (0)

/* Within @tolerance, relative to @want; absolute where that is 0. */
#define near(got, want, tolerance) do {					\
	double got_ = (got), want_ = (want);				\
									\
	if (!(fabs(got_ - want_) <=					\
	      (tolerance) * (want_ != 0 ? fabs(want_) : 1)))		\
		failed_here("%s is %.12g, not %.12g", #got, got_, want_); \
} while (0)

#endif
