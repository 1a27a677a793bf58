/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the barrier family share. */
#ifndef PTELAB_BARRIER_H
#define PTELAB_BARRIER_H

#include "bench.h"

extern const struct bench barrier_cost, barrier_publish;
extern const struct bench barrier_mp, barrier_sb, barrier_lb, barrier_s,
	barrier_r, barrier_2_2w, barrier_wrc, barrier_iriw;

#endif
