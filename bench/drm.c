// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * drm: what the guards cost a user of a DRM card, in instructions
 *
 *	drm VARIANT NODE …
 *
 * Runs in the guest whose time stamp counter counts instructions, does the same to all
 * nodes, taking turns, and prints samples as the module does: CASE VARIANT UNIT VALUE.
 */

#include <libdrm/drm.h>
#include <libdrm/drm_mode.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <x86intrin.h>

#define ROUNDS 21
#define COUNT 64
#define PAGE 4096
#define CARDS_MAX 4

/* @mode: what its connector has; the two buffers are as large */
struct card {
	const char *variant;
	int fd;
	uint32_t crtc, connector;
	struct drm_mode_modeinfo mode;
	uint32_t frames[2];
	int shown;
};

static void fail(const char *what)
{
	fprintf(stderr, "drm: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void card_ioctl(const struct card *card, unsigned long request, void *arg,
		       const char *what)
{
	if (ioctl(card->fd, request, arg) < 0)
		fail(what);
}

static uint32_t buffer_create(const struct card *card, uint32_t width, uint32_t height)
{
	struct drm_mode_create_dumb dumb = { .width = width, .height = height, .bpp = 32 };

	card_ioctl(card, DRM_IOCTL_MODE_CREATE_DUMB, &dumb, "create a buffer");
	return dumb.handle;
}

/* Where nothing is mapped yet */
static void *buffer_map(const struct card *card, uint32_t handle, void *at, size_t size)
{
	struct drm_mode_map_dumb map = { .handle = handle };
	void *p;

	card_ioctl(card, DRM_IOCTL_MODE_MAP_DUMB, &map, "map a buffer");
	p = mmap(at, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED_NOREPLACE, card->fd,
		 (off_t)map.offset);
	if (p == MAP_FAILED)
		fail("mmap");
	return p;
}

static void buffer_close(const struct card *card, uint32_t handle)
{
	struct drm_gem_close close = { .handle = handle };

	card_ioctl(card, DRM_IOCTL_GEM_CLOSE, &close, "close a buffer");
}

static void card_find(struct card *card)
{
	struct drm_mode_card_res res = { .count_crtcs = 1, .count_connectors = 1 };
	struct drm_mode_get_connector get = { 0 };
	struct drm_mode_modeinfo modes[64] = { 0 };

	res.crtc_id_ptr = (uintptr_t)&card->crtc;
	res.connector_id_ptr = (uintptr_t)&card->connector;
	card_ioctl(card, DRM_IOCTL_MODE_GETRESOURCES, &res, "its resources");
	get.connector_id = card->connector;
	card_ioctl(card, DRM_IOCTL_MODE_GETCONNECTOR, &get, "its connector");
	if (!get.count_modes || get.count_modes > 64) {
		fprintf(stderr, "drm: %u modes, expected 1 to 64\n", get.count_modes);
		exit(1);
	}
	get.count_props = get.count_encoders = 0;
	get.modes_ptr = (uintptr_t)modes;
	card_ioctl(card, DRM_IOCTL_MODE_GETCONNECTOR, &get, "its modes");
	card->mode = modes[0];
}

static void card_show(struct card *card)
{
	struct drm_mode_fb_cmd frame = {
		.width = card->mode.hdisplay, .height = card->mode.vdisplay,
		.pitch = card->mode.hdisplay * 4u, .bpp = 32, .depth = 24,
	};
	struct drm_mode_crtc set = {
		.crtc_id = card->crtc, .count_connectors = 1, .mode_valid = 1,
		.set_connectors_ptr = (uintptr_t)&card->connector, .mode = card->mode,
	};
	int i;

	for (i = 0; i < 2; i++) {
		frame.handle = buffer_create(card, frame.width, frame.height);
		card_ioctl(card, DRM_IOCTL_MODE_ADDFB, &frame, "add a frame buffer");
		card->frames[i] = frame.fb_id;
	}
	set.fb_id = card->frames[0];
	card_ioctl(card, DRM_IOCTL_MODE_SETCRTC, &set, "set a mode");
}

static void card_open(struct card *card, const char *variant, const char *node)
{
	memset(card, 0, sizeof(*card));
	card->variant = variant;
	card->fd = open(node, O_RDWR | O_CLOEXEC);
	if (card->fd < 0)
		fail(node);
}

static uint64_t run_version(struct card *card)
{
	struct drm_version version = { 0 };
	uint64_t begin = __rdtsc();
	int i;

	for (i = 0; i < COUNT; i++)
		card_ioctl(card, DRM_IOCTL_VERSION, &version, "version");
	return __rdtsc() - begin;
}

/* Create, ask where to map it, close */
static uint64_t run_gem(struct card *card)
{
	struct drm_mode_map_dumb map = { 0 };
	uint64_t begin = __rdtsc();
	int i;

	for (i = 0; i < COUNT; i++) {
		map.handle = buffer_create(card, 32, 32);
		card_ioctl(card, DRM_IOCTL_MODE_MAP_DUMB, &map, "map a buffer");
		buffer_close(card, map.handle);
	}
	return __rdtsc() - begin;
}

/* Nobody touches it, so it has no page. */
static uint64_t run_mmap(struct card *card)
{
	uint32_t handle = buffer_create(card, 32, 32);
	struct drm_mode_map_dumb map = { .handle = handle };
	uint64_t begin;
	void *p;
	int i;

	card_ioctl(card, DRM_IOCTL_MODE_MAP_DUMB, &map, "map a buffer");
	begin = __rdtsc();
	for (i = 0; i < COUNT; i++) {
		p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, card->fd,
			 (off_t)map.offset);
		if (p == MAP_FAILED || munmap(p, PAGE))
			fail("mmap");
	}
	begin = __rdtsc() - begin;
	buffer_close(card, handle);
	return begin;
}

