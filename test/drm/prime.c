// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a hand can do: pass buffers between its card and a second one, "the other". Each
 * has one dma-buf: that of its own buffer.
 */

#define _GNU_SOURCE
#include "hand.h"
#include "module/unplug-drm-test.h"

#include <errno.h>
#include <fcntl.h>
#include <libdrm/drm.h>
#include <libdrm/drm_mode.h>
#include <linux/dma-buf.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

/**
 * struct side - a card in this
 * @fd:		open file of the other card; of the hand's own, see card
 * @handle:	of the other's own buffer
 * @size:	of that
 * @dmabuf:	descriptor of the card's own buffer, exported
 * @got:	handle by which it imported the opposite one's
 * @map:	mapping of the dma-buf
 */
static struct side {
	int fd;
	uint32_t handle;
	size_t size;
	int dmabuf;
	uint32_t got;
	uint8_t *map;
} own = { .fd = -1, .dmabuf = -1 }, other = { .fd = -1, .dmabuf = -1 };

static __thread sigjmp_buf on_bus;

static void handle_bus(int signal)
{
	(void)signal;
	siglongjmp(on_bus, 1);
}

static void touch(struct call *call, volatile uint8_t *byte)
{
	struct sigaction action = { .sa_handler = handle_bus };

	if (!byte) {
		answer(call, "unmapped");
		return;
	}
	sigaction(SIGBUS, &action, NULL);
	if (sigsetjmp(on_bus, 1)) {
		answer(call, "SIGBUS");
		return;
	}
	*byte = *byte + 1;
	answer(call, "alive");
}

/* other PATH: opens it, with a buffer of its own */
static void op_other(struct call *call)
{
	struct drm_mode_create_dumb create = { .width = 640, .height = 480, .bpp = 32 };

	other.fd = open(call->argument, O_RDWR | O_CLOEXEC);
	if (other.fd < 0 || ioctl(other.fd, DRM_IOCTL_MODE_CREATE_DUMB, &create)) {
		answer_result(call, -1);
		return;
	}
	other.handle = create.handle;
	other.size = create.size;
	answer(call, "ok");
}

static int export(int fd, uint32_t handle, int *to)
{
	struct drm_prime_handle prime = { .handle = handle, .flags = DRM_CLOEXEC | DRM_RDWR };

	if (ioctl(fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime))
		return -1;
	*to = prime.fd;
	return 0;
}

static void op_export(struct call *call)
{
	answer_result(call, export(card.fd, card.handle, &own.dmabuf));
}

static void op_export_other(struct call *call)
{
	answer_result(call, export(other.fd, other.handle, &other.dmabuf));
}

/*
 * The other card is at work on its buffer, and does not end: a fence of the test's module stands for
 * that. other-done: it is done.
 */
static int other_fence = -1;

static void op_other_busy(struct call *call)
{
	struct dma_buf_import_sync_file import = { .flags = DMA_BUF_SYNC_WRITE };

	other_fence = request(UNPLUG_DRM_TEST_FENCE, 0);
	import.fd = other_fence;
	answer_result(call, other_fence < 0 ? -1 :
		      ioctl(other.dmabuf, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &import));
}

static void op_other_done(struct call *call)
{
	answer_result(call, request(UNPLUG_DRM_TEST_SIGNAL, other_fence));
	close(other_fence);
	other_fence = -1;
}

/* Its own and the opposite one's: imported by each */
static int import(int fd, int dmabuf, uint32_t *to)
{
	struct drm_prime_handle prime = { .fd = dmabuf };

	if (ioctl(fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime))
		return -1;
	*to = prime.handle;
	return 0;
}

/* The other's buffer, by the card */
static void op_import(struct call *call)
{
	answer_result(call, import(card.fd, other.dmabuf, &own.got));
}

/* What was imported is the card's buffer from now on: for "show". */
static void op_use_import(struct call *call)
{
	card.handle = own.got;
	answer(call, "ok");
}

/* The card's buffer, by the other */
static void op_import_other(struct call *call)
{
	answer_result(call, import(other.fd, own.dmabuf, &other.got));
}

/* The card's buffer, as the other has imported it: passed on by the other, and touched */
static void op_other_uses(struct call *call)
{
	void *memory;
	int fd;

	if (export(other.fd, other.got, &fd)) {
		answer_result(call, -1);
		return;
	}
	memory = mmap(NULL, card.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (memory == MAP_FAILED) {
		answer_result(call, -1);
		return;
	}
	touch(call, memory);
	munmap(memory, card.size);
}

static void side_map(struct call *call, struct side *side, size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, side->dmabuf, 0);

	answer_result(call, memory == MAP_FAILED ? -1 : 0);
	if (memory != MAP_FAILED)
		side->map = memory;
}

/* A mapping of the dma-buf itself; the last one made is touched by dmabuf-touch */
static void op_dmabuf_map(struct call *call)
{
	side_map(call, &own, card.size);
}

static void op_dmabuf_touch(struct call *call)
{
	touch(call, own.map);
}

static void op_other_map(struct call *call)
{
	side_map(call, &other, other.size);
}

static void op_other_touch(struct call *call)
{
	touch(call, other.map);
}

/* What programs do around their use of the memory: may wait for fences */
static void op_dmabuf_sync(struct call *call)
{
	struct dma_buf_sync begin = { .flags = DMA_BUF_SYNC_RW | DMA_BUF_SYNC_START };
	struct dma_buf_sync end = { .flags = DMA_BUF_SYNC_RW | DMA_BUF_SYNC_END };

	answer_result(call, ioctl(own.dmabuf, DMA_BUF_IOCTL_SYNC, &begin) ||
		      ioctl(own.dmabuf, DMA_BUF_IOCTL_SYNC, &end) ? -1 : 0);
}

static void op_dmabuf_close(struct call *call)
{
	answer_result(call, close(own.dmabuf));
	own.dmabuf = -1;
}

const struct op prime_ops[] = {
	{ "other", op_other },
	{ "export", op_export },
	{ "export-other", op_export_other },
	{ "other-busy", op_other_busy },
	{ "other-done", op_other_done },
	{ "import", op_import },
	{ "use-import", op_use_import },
	{ "import-other", op_import_other },
	{ "other-uses", op_other_uses },
	{ "dmabuf-map", op_dmabuf_map },
	{ "dmabuf-touch", op_dmabuf_touch },
	{ "other-map", op_other_map },
	{ "other-touch", op_other_touch },
	{ "dmabuf-sync", op_dmabuf_sync },
	{ "dmabuf-close", op_dmabuf_close },
	{ }
};
