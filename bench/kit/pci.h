/* SPDX-License-Identifier: GPL-2.0 */
/*
 * BARs of PCI devices, as sysfs shows them: found by name, looked at, taken
 * from a driver for a while and given back.
 */
#ifndef PTELAB_PCI_H
#define PTELAB_PCI_H

#include <stdbool.h>
#include <stdint.h>

/* Tests look at a tree of their own. */
extern const char *pci_root;	/* "/sys/bus/pci" */

struct pci_bar {
	char address[16];	/* "0000:00:03.0" */
	unsigned int vendor, device;
	unsigned int nr;
	uint64_t phys, size;	/* bytes */
	bool prefetchable;
	char driver[32];	/* who has the device; "": nobody */
};

/*
 * Finds a memory BAR. @name is an address (0000:00:03.0, 00:03.0) or
 * vendor:device (1b36:0010), of which there must be one only, with "/2" behind
 * it for BAR 2; or the path of a resource file. Without a number it is the
 * largest prefetchable memory BAR, else the largest.
 * Returns 0 or -errno with fail() text that says what there is.
 */
int pci_bar_find(const char *name, struct pci_bar *bar);

/* The path of a file of the device; the caller frees it. */
char *pci_file(const struct pci_bar *bar, const char *name);

/*
 * The process, other than this one, that has the BAR mapped through sysfs;
 * 0 if none. @name (16 bytes) gets what it is called.
 */
int pci_bar_user(const struct pci_bar *bar, char *name);
/* The same as a sentence, thread-local; NULL if nobody has. */
const char *pci_bar_in_use(const struct pci_bar *bar);

/*
 * Makes @driver ("vfio-pci") the device's driver, or, with NULL, takes its
 * driver away and turns memory decoding on. What the device had before comes
 * back with journal_restore_to(), or at the next start of ptelab if this one is
 * killed. Only a device that has no driver, or this one already, unless
 * @force.
 * Returns 0 or -errno with fail() text.
 */
int pci_take(const struct pci_bar *bar, const char *driver, bool force);

#endif
