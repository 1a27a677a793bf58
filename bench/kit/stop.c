// SPDX-License-Identifier: GPL-2.0
/* See stop.h. */
#include "bench/kit/stop.h"

volatile int bench_stop;
