/* SPDX-License-Identifier: GPL-2.0 */
/*
 * BARs of PCI devices in sysfs: finds them by name, takes them from a driver
 * temporarily, and gives them back.
 */
#ifndef PTELAB_PCI_H
#define PTELAB_PCI_H

#include <stdbool.h>
#include <stdint.h>

/* Tests use a tree of their own. */
extern const char *pci_root;	/* "/sys/bus/pci" */

struct pci_bar {
	char address[16];	/* "0000:00:03.0" */
	unsigned int vendor, device;
	unsigned int nr;
	uint64_t phys, size;	/* bytes */
	bool prefetchable;
	char driver[32];	/* "": no driver */
};

/*
 * Finds a memory BAR. @name is an address (0000:00:03.0, 00:03.0), or
 * vendor:device (1b36:0010) of which there must be only one, followed by "/2"
 * for BAR 2; or the path of a resource file. Without a number the largest
 * prefetchable memory BAR is used, else the largest one. Returns 0, or -errno
 * with fail() text that lists the candidates.
 */
int pci_bar_find(const char *name, struct pci_bar *bar);

/* The path of a file of the device; the caller frees it. */
char *pci_file(const struct pci_bar *bar, const char *name);

/*
 * Returns the process, other than this one, that has mapped the BAR through
 * sysfs; 0 if there is none. @name (16 bytes) gets its name.
 */
int pci_bar_user(const struct pci_bar *bar, char *name);
/* The same as a thread-local sentence; NULL if there is no such process. */
const char *pci_bar_in_use(const struct pci_bar *bar);

/*
 * Makes @driver ("vfio-pci") the device's driver, or, if it is NULL, unbinds
 * the driver and enables memory decoding. journal_restore_to() restores the
 * original state; if ptelab is killed, its next start does so. Without @force
 * the device must have no driver, or this one. Returns 0 or -errno with fail()
 * text.
 */
int pci_take(const struct pci_bar *bar, const char *driver, bool force);

#endif
