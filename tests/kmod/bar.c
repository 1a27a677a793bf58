// SPDX-License-Identifier: GPL-2.0
/*
 * Who has a BAR when: a file that stored to it keeps it mapped, but stands in
 * nobody's way. A driver can have the device, and the device can go, also while
 * another thread stores to it. That the kernel has nothing to say to this is
 * for the caller to see, in its log.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/util.h"
#include "tests/kmod/test.h"

/* A device of the lab's that nobody uses, and the only one of its kind */
#define ADDRESS	0xf0U
#define BAR	2
#define NAME	"0000:00:1e.0"
#define DEVICE	"/sys/bus/pci/devices/" NAME
#define DRIVER	"/sys/bus/pci/drivers/vfio-pci"
/* It wants an IOMMU, or this; no program opens the device here. */
#define UNSAFE	"/sys/module/vfio/parameters/enable_unsafe_noiommu_mode"
#define ROUNDS	20

static uint64_t words[8] = { 0x1122334455667788ULL };

static int call(int fd, unsigned int op, unsigned int bar, uint64_t *data)
{
	struct ptelab_mmio m = {
		.address = ADDRESS, .bar = bar, .map = PTELAB_MMIO_IOREMAP,
		.op = op, .sequence = PTELAB_MMIO_RAW64, .group = 64,
		.window = sizeof(words), .step = 64, .groups = 1,
		.data = (uintptr_t)data,
	};

	return kmod_mmio(fd, &m);
}

static int store(int fd)
{
	return call(fd, PTELAB_MMIO_STORE, BAR, words);
}

/* Whether the kernel's list of who has which memory names the module */
static bool held(void)
{
	FILE *f = fopen("/proc/iomem", "re");
	char line[256];
	bool found = false;

	while (f && fgets(line, sizeof(line), f))
		found |= !!strstr(line, ": ptelab\n");
	if (f)
		fclose(f);
	return found;
}

static void expect_stored(int fd, const char *when)
{
	uint64_t back[8] = { 0 };

	words[0]++;
	check_eq(-store(fd), 0, "%s: stores", when);
	check_eq(-call(fd, PTELAB_MMIO_READ, BAR, back), 0, "%s: reads", when);
	check(back[0] == words[0], "%s: what was stored", when);
	check(held(), "%s: held", when);
}

static bool bound(void)
{
	return !access(DEVICE "/driver", F_OK);
}

static bool bind(void)
{
	return put_file(DEVICE "/driver_override", "vfio-pci") &&
	       put_file(DRIVER "/bind", NAME) && bound();
}

static bool unbind(void)
{
	return put_file(DRIVER "/unbind", NAME) &&
	       put_file(DEVICE "/driver_override", "\n") && !bound();
}

static bool there(void)
{
	return !access(DEVICE, F_OK);
}

static bool take_out(void)
{
	return put_file(DEVICE "/remove", "1") && !there();
}

/* Also on, as a device that comes is off */
static bool put_in(void)
{
	return put_file("/sys/bus/pci/rescan", "1") &&
	       put_file(DEVICE "/enable", "1");
}

static void test_held(int fd, int other)
{
	expect_stored(fd, "first");
	check_eq(-store(other), EBUSY, "another file");
	check_eq(-call(fd, PTELAB_MMIO_STORE, 5, words), ENXIO, "no such BAR");
	check(!held(), "a call that fails lets go");
	expect_stored(other, "another file then");
	check_eq(-store(fd), EBUSY, "and the first no more");
	close(other);
	check(!held(), "so does closing");
	expect_stored(fd, "the first again");
}

static void test_driver(int fd)
{
	if (access(DRIVER, F_OK)) {
		skip("a driver: no vfio-pci in this kernel");
		return;
	}
	expect_stored(fd, "before a driver");
	check(bind(), "a driver has the device");
	check(!held(), "with a driver: not held");
	check_eq(-store(fd), EBUSY, "with a driver: stores");
	check(!held(), "with a driver: nor after a call");
	check(unbind(), "the driver is gone");
	expect_stored(fd, "after a driver");
	/* It comes and goes between two calls. */
	check(bind() && unbind(), "a driver comes and goes");
	check(!held(), "is not held again by itself");
	expect_stored(fd, "after both");
}

static void test_removal(int fd)
{
	int other = open_device();

	expect_stored(fd, "before the removal");
	check(take_out(), "the device is removed");
	check(!held(), "without a device: not held");
	check_eq(-store(fd), ENXIO, "without a device: stores");
	check(put_in(), "the device is back");
	expect_stored(fd, "when it is back");

	/* A file that is closed only then, without another call */
	check(take_out(), "the device is removed again");
	close(fd);
	check(put_in(), "the device is back again");
	expect_stored(other, "another file when it is back");

	/* Another device, as far as the file can tell. */
	check(take_out() && put_in(), "the device is another between two calls");
	expect_stored(other, "the other device");
	close(other);
}

