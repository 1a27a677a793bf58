// SPDX-License-Identifier: GPL-2.0
/* arm64 with KVM, whose page tables have had a header since 5.18. */
#include <linux/kvm_host.h>
#include <asm/kvm_pgtable.h>

u64 probe(struct kvm *kvm);
u64 probe(struct kvm *kvm)
{
	struct kvm_pgtable *pgt = kvm->arch.mmu.pgt;
	const kvm_pte_t *table = (const kvm_pte_t *)pgt->pgd;

	return kvm_pte_to_phys(*table) >> pgt->ia_bits;
}
