/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the barrier family share. */
#ifndef PTELAB_BARRIER_H
#define PTELAB_BARRIER_H

#include "bench.h"

extern const struct bench barrier_cost;

#endif
