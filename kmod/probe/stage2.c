// SPDX-License-Identifier: GPL-2.0
/* arm64 with KVM, since file_is_kvm() in 5.18. */
#include <linux/kvm_host.h>
#include <asm/kvm_pgtable.h>

u64 probe(struct file *file);
u64 probe(struct file *file)
{
	struct kvm *kvm = file->private_data;
	struct kvm_pgtable *pgt = kvm->arch.mmu.pgt;
	const kvm_pte_t *table = (const kvm_pte_t *)pgt->pgd;

	return file_is_kvm(file) ? kvm_pte_to_phys(*table) >> pgt->ia_bits : 0;
}
