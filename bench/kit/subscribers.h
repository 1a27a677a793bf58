/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Whether this process has ever had mmu notifier subscriptions: a VM, or the
 * module's shadow TLB. An mm keeps its list of subscriptions when the last one
 * is gone, and the kernel calls the notifiers' functions to find nobody there.
 * So what must be measured without any cannot be measured in this process again.
 */
#ifndef PTELAB_SUBSCRIBERS_H
#define PTELAB_SUBSCRIBERS_H

#include <stdbool.h>

/* Call this before subscribing. */
void subscribers_note(void);
bool subscribers_had(void);

#endif