/* Whether the device decodes its memory BARs */
static bool decode(bool on)
{
	int config = open(DEVICE "/config", O_RDWR | O_CLOEXEC);
	uint16_t command = 0;
	bool good = pread(config, &command, 2, PCI_COMMAND) == 2;

	command = on ? command | PCI_COMMAND_MEMORY :
		       command & ~PCI_COMMAND_MEMORY;
	good = good && pwrite(config, &command, 2, PCI_COMMAND) == 2;
	close(config);
	return good;
}

static void test_decode(int fd)
{
	expect_stored(fd, "before the device is deaf");
	check(decode(false), "the device decodes no memory");
	check_eq(-store(fd), ENODEV, "a deaf device: stores");
	check(!held(), "a deaf device: not held");
	check(decode(true), "the device decodes memory again");
	expect_stored(fd, "when it decodes again");
}

/* --- at the same time --- */

static bool quit;
static uint64_t results[200];

static void *storer(void *arg)
{
	int fd = open_device();

	while (!__atomic_load_n(&quit, __ATOMIC_RELAXED)) {
		struct ptelab_mmio m = {
			.address = ADDRESS, .bar = BAR,
			.sequence = PTELAB_MMIO_RAW64, .group = 64,
			.window = 64, .step = 64, .groups = 1000,
			.data = (uintptr_t)words,
		};
		int ret = -kmod_mmio(fd, &m);

		__atomic_fetch_add(&results[ret < 200 ? ret : 199], 1,
				   __ATOMIC_RELAXED);
	}
	close(fd);
	return arg;
}

static uint64_t calls(void)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(results); i++)
		sum += __atomic_load_n(&results[i], __ATOMIC_RELAXED);
	return sum;
}

/* Until they have done something in the state that there is now */
static void let_them(void)
{
	uint64_t since = calls();

	while (calls() < since + 4)
		usleep(1000);
}

static void test_race(void)
{
	static const int may[] = { 0, EBUSY, ENXIO, ENODEV };
	const bool driver = !access(DRIVER, F_OK);
	pthread_t thread[2];
	unsigned int i, bad = 0;
	uint64_t expected = 0;

	for (i = 0; i < ARRAY_SIZE(thread); i++)
		if (pthread_create(&thread[i], NULL, storer, NULL))
			give_up("no thread");
	for (i = 0; i < ROUNDS; i++) {
		let_them();
		bad += !take_out();
		bad += held();
		let_them();
		bad += !put_in();
		if (!driver)
			continue;
		let_them();
		bad += !bind();
		bad += held();
		let_them();
		bad += !unbind();
	}
	let_them();
	__atomic_store_n(&quit, true, __ATOMIC_RELAXED);
	for (i = 0; i < ARRAY_SIZE(thread); i++)
		pthread_join(thread[i], NULL);
	check_eq(bad, 0, "at the same time: refused, or held");
	for (i = 0; i < ARRAY_SIZE(may); i++)
		expected += results[may[i]];
	check_eq(calls(), expected, "at the same time: as before and after");
	check(results[0] && results[ENXIO] && results[EBUSY],
	      "at the same time: %llu stored, %llu had no device, %llu were too late or too early",
	      (unsigned long long)results[0],
	      (unsigned long long)results[ENXIO],
	      (unsigned long long)results[EBUSY]);
	check(!held(), "at the end: not held");
}

void test_bar(void)
{
	int fd = open_device();

	if (!has(PTELAB_FEAT_MMIO) || !put_file(DEVICE "/enable", "1")) {
		skip("a BAR: no PCI device " NAME);
		close(fd);
		return;
	}
	put_file(UNSAFE, "Y");
	test_held(fd, open_device());
	test_driver(fd);
	test_decode(fd);
	test_removal(fd);
	test_race();
	put_file(UNSAFE, "N");
}

/* --- a kernel that is locked down, as far as lockdown.h has it --- */

#define LOCKDOWN	"/proc/sys/kernel/panic"

static void expect_refused(int ret, const char *what)
{
	check_eq(-ret, EPERM, "%s", what);
	check(!strchr(fail_text(), '\n') && strstr(fail_text(), "locked down"),
	      "%s: says \"%s\"", what, fail_text());
}

void test_lockdown(void)
{
	int fd = open_device(), other;

	put_file(DEVICE "/enable", "1");
	expect_stored(fd, "before the lockdown");
	check(put_file(LOCKDOWN, "1"), "integrity");
	expect_refused(store(fd), "integrity: stores to a BAR");
	other = kmod_open(NULL);
	check(other >= 0, "integrity: opens");
	close(other);
	check(put_file(LOCKDOWN, "2"), "confidentiality");
	expect_refused(kmod_open(NULL), "confidentiality: opens");
	check(put_file(LOCKDOWN, "-1"), "none");
	expect_stored(fd, "after the lockdown");
	close(fd);
}
