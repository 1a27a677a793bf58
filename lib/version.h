/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PTELAB_VERSION_H
#define PTELAB_VERSION_H

#define PTELAB_VERSION	"0.1.0"

#endif
