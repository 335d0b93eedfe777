// SPDX-License-Identifier: GPL-2.0-or-later
/* One emulated display adapter; see adapter.h */

#include "adapter.h"

#include "usbip.h"
#include "vhci.h"

#include <errno.h>
#include <linux/usb/ch9.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ENDPOINT_CONTROL 0
#define ENDPOINT_PIXELS 1

/* A request that waits, and its data behind it */
struct adapter_urb {
	struct adapter_urb *next;
	struct usbip_request request;
	uint8_t data[];
};

static __attribute__((format(printf, 2, 3)))
void adapter_say(const struct adapter *a, const char *fmt, ...)
{
	struct timespec now;
	va_list args;

	clock_gettime(CLOCK_MONOTONIC, &now);
	printf("%lld.%06ld event %d ", (long long)now.tv_sec, now.tv_nsec / 1000, a->number);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

void adapter_note(const struct adapter *a, const char *text)
{
	adapter_say(a, "%s", text);
}

/* ------------------------------------------------------------------ requests */

static bool adapter_holds(const struct adapter *a, const struct usbip_request *r)
{
	switch (a->state) {
	case ADAPTER_WEDGED:
		return true;
	case ADAPTER_SILENT:
		return !r->unlink;
	case ADAPTER_HUNG:
		return !r->unlink && r->endpoint != ENDPOINT_CONTROL;
	default:
		return false;
	}
}

static void adapter_hold(struct adapter *a, const struct usbip_request *r)
{
	size_t len = r->data ? r->length : 0;
	struct adapter_urb *u = memory_get(sizeof(*u) + len), **last = &a->held;

	u->request = *r;
	if (len)
		memcpy(u->data, r->data, len);
	u->request.data = len ? u->data : NULL;
	while (*last)
		last = &(*last)->next;
	*last = u;
	a->holds++;
	if (!a->quiet)
		adapter_say(a, "held %s", r->unlink ? "unlink" :
			    r->endpoint ? "bulk" : "control");
	a->quiet = true;
}

static void adapter_unlink(struct adapter *a, const struct usbip_request *r)
{
	struct adapter_urb *u, **p = &a->held;

	while (*p && (*p)->request.seqnum != r->victim)
		p = &(*p)->next;
	u = *p;
	if (u) {
		*p = u->next;
		a->holds--;
		a->cancels++;
	}
	usbip_unlinked(&a->out, r->seqnum, u ? -ECONNRESET : 0);
	free(u);
}

static void answer_control(struct adapter *a, const struct usbip_request *r)
{
	uint8_t in[DISPLAY_ANSWER];
	int n;

	/* Nothing may be read behind what came, nor answered to what asks for nothing. */
	if ((!r->in && r->length != (uint32_t)(r->setup[6] | r->setup[7] << 8)) ||
	    (r->in && !(r->setup[0] & USB_DIR_IN))) {
		usbip_done(&a->out, r->seqnum, -EPIPE, 0, NULL);
		return;
	}
	n = control_answer(&a->control, r->setup, r->length ? r->data : NULL, in);
	if (n > 0 && (uint32_t)n > r->length)
		n = r->length;
	if (r->in && n > DISPLAY_ANSWER)
		n = DISPLAY_ANSWER;
	usbip_done(&a->out, r->seqnum, n < 0 ? n : 0, n < 0 ? 0 : n, r->in ? in : NULL);
}

static void fuse_burn(struct adapter *a)
{
	if (!a->fuse || --a->fuse)
		return;
	if (a->blow == ADAPTER_UNPLUGGED)
		adapter_vanish(a);
	else
		adapter_turn(a, a->blow);
}

static void answer_pixels(struct adapter *a, const struct usbip_request *r)
{
	a->display.kind->pixels(&a->display, r->data, r->length);
	a->urbs++;
	a->bytes += r->length;
	usbip_done(&a->out, r->seqnum, 0, r->length, NULL);
}

/* Answer, and tell what that changed */
static void adapter_answer(struct adapter *a, const struct usbip_request *r,
			   void (*answer)(struct adapter *, const struct usbip_request *))
{
	const struct screen *s = &a->display.screen;
	uint64_t modes = s->modes, offs = s->offs, garbage = a->display.garbage;
	bool dark = s->pixels == a->first;

	answer(a, r);
	if (dark && s->pixels != a->first)
		adapter_say(a, "pixel");
	if (modes != s->modes)
		adapter_say(a, "mode %ux%u", s->width, s->height);
	if (offs != s->offs)
		adapter_say(a, "off");
	if (!garbage && a->display.garbage)
		adapter_say(a, "garbage");
}

static void adapter_serve(struct adapter *a, const struct usbip_request *r)
{
	if (r->unlink) {
		adapter_unlink(a, r);
	} else if (r->endpoint == ENDPOINT_CONTROL) {
		adapter_answer(a, r, answer_control);
	} else if (r->endpoint != ENDPOINT_PIXELS || r->in) {
		usbip_done(&a->out, r->seqnum, -EPIPE, 0, NULL);
	} else {
		adapter_answer(a, r, answer_pixels);
		fuse_burn(a);
	}
}

static void adapter_request(struct adapter *a, const struct usbip_request *r)
{
	a->unlinks += r->unlink;
	if (adapter_holds(a, r))
		adapter_hold(a, r);
	else
		adapter_serve(a, r);
}

/* ---------------------------------------------------------------- connection */

static void held_free(struct adapter *a)
{
	struct adapter_urb *u;

	while ((u = a->held)) {
		a->held = u->next;
		free(u);
	}
	a->holds = 0;
}

static void adapter_close(struct adapter *a, enum adapter_state state, const char *why)
{
	if (a->fd >= 0) {
		/* Answers that were given before do arrive. */
		buffer_flush(&a->out, a->fd);
		close(a->fd);
	}
	a->fd = -1;
	a->fuse = 0;
	held_free(a);
	a->display.kind->reset(&a->display);
	buffer_free(&a->in);
	buffer_free(&a->out);
	a->state = state;
	adapter_say(a, "%s", why);
}

/* Not by us: a served one can be imported again. */
static void adapter_detached(struct adapter *a)
{
	adapter_close(a, a->served ? ADAPTER_OFFERED : ADAPTER_UNPLUGGED, "detached");
}

static void adapter_requests(struct adapter *a)
{
	struct usbip_request r;
	size_t at = 0;
	ssize_t n = 0;

	while (a->fd >= 0 && at < a->in.len) {
		n = usbip_parse(&r, a->in.data + at, a->in.len - at);
		if (n <= 0)
			break;
		adapter_request(a, &r);
		at += n;
	}
	if (n < 0)
		adapter_close(a, ADAPTER_UNPLUGGED, "vanished: no USB/IP packet");
	else if (a->fd >= 0)
		buffer_drop(&a->in, at);
}

void adapter_io(struct adapter *a, short events)
{
	if (events & (POLLIN | POLLHUP | POLLERR)) {
		if (!buffer_read(&a->in, a->fd)) {
			adapter_detached(a);
			return;
		}
		adapter_requests(a);
	}
	if (a->fd >= 0 && !buffer_flush(&a->out, a->fd))
		adapter_detached(a);
}

/* --------------------------------------------------------------------- state */

int adapter_init(struct adapter *a, int number, unsigned int port)
{
	a->number = number;
	a->port = port;
	a->fd = -1;
	display_reset(&a->display, number);
	return a->served ? 0 : vhci_path(port, a->path, sizeof(a->path));
}

static bool adapter_in_kernel(const struct adapter *a)
{
	char path[sizeof(a->path) + 8];

	snprintf(path, sizeof(path), "/sys%s", a->path);
	return access(path, F_OK) == 0;
}

static void adapter_run(struct adapter *a, int fd)
{
	a->error = 0;
	a->fd = fd;
	a->state = ADAPTER_RUNNING;
	a->quiet = false;
	display_reset(&a->display, a->number);
	control_init(&a->control, a->number, &a->display);
	a->first = a->display.screen.pixels;
	a->plugs++;
	adapter_say(a, "plugged");
}

void adapter_retry(struct adapter *a)
{
	int fd;

	if (a->state != ADAPTER_PLUGGING)
		return;
	fd = adapter_in_kernel(a) ? -EBUSY : vhci_attach(a->port);
	if (fd < 0)
		a->error = -fd;
	else
		adapter_run(a, fd);
}

bool adapter_plug(struct adapter *a)
{
	if (a->state != ADAPTER_UNPLUGGED)
		return false;
	a->state = a->served ? ADAPTER_OFFERED : ADAPTER_PLUGGING;
	if (a->served)
		adapter_say(a, "offered");
	adapter_retry(a);
	return true;
}

void adapter_import(struct adapter *a, int fd, const void *answer, size_t len)
{
	buffer_append(&a->out, answer, len);
	adapter_run(a, fd);
}

bool adapter_vanish(struct adapter *a)
{
	if (a->state == ADAPTER_UNPLUGGED)
		return false;
	adapter_close(a, ADAPTER_UNPLUGGED, "vanished");
	return true;
}

/*
 * Serve what the new state does not hold. Each of these may change the state again, and
 * take others from the list: so start anew each time.
 */
static void held_serve(struct adapter *a)
{
	struct adapter_urb *u, **p = &a->held;

	while (a->fd >= 0 && (u = *p)) {
		if (adapter_holds(a, &u->request)) {
			p = &u->next;
			continue;
		}
		*p = u->next;
		a->holds--;
		adapter_serve(a, &u->request);
		free(u);
		p = &a->held;
	}
}

bool adapter_turn(struct adapter *a, enum adapter_state state)
{
	static const char *const name[] = {
		[ADAPTER_RUNNING] = "resumed",
		[ADAPTER_HUNG] = "hung",
		[ADAPTER_SILENT] = "silent",
		[ADAPTER_WEDGED] = "wedged",
	};

	if (a->fd < 0)
		return false;
	a->fuse = 0;
	a->state = state;
	a->quiet = false;
	adapter_say(a, "%s", name[state]);
	held_serve(a);
	return true;
}

bool adapter_light(struct adapter *a, uint64_t urbs, enum adapter_state state)
{
	if (a->fd < 0)
		return false;
	a->fuse = urbs;
	a->blow = state;
	/* The fuse burns only while URBs are done. */
	a->state = ADAPTER_RUNNING;
	a->quiet = false;
	held_serve(a);
	return true;
}

void adapter_free(struct adapter *a)
{
	adapter_vanish(a);
	display_free(&a->display);
}

/* ------------------------------------------------------- what the kernel tells */

static void minor_changed(struct adapter *a, const struct uevent *ev)
{
	bool add = !strcmp(ev->action, "add");

	if (!add && strcmp(ev->action, "remove"))
		return;
	a->cards += add;
	snprintf(a->card, sizeof(a->card), "%.15s",
		 add ? strrchr(ev->path, '/') + 1 : "");
	adapter_say(a, "card %s", add ? a->card : "none");
}

/*
 * A served adapter does not know who imports it. If that was the kernel we run on, the
 * device is known by its revision.
 */
static void adapter_find(struct adapter *a, const struct uevent *ev)
{
	char product[32];

	snprintf(product, sizeof(product), "%x/%x/%x", a->display.kind->vendor,
		 a->display.kind->product, CONTROL_REVISION | a->number);
	if (!strcmp(ev->type, "usb_device") && !strcmp(ev->action, "add") &&
	    !strcmp(ev->product, product))
		snprintf(a->path, sizeof(a->path), "%.127s", ev->path);
}

void adapter_uevent(struct adapter *a, const struct uevent *ev)
{
	size_t n;

	if (a->served && a->fd >= 0)
		adapter_find(a, ev);
	n = strlen(a->path);
	if (!n || strncmp(ev->path, a->path, n) || (ev->path[n] && ev->path[n] != '/'))
		return;
	if (!strcmp(ev->type, "drm_minor")) {
		minor_changed(a, ev);
	} else if (!strcmp(ev->type, "usb_interface") && !strcmp(ev->action, "bind")) {
		adapter_say(a, "bound %s", ev->driver);
	} else if (!ev->path[n] && !strcmp(ev->action, "add")) {
		adapter_say(a, "found");
	} else if (!ev->path[n] && !strcmp(ev->action, "remove")) {
		a->gone++;
		adapter_say(a, "gone");
		/* The next device of that port is another adapter's. */
		if (a->served)
			a->path[0] = '\0';
	}
}

/* ------------------------------------------------------------------ counters */

static const char *const counter_names[] = {
	"plugs", "cards", "gone", "urbs", "bytes", "pixels", "modes", "offs",
	"held", "unlinks", "cancelled", "garbage",
};

#define COUNTERS (sizeof(counter_names) / sizeof(*counter_names))

static const uint64_t *counter_at(const struct adapter *a, size_t i)
{
	const uint64_t *counter[COUNTERS] = {
		&a->plugs, &a->cards, &a->gone, &a->urbs, &a->bytes, &a->display.screen.pixels,
		&a->display.screen.modes, &a->display.screen.offs, &a->holds, &a->unlinks,
		&a->cancels, &a->display.garbage,
	};

	return counter[i];
}

const uint64_t *adapter_counter(const struct adapter *a, const char *name)
{
	size_t i;

	for (i = 0; i < COUNTERS; i++) {
		if (!strcmp(name, counter_names[i]))
			return counter_at(a, i);
	}
	return NULL;
}

void adapter_stats(const struct adapter *a, char *text, size_t size)
{
	static const char *const state[] = {
		"unplugged", "plugging", "offered", "running", "hung", "silent", "wedged"
	};
	size_t i, n;

	n = snprintf(text, size, "state=%s card=%s mode=", state[a->state],
		     a->card[0] ? a->card : "none");
	if (a->display.screen.lit)
		n += snprintf(text + n, size - n, "%ux%u", a->display.screen.width,
			      a->display.screen.height);
	else
		n += snprintf(text + n, size - n, "none");
	for (i = 0; i < COUNTERS && n < size; i++)
		n += snprintf(text + n, size - n, " %s=%llu", counter_names[i],
			      (unsigned long long)*counter_at(a, i));
}
