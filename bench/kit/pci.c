// SPDX-License-Identifier: GPL-2.0
/* See pci.h. */
#include "bench/kit/pci.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/journal.h"
#include "lib/util.h"

const char *pci_root = "/sys/bus/pci";

#define MAX_BARS	6
/* from include/linux/ioport.h */
#define IORESOURCE_MEM		0x200
#define IORESOURCE_PREFETCH	0x2000

char *pci_file(const struct pci_bar *bar, const char *name)
{
	return xasprintf("%s/devices/%s/%s", pci_root, bar->address, name);
}

static uint64_t number_in(const char *address, const char *name)
{
	char *text = read_line("%s/devices/%s/%s", pci_root, address, name);
	uint64_t v = text ? strtoull(text, NULL, 0) : 0;

	free(text);
	return v;
}

static void driver_of(const char *address, char *driver, size_t size)
{
	char *path = xasprintf("%s/devices/%s/driver", pci_root, address);
	char target[256], *base;
	ssize_t n = readlink(path, target, sizeof(target) - 1);

	free(path);
	*driver = 0;
	if (n <= 0)
		return;
	target[n] = 0;
	base = strrchr(target, '/');
	snprintf(driver, size, "%s", base ? base + 1 : target);
}

/* --- names --- */

/* Gets "0000:00:03.0" from that or from "00:03.0"; false if @s is neither. */
static bool parse_address(const char *s, char address[16])
{
	unsigned int domain = 0, bus, dev, fn;
	int end = 0;

	if ((sscanf(s, "%4x:%2x:%2x.%1x%n", &domain, &bus, &dev, &fn,
		    &end) == 4 && !s[end])) {
		/* a complete address */
	} else {
		end = 0;
		domain = 0;
		if (sscanf(s, "%2x:%2x.%1x%n", &bus, &dev, &fn, &end) != 3 ||
		    s[end])
			return false;
	}
	snprintf(address, 16, "%04x:%02x:%02x.%x", domain & 0xffff, bus & 0xff,
		 dev & 0x1f, fn & 7);
	return true;
}

static bool parse_ids(const char *s, unsigned int *vendor, unsigned int *device)
{
	int end = 0;

	return strlen(s) == 9 &&
	       sscanf(s, "%4x:%4x%n", vendor, device, &end) == 2 && end == 9;
}

/* Splits "/sys/.../0000:00:03.0/resource2_wc" into address and number. */
static bool parse_path(const char *s, char address[16], unsigned int *nr)
{
	const char *file = strrchr(s, '/'), *dir;
	char part[32];

	if (*s != '/' || strncmp(file, "/resource", 9) || !isdigit(file[9]))
		return false;
	for (dir = file; dir > s && dir[-1] != '/'; dir--)
		;
	snprintf(part, sizeof(part), "%.*s", (int)(file - dir), dir);
	*nr = file[9] - '0';
	return parse_address(part, address);
}

/* Finds the only device with these ids. */
static int find_ids(unsigned int vendor, unsigned int device, char address[16])
{
	char *dir = xasprintf("%s/devices", pci_root), found[128] = "";
	unsigned int nr = 0;
	struct dirent *e;
	DIR *d = opendir(dir);

	free(dir);
	while (d && (e = readdir(d))) {
		if (*e->d_name == '.' ||
		    number_in(e->d_name, "vendor") != vendor ||
		    number_in(e->d_name, "device") != device)
			continue;
		if (strlen(found) + strlen(e->d_name) + 3 < sizeof(found)) {
			if (nr)
				strcat(found, ", ");
			strcat(found, e->d_name);
		}
		if (!nr++)
			snprintf(address, 16, "%s", e->d_name);
	}
	if (d)
		closedir(d);
	if (nr == 1)
		return 0;
	if (nr)
		return fail(EINVAL, "bar=%04x:%04x: %u devices match; give the address of one: %s",
			    vendor, device, nr, found);
	return fail(ENODEV, "bar=%04x:%04x: there is no such PCI device; see lspci -n",
		    vendor, device);
}

