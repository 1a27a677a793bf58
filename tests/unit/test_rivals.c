// SPDX-License-Identifier: GPL-2.0
/* What make calibrate does in the place of other tools does what they do. */
#include "tests/unit/analysis_test.h"

#include "tests/calibrate/rivals.h"

/* The example of ministat(1). */
TEST(ministat)
{
	static const double iguana[] = { 50, 200, 150, 400, 750, 400, 150 };
	static const double chameleon[] = { 150, 400, 720, 500, 930 };
	double p, error;

	p = rival_student(N(iguana), N(chameleon), .80, &error);
	near(stat_mean(N(chameleon)) - stat_mean(N(iguana)), 240, 1e-12);
	/* its table of t has three decimals: 1.372 for 1.37218 */
	near(error, 212.215, 2e-4);
	assert_true(p > .05 && p < .20);
}

TEST(overlap)
{
	static const double a[] = { 1, 2, 3, 4 };
	double b[4], p;
	size_t i;

	/* two intervals of t(.975, 3) * sd / 2 each just touch at .05 */
	for (i = 0; i < 4; i++)
		b[i] = a[i] + 3.182446305 * sqrt(5. / 3);
	p = rival_overlap(N(a), N(b));
	near(p, .05, 1e-6);
	assert_true(rival_welch(N(a), N(b)) < p);
}

TEST(ranges)
{
	static const double a[] = { 1, 2, 3 }, b[] = { 3, 4 }, c[] = { 3.1, 9 };

	near(rival_ranges(N(a), N(b)), 1, 0);
	near(rival_ranges(N(a), N(c)), 0, 0);
	near(rival_ranges(N(c), N(a)), 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ministat),
		cmocka_unit_test(overlap),
		cmocka_unit_test(ranges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
