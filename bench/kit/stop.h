/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Set by a signal handler: end after the batch under way. What waits in a loop
 * looks at it and returns -EINTR.
 */
#ifndef PTELAB_STOP_H
#define PTELAB_STOP_H

extern volatile int bench_stop;

#endif
