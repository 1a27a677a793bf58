// SPDX-License-Identifier: GPL-2.0
/* arm64 since 6.9, if configured. */
#include <linux/pgtable.h>

pte_t probe(pte_t *ptep);
pte_t probe(pte_t *ptep)
{
	return contpte_ptep_get_lockless(ptep);
}
