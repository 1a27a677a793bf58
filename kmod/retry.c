// SPDX-License-Identifier: GPL-2.0
#include "ptelab.h"
long ptelab_ioc_retry_block(struct ptelab_file *f, void __user *uarg) { return -EOPNOTSUPP; }
long ptelab_ioc_retry(struct ptelab_file *f, void __user *uarg) { return -EOPNOTSUPP; }
void ptelab_retry_release(struct ptelab_file *f) { }
