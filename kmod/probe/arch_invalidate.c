// SPDX-License-Identifier: GPL-2.0
/* Since 6.6; invalidate_range before. */
#include <linux/mmu_notifier.h>

void *probe(struct mmu_notifier_ops *ops);
void *probe(struct mmu_notifier_ops *ops)
{
	return &ops->arch_invalidate_secondary_tlbs;
}
