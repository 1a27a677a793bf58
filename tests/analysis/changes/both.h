/* SPDX-License-Identifier: GPL-2.0 */
#define noinline __attribute__((noinline, noclone))

#ifdef CHANGE_CONSTANT
#define CONSTANT 34567
#else
#define CONSTANT 34569
#endif

#ifdef CHANGE_CALLEE
#define CALLEE other_helper
#else
#define CALLEE helper
#endif

#ifdef CHANGE_TWIN
#define TWIN_A 5
#else
#define TWIN_A 0
#endif

#ifdef CHANGE_TEXT
#define TEXT "a text"
#else
#define TEXT "A text"
#endif

#ifdef CHANGE_OPS
#define OPENS op_close
#else
#define OPENS op_open
#endif

#ifdef CHANGE_WORD
#define WORD "earth"
#else
#define WORD "world"
#endif

#ifdef CHANGE_KEY
#define KEY "key_b"
#else
#define KEY "key_a"
#endif

#ifdef CHANGE_FIXUP
#define FIXUP "3"
#else
#define FIXUP "2"
#endif

#ifdef CHANGE_INSTEAD
#define INSTEAD "dsb sy"
#else
#define INSTEAD "isb"
#endif

#ifdef CHANGE_SWITCH
#define SWITCHED 8
#else
#define SWITCHED 9
#endif

#ifdef CHANGE_BRANCH
#define BRANCH "2f"
#else
#define BRANCH "1f"
#endif

#ifdef CHANGE_COLD
#define COLD_TEXT "cold after all"
#else
#define COLD_TEXT "cold"
#endif

void say(const char *text);
void cold_say(const char *text) __attribute__((cold));
extern int shared_counter;

static inline int inlined(int x)
{
#ifdef CHANGE_INLINE
	if (x > 1000)
		return shared_counter;
#endif
	return x * 3 + shared_counter;
}
