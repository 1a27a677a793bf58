/* SPDX-License-Identifier: GPL-2.0 */
/* cmocka with what it needs before it, and without its fail() macro, which
 * stands in the way of lib/util.h's function; fail_msg() remains. */
#ifndef PTELAB_TEST_H
#define PTELAB_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#undef fail
#undef fail_msg
#define fail_msg(...) \
	do { print_error(__VA_ARGS__); _fail(__FILE__, __LINE__); } while (0)
/* cmocka's TAP has no room for a reason; tests/run takes it from this line. */
#define skip_for(reason) \
	do { print_message("# skip: %s\n", reason); skip(); } while (0)

#endif
