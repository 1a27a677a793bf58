/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Returns whether this process ever had mmu notifier subscriptions: a VM, or the
 * module's shadow TLB. An mm keeps its list of subscriptions when the last one is
 * gone, and the kernel still calls the notifier functions. So points without
 * subscribers can't be measured in this process any more.
 */
#ifndef PTELAB_SUBSCRIBERS_H
#define PTELAB_SUBSCRIBERS_H

#include <stdbool.h>

/* Call this before subscribing. */
void subscribers_note(void);
bool subscribers_had(void);

#endif
