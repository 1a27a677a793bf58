/* SPDX-License-Identifier: GPL-2.0 */
/* What the unit tests of analysis/ share: comparing doubles. */
#ifndef PTELAB_ANALYSIS_TEST_H
#define PTELAB_ANALYSIS_TEST_H

#include "tests/unit/test.h"

#include <math.h>

#include "lib/util.h"

#define TEST(name)	static void name(void **state __attribute__((unused)))
#define N(a)		(a), ARRAY_SIZE(a)

/* Within @tolerance, relative to @want; absolute where that is 0. */
#define near(got, want, tolerance) do {					\
	double got_ = (got), want_ = (want);				\
									\
	if (!(fabs(got_ - want_) <=					\
	      (tolerance) * (want_ != 0 ? fabs(want_) : 1)))		\
		fail_msg("%s is %.12g, not %.12g\n", #got, got_, want_); \
} while (0)

#endif
