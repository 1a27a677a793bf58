// SPDX-License-Identifier: GPL-2.0
/*
 * The family of barriers: what each costs, what goes wrong without, and how
 * long a store takes to be seen. What is in it; the rest is in barrier_*.c.
 */
#include "barrier.h"

#include <stddef.h>

const struct bench *const barrier_benches[] = {
	&barrier_cost, &barrier_publish,
	&barrier_mp, &barrier_sb, &barrier_lb, &barrier_s, &barrier_r,
	&barrier_2_2w, &barrier_wrc, &barrier_iriw,
	NULL
};
