// SPDX-License-Identifier: GPL-2.0
/* See insn_metrics.h. */
#include "lib/insn_metrics.h"

#include <string.h>

#include "lib/a64class.h"
#include "lib/util.h"

const char *const region_exception_metric[NR_EXCEPTIONS] = {
	[X_USER_SVC] = "exceptions.user_svc",
	[X_USER_ABORT] = "exceptions.user_abort",
	[X_USER_IRQ] = "exceptions.user_irq",
	[X_USER_OTHER] = "exceptions.user_other",
	[X_KERNEL_ABORT] = "exceptions.kernel_abort",
	[X_KERNEL_IRQ] = "exceptions.kernel_irq",
	[X_KERNEL_OTHER] = "exceptions.kernel_other",
	[X_GUEST_SYNC] = "exceptions.guest_sync",
	[X_GUEST_IRQ] = "exceptions.guest_irq",
};

static const char lines[] = "lines_touched";

void counts_absent(json_t *absent, bool icount)
{
	json_t *why = json_string(icount ?
		"counted by the emulator: boot with scripts/lab/boot --count, or --count=lines for lines_touched" :
		"counted only in the emulated machine (scripts/lab/boot --count)");
	size_t i;

	for (i = 0; i < NR_COUNTED_CLASSES; i++)
		if (a64_class_metric[i])
			json_object_set(absent, a64_class_metric[i], why);
	for (i = 0; i < NR_EXCEPTIONS; i++)
		json_object_set(absent, region_exception_metric[i], why);
	json_object_set(absent, lines, why);
	json_decref(why);
}

bool counts_metric(const char *metric)
{
	size_t i;

	for (i = 0; i < NR_COUNTED_CLASSES; i++)
		if (a64_class_metric[i] && !strcmp(a64_class_metric[i], metric))
			return true;
	for (i = 0; i < NR_EXCEPTIONS; i++)
		if (!strcmp(region_exception_metric[i], metric))
			return true;
	return !strcmp(metric, lines);
}

bool counts_detail(const char *metric)
{
	static const char *const telling[] = {
		"atomics", "exclusives", "tlbi", "dsb", "dmb", "lines_touched"
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(telling); i++)
		if (!strcmp(telling[i], metric))
			return false;
	return counts_metric(metric) && strncmp(metric, "exceptions.", 11);
}
