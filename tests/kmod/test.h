/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of ptelab.ko share. A test prints one line for each thing it
 * checks, "ok TEXT", "not ok TEXT" or "skip TEXT"; the program exits with 1 if
 * any was not ok.
 */
#ifndef KMOD_TEST_H
#define KMOD_TEST_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "lib/kmod.h"

#define KIB	1024UL
#define MIB	(1024UL * KIB)
#define MIN(a, b)	((a) < (b) ? (a) : (b))
#define BLOCK	(64 * KIB)	/* contpte with 4K pages */

extern unsigned int failures;

void check(bool good, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void skip(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Prints the text and ends the program with 2: nothing can be tested. */
void give_up(const char *fmt, ...)
	__attribute__((format(printf, 1, 2), noreturn));

#define check_eq(a, b, ...) do {					\
	unsigned long long __a = (a), __b = (b);			\
	char __t[200];							\
									\
	snprintf(__t, sizeof(__t), __VA_ARGS__);			\
	check(__a == __b, "%s: %llu, expected %llu", __t, __a, __b);	\
} while (0)

/* The device, or the end */
int open_device(void);
/* What it can do, PTELAB_FEAT_* */
bool has(unsigned int feature);

/*
 * Anonymous memory, aligned to its own size, of folios of one size: 0 the base
 * page, else 64K or 2M. Not populated. NULL if the kernel has no such folios.
 */
void *get_memory(size_t len, size_t folio);
void put_memory(void *p, size_t len);
/* One store to each page */
void write_pages(void *p, size_t len);
void read_pages(void *p, size_t len);
/* A field of /proc/vmstat, exact */
uint64_t vmstat(const char *field);
/* Writes a file, such as one of sysfs; false if that fails. */
bool put_file(const char *path, const char *text);
/* A child that does nothing, but has the caller's memory */
pid_t fork_idle(void);
void end_child(pid_t pid);
/* The same numbers for the same seed */
uint64_t random_next(uint64_t *state);
uint64_t below(uint64_t *state, uint64_t n);
unsigned int nr_cpus(void);
void pin_to(int cpu);
double now_s(void);

/* Each is one test, by name; see main.c. */
void test_abi(void);
void test_ptes(void);
void test_notify(void);
void test_shadow(void);
void test_gup(void);
void test_retry(void);
void test_load(void);
void test_barrier(void);
void test_bar(void);
void test_lockdown(void);
void test_watch(int argc, char **argv);
void test_fuzz(int argc, char **argv);
void test_life(int argc, char **argv);
/* In a process of its own; does not return. */
void fuzz_until_killed(uint64_t seed) __attribute__((noreturn));

#endif
