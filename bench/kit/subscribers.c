// SPDX-License-Identifier: GPL-2.0
/* See subscribers.h. */
#include "bench/kit/subscribers.h"

static bool had;

void subscribers_note(void)
{
	had = true;
}

bool subscribers_had(void)
{
	return had;
}