/* --- BARs --- */

/* Parses line @nr of the file "resource": start, end, flags. */
static bool bar_line(const char *text, unsigned int nr, struct pci_bar *bar)
{
	uint64_t start, end, flags;

	while (nr--) {
		text = strchr(text, '\n');
		if (!text)
			return false;
		text++;
	}
	if (sscanf(text, "%" SCNx64 " %" SCNx64 " %" SCNx64, &start, &end,
		   &flags) != 3 || !(flags & IORESOURCE_MEM) || end <= start)
		return false;
	bar->phys = start;
	bar->size = end - start + 1;
	bar->prefetchable = flags & IORESOURCE_PREFETCH;
	return true;
}

static int choose_bar(struct pci_bar *bar, int nr)
{
	char *path = pci_file(bar, "resource"), *text = read_file(path, NULL);
	struct pci_bar best = *bar, b;
	bool any = false;
	int i;

	free(path);
	if (!text)
		return fail(ENODEV, "bar=%s: there is no such PCI device; see ls %s/devices",
			    bar->address, pci_root);
	for (i = 0; i < MAX_BARS; i++) {
		b = *bar;
		b.nr = i;
		if ((nr >= 0 && i != nr) || !bar_line(text, i, &b))
			continue;
		if (!any || b.prefetchable > best.prefetchable ||
		    (b.prefetchable == best.prefetchable &&
		     b.size > best.size))
			best = b;
		any = true;
	}
	free(text);
	*bar = best;
	if (any)
		return 0;
	if (nr >= 0)
		return fail(ENODEV, "bar=%s/%d: this is not a memory BAR; see lspci -vs %s",
			    bar->address, nr, bar->address);
	return fail(ENODEV, "bar=%s: this device has no memory BAR",
		    bar->address);
}

int pci_bar_find(const char *name, struct pci_bar *bar)
{
	unsigned int vendor, device, number = 0;
	char *copy = xstrdup(name), *slash = NULL;
	int ret = 0, nr = -1;

	memset(bar, 0, sizeof(*bar));
	if (*copy == '/') {
		if (parse_path(copy, bar->address, &number))
			nr = number;
		else
			ret = fail(EINVAL, "bar=%s is not a resource file of a PCI device",
				   name);
	} else {
		slash = strchr(copy, '/');
		if (slash) {
			*slash = 0;
			nr = slash[1] - '0';
			if (nr < 0 || nr >= MAX_BARS || slash[2])
				ret = fail(EINVAL, "bar=%s: the number of a BAR is 0 to 5",
					   name);
		}
		if (!ret && parse_ids(copy, &vendor, &device))
			ret = find_ids(vendor, device, bar->address);
		else if (!ret && !parse_address(copy, bar->address))
			ret = fail(EINVAL, "bar=%s: write an address (0000:00:03.0), vendor:device (1b36:0010), with /N for BAR N",
				   name);
	}
	free(copy);
	if (!ret)
		ret = choose_bar(bar, nr);
	if (ret)
		return ret;
	bar->vendor = number_in(bar->address, "vendor");
	bar->device = number_in(bar->address, "device");
	driver_of(bar->address, bar->driver, sizeof(bar->driver));
	return 0;
}

/* --- who uses it --- */

static bool maps_name(const char *pid, const char *what)
{
	char *path = xasprintf("/proc/%s/maps", pid);
	char *text = read_file(path, NULL);
	const char *at = text;
	bool found = false;

	free(path);
	while (at && !found && (at = strstr(at, what))) {
		at += strlen(what);
		found = *at == '\n' || !strncmp(at, "_wc\n", 4);
	}
	free(text);
	return found;
}

