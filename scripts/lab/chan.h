/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The channel from an emulated machine to the host: one shared memory region,
 * written by init.c in the guest, read by guest.c on the host.  Both are
 * little-endian.
 */
#ifndef LAB_CHAN_H
#define LAB_CHAN_H

#define LAB_CHAN_MAGIC	0x314254554f4c4550ULL	/* "PELOUTB1" */
#define LAB_CHAN_PCI	"/sys/bus/pci/devices/0000:00:1f.0"	/* boot puts it there */
#define LAB_CHAN_SIZE	(16u << 20)		/* a power of two: it is a BAR */
#define LAB_CHAN_DATA	4096			/* where the lines start */

enum { LAB_OFF, LAB_RUNNING, LAB_DONE };

struct lab_chan {
	unsigned long long magic;
	unsigned long long length;	/* bytes of whole lines */
	unsigned long long lines;
	unsigned long long state;
	unsigned long long code;	/* of the first command that failed */
	unsigned long long failed_line;	/* its line in the job file */
	unsigned long long overflow;	/* lines were lost: the region is full */
};

#endif
