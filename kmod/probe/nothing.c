// SPDX-License-Identifier: GPL-2.0
#include <linux/mmu_notifier.h>