int pci_bar_user(const struct pci_bar *bar, char *name)
{
	char *what = xasprintf("/%s/resource%u", bar->address, bar->nr);
	DIR *d = opendir("/proc");
	struct dirent *e;
	int user = 0;

	while (d && !user && (e = readdir(d))) {
		int pid = atoi(e->d_name);

		if (pid > 0 && pid != getpid() && maps_name(e->d_name, what))
			user = pid;
	}
	if (d)
		closedir(d);
	free(what);
	if (user) {
		char *comm = read_line("/proc/%d/comm", user);

		snprintf(name, 16, "%s", comm ? comm : "?");
		free(comm);
	}
	return user;
}

/* --- drivers --- */

static int write_checked(const char *path, const char *value, const char *what)
{
	int ret = write_file(path, value);

	return ret ? fail(-ret, "%s: %s", what, strerror(-ret)) : 0;
}

/* Has the device offered to the drivers again. This is undone last. */
static int leave_driver(const struct pci_bar *bar)
{
	char *probe = xasprintf("%s/drivers_probe", pci_root);
	char *unbind = pci_file(bar, "driver/unbind");
	int ret = journal_note_write(probe, bar->address);

	if (!ret)
		ret = write_checked(unbind, bar->address, unbind);
	free(probe);
	free(unbind);
	return ret;
}

static int enter_driver(const struct pci_bar *bar, const char *driver)
{
	char *override = pci_file(bar, "driver_override");
	char *old = read_line("%s", override);
	char *dir = xasprintf("%s/drivers/%s", pci_root, driver);
	char *unbind = xasprintf("%s/unbind", dir);
	char *bind = xasprintf("%s/bind", dir);
	int ret = 0;

	if (access(dir, F_OK))
		ret = fail(EOPNOTSUPP, "there is no driver %s: modprobe %s",
			   driver, driver);
	/* "(null)" is none, and so is an empty line. */
	if (!ret)
		ret = journal_note_write(override, old && *old &&
					 strcmp(old, "(null)") ? old : "\n");
	if (!ret)
		ret = write_checked(override, driver, override);
	if (!ret)
		ret = journal_note_write(unbind, bar->address);
	if (!ret) {
		ret = write_file(bind, bar->address);
		if (ret == -EINVAL || ret == -ENODEV)
			ret = fail(EOPNOTSUPP, "%s does not accept %s: is there an IOMMU? (if not: vfio.enable_unsafe_noiommu_mode=1)",
				   driver, bar->address);
		else if (ret)
			ret = fail(-ret, "%s: %s", bind, strerror(-ret));
	}
	free(override);
	free(old);
	free(dir);
	free(unbind);
	free(bind);
	return ret;
}

/* Without a driver the device may not be enabled. */
static int enable(const struct pci_bar *bar)
{
	char *path = pci_file(bar, "enable"), *old = read_line("%s", path);
	int ret = 0;

	if (old && !strcmp(old, "0")) {
		ret = journal_note_write(path, "0");
		if (!ret)
			ret = write_checked(path, "1", path);
	}
	free(old);
	free(path);
	return ret;
}

const char *pci_bar_in_use(const struct pci_bar *bar)
{
	static __thread char why[128];
	char name[16];
	int pid = pci_bar_user(bar, name);

	if (!pid)
		return NULL;
	snprintf(why, sizeof(why), "BAR %u of %s is in use: process %d (%s) has it mapped",
		 bar->nr, bar->address, pid, name);
	return why;
}

int pci_take(const struct pci_bar *bar, const char *driver, bool force)
{
	int ret = 0;

	if (driver && !strcmp(bar->driver, driver))
		return 0;
	if (*bar->driver) {
		if (!force)
			return fail(EBUSY, "%s belongs to the driver %s; force=yes takes it away during the measurement",
				    bar->address, bar->driver);
		ret = leave_driver(bar);
	}
	if (!ret)
		ret = driver ? enter_driver(bar, driver) : enable(bar);
	return ret;
}
