/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Set by a signal handler to stop after the current batch. Functions that wait in a
 * loop check it and return -EINTR.
 */
#ifndef PTELAB_STOP_H
#define PTELAB_STOP_H

extern volatile int bench_stop;

#endif
