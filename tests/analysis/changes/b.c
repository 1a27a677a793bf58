/* SPDX-License-Identifier: GPL-2.0 */
#include "both.h"

int shared_counter = 1;
long key_a[2], key_b[2] = { 1 };

static noinline int twin(int x)
{
	static int calls;

	return x * 7 + ++calls;
}

int calls_b(int x)
{
	return twin(x + 3);
}

noinline void say(const char *text)
{
	shared_counter += *text;
}

noinline void cold_say(const char *text)
{
	shared_counter -= *text;
}

int inlines_b(int x)
{
	return inlined(x) - 1;
}
