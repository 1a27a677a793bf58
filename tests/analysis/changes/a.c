/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A kernel's worth of shapes, as little of each as shows. changes.sh compiles
 * it with one CHANGE_x at a time.
 */
#include "both.h"

extern int shared_counter;
int global_table[4] = { 1, 2, 3, 4 };
const char *const greetings[] = { "hello", WORD, "bye" };

#ifdef CHANGE_MOVED
noinline int in_front(int x)
{
	return x * 12345 + shared_counter;
}
#endif

static noinline int helper(int x)
{
	return x * CONSTANT + global_table[x & 3];
}

static noinline int other_helper(int x)
{
	return x ^ global_table[x & 1];
}

/* The other file has one of this name, too. */
static noinline int twin(int x)
{
	shared_counter += x;
	return x - 1 - TWIN_A;
}

int calls(int x)
{
	return CALLEE(x + 1) + twin(x);
}

int branches(int x)
{
	if (x > 10)
		say("more");
	else if (x < -10)
		say("less");
	return x;
}

void texts(void)
{
	say(TEXT);
	say("always the same");
}

static int op_open(int x) { return x + 1; }
static int op_close(int x) { return x + 2; }
static int op_other(int x) { return x + 3; }

struct ops {
	const char *name;
	int (*open)(int x);
	int (*close)(int x);
};

const struct ops test_ops = { "test", op_open, op_close };
const struct ops other_ops = { "other", OPENS, op_other };

int keyed(int x)
{
	asm goto("1: nop\n"
		 ".pushsection __jump_table, \"a\"\n"
		 ".align 3\n"
		 ".long 1b - ., %l[yes] - .\n"
		 ".quad " KEY " - .\n"
		 ".popsection" : : : : yes);
	return x;
yes:
#ifdef CHANGE_KEYED
	shared_counter = 5;
#endif
	say("key is on");
	return x + 1;
}

int may_fault(int x)
{
	asm volatile("1: ldr %w0, [%1]\n"
		     "2:\n"
		     ".pushsection __ex_table, \"a\"\n"
		     ".align 2\n"
		     ".long 1b - ., 2b - .\n"
		     ".short " FIXUP ", 0\n"
		     ".popsection" : "+r"(x) : "r"(&shared_counter));
	return x;
}

int has_alternative(int x)
{
	asm volatile("1: nop\n"
		     ".pushsection .altinstructions, \"a\"\n"
		     ".long 1b - ., 2f - .\n"
		     ".short 7\n"
		     ".byte 4, 4\n"
		     ".popsection\n"
		     ".subsection 1\n"
		     "2: " INSTEAD "\n"
		     ".previous" : : : "memory");
	return x + 4;
}

#ifdef CHANGE_LINE
/*
 *
 */
#endif
void warns(int x)
{
	if (x == 3)
		asm volatile("1: brk #0x800\n"
			     ".pushsection __bug_table, \"a\"\n"
			     ".align 2\n"
			     ".long 1b - ., 2f - .\n"
			     ".short %0, 0\n"
			     ".popsection\n"
			     ".pushsection .rodata.str, \"aMS\", @progbits, 1\n"
			     "2: .string \"a.c\"\n"
			     ".popsection" : : "i"(__LINE__));
	say("warns");
}

/* A switch whose table stands in .rodata without a name. */
int switches(int x)
{
	switch (x) {
	case 0: return helper(7);
	case 1: say("one"); return 2;
	case 2: return twin(SWITCHED);
	case 3: say("three"); return 9;
	case 4: return other_helper(99);
	case 5: say("five"); return 1;
	case 6: return shared_counter;
	}
	return 0;
}

/* What runs seldom is put into splits.cold. */
int splits(int x)
{
	if (__builtin_expect(x == 77, 0)) {
		cold_say(COLD_TEXT);
		x += shared_counter;
		cold_say("and again");
	}
#ifdef CHANGE_SPLIT
	x *= 3;
	shared_counter += x;
#endif
	return twin(x) + helper(x);
}

int inlines_a(int x)
{
	return inlined(x) + 1;
}

#ifndef CHANGE_GONE
noinline int goes(int x)
{
	return x * 77;
}
#endif

#ifdef CHANGE_NEW
noinline int comes(int x)
{
	shared_counter = x;
	return x * 78;
}
#endif

/* What an alternative leads to, on CPUs that have number 7. */
asm(".text\n"
    ".type gated, %function\n"
    "gated:\n"
    "1:	nop\n"
    ".pushsection .altinstructions, \"a\"\n"
    ".long 1b - ., 2f - .\n"
    ".short 7\n"
    ".byte 4, 4\n"
    ".popsection\n"
    ".subsection 1\n"
    "2:	b 3f\n"
    ".previous\n"
    "	add	x0, x0, #1\n"
    "	ret\n"
#ifdef CHANGE_GATED
    "3:	add	x0, x0, #8\n"
    "	add	x0, x0, #2\n"
#else
    "3:	add	x0, x0, #2\n"
#endif
    "	ret\n"
    ".size gated, . - gated\n");

/* Nothing but where a branch goes to may tell two builds apart. */
asm(".text\n"
    ".type jumps, %function\n"
    "jumps:\n"
    "	cbz	x0, " BRANCH "\n"
    "	add	x1, x1, #1\n"
    "1:	add	x1, x1, #1\n"
    "2:	ret\n"
    ".size jumps, . - jumps\n");
