/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef _LIB_SHMEM_H
#define _LIB_SHMEM_H

/*
 * Between the owner's side (shmem.c), the client's (shmem-loan.c), the message from one to the
 * other (shmem-wire.c), and who looks for holders (shmem-holder.c).
 */

#include <libunplug/shmem.h>
#include <stdint.h>

#define SHMEM_MAGIC 0x314d48534c504e55	/* "UNPLSHM1" */

/**
 * struct shmem_offer - the message that comes with the descriptor; host byte order
 * @magic: SHMEM_MAGIC
 * @size: of the memory
 * @flags: UNPLUG_SHMEM_READ_ONLY and UNPLUG_SHMEM_HUGE
 * @reserved: 0
 */
struct shmem_offer {
	uint64_t magic;
	uint64_t size;
	uint32_t flags;
	uint32_t reserved;
};

/* What a client may look for. Any other flag is of a later version. */
#define SHMEM_FLAGS (UNPLUG_SHMEM_READ_ONLY | UNPLUG_SHMEM_HUGE)

int shmem_offer_parse(struct shmem_offer *offer, const void *buf, size_t len);
int shmem_offer_send(int sock, const struct shmem_offer *offer, int fd);
int shmem_offer_receive(int sock, struct shmem_offer *offer, int *fdp);

void shmem_holder_find(struct unplug_shmem_holder *holder, int fd, pid_t lent);

#endif /* _LIB_SHMEM_H */
