// SPDX-License-Identifier: GPL-2.0
/* Gone since 6.10. */
#include <linux/mmu_notifier.h>

void *probe(struct mmu_notifier_ops *ops);
void *probe(struct mmu_notifier_ops *ops)
{
	return &ops->change_pte;
}