/* The first touch gets all pages of the buffer, and makes the page table. */
static uint64_t run_fault(struct card *card)
{
	uint32_t handle = buffer_create(card, 1024, COUNT + 1);
	char *p = buffer_map(card, handle, (void *)0x200000000000, (COUNT + 1) * PAGE);
	uint64_t begin;
	int i;

	*(volatile char *)p = 0;
	begin = __rdtsc();
	for (i = 1; i <= COUNT; i++)
		*(volatile char *)(p + i * PAGE) = 0;
	begin = __rdtsc() - begin;
	munmap(p, (COUNT + 1) * PAGE);
	buffer_close(card, handle);
	return begin;
}

/* What the call costs: the flip itself is a worker's, who tells by an event. */
static uint64_t run_flip(struct card *card)
{
	struct drm_event_vblank event;
	struct drm_mode_crtc_page_flip flip = {
		.crtc_id = card->crtc, .flags = DRM_MODE_PAGE_FLIP_EVENT,
	};
	uint64_t begin, all = 0;
	int i;

	for (i = 0; i < COUNT; i++) {
		card->shown = !card->shown;
		flip.fb_id = card->frames[card->shown];
		begin = __rdtsc();
		card_ioctl(card, DRM_IOCTL_MODE_PAGE_FLIP, &flip, "flip");
		all += __rdtsc() - begin;
		if (read(card->fd, &event, sizeof(event)) != sizeof(event))
			fail("the event of a flip");
	}
	return all;
}

/*
 * There and back: who comes second in turn finds the allocator as the first has left it, which
 * may be hundreds of instructions, so all come first and last as often.
 */
static void run_turns(struct card *cards, int n, const char *name,
		      uint64_t (*run)(struct card *card))
{
	uint64_t all[CARDS_MAX] = { 0 };
	int i, c;

	for (i = 0; i < 2 * n; i++) {
		c = i < n ? i : 2 * n - 1 - i;
		all[c] += run(&cards[c]);
	}
	for (c = 0; c < n; c++)
		printf("%s %s instructions %.3f\n", name, cards[c].variant,
		       (double)all[c] / (2 * COUNT));
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		uint64_t (*run)(struct card *card);
	} runs[] = {
		{ "drm_version", run_version },
		{ "drm_gem", run_gem },
		{ "drm_mmap", run_mmap },
		{ "drm_fault", run_fault },
		{ "drm_flip", run_flip },
	};
	struct card cards[CARDS_MAX];
	int n = 0, round;
	size_t i;

	if (argc < 3 || argc % 2 == 0 || argc > 1 + 2 * CARDS_MAX) {
		fprintf(stderr, "usage: drm VARIANT NODE ..., up to %d of them\n", CARDS_MAX);
		return 2;
	}
	for (; n < argc / 2; n++) {
		card_open(&cards[n], argv[1 + 2 * n], argv[2 + 2 * n]);
		card_find(&cards[n]);
		card_show(&cards[n]);
	}
	for (round = 0; round < ROUNDS; round++)
		for (i = 0; i < sizeof(runs) / sizeof(runs[0]); i++)
			run_turns(cards, n, runs[i].name, runs[i].run);
	return fclose(stdout) ? 1 : 0;
}
