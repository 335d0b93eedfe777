/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * adapter: one emulated display adapter, with its screen
 *
 *		    plug		   the port is free
 *	unplugged --------> plugging ----------------------> running
 *	    ^		       |			      |  ^
 *	    |	vanish	       v	  hang, silent, wedge |  | resume
 *	    +------------- (any state) <----------- hung <----+--+---> silent, wedged
 *
 * running   all requests are answered.
 * hung      the device takes no more pixels: bulk URBs are held, requests on endpoint 0
 *	     are answered.
 * silent    nothing is answered any more: all URBs are held.
 * wedged    and the kernel cannot cancel them either.
 * plugging  waits until the kernel let go of what was at the port before. A device that
 *	     comes back before the hub noticed that it went would be taken for the same one,
 *	     which no real port lets happen.
 *
 * A served adapter is not plugged into this machine, but offered by TCP (export.h) until some
 * machine imports it: instead of plugging it is
 *
 * offered   waits until it is imported, then runs. When that connection ends on the other
 *	     side, or on the way, it is offered again; when it vanishes, not before it
 *	     is plugged.
 *
 * Held URBs are done, in order, as soon as the state allows. That the kernel can cancel them
 * until then is the host controller's part, which real devices cannot prevent; wedged is for
 * holding the kernel inside a driver for as long as a test wants.
 *
 * A fuse makes an adapter hang or vanish after a number of further bulk URBs, which is the
 * way to do it in the middle of a frame.
 *
 * What happens is printed as one line each (the list is in README.md), and counted.
 */
#ifndef UNPLUG_TEST_USB_ADAPTER_H
#define UNPLUG_TEST_USB_ADAPTER_H

#include "control.h"
#include "uevent.h"

enum adapter_state {
	ADAPTER_UNPLUGGED,
	ADAPTER_PLUGGING,
	ADAPTER_OFFERED,
	ADAPTER_RUNNING,
	ADAPTER_HUNG,
	ADAPTER_SILENT,
	ADAPTER_WEDGED,
};

struct adapter_urb;

/**
 * struct adapter - one of them; zeroed before adapter_init()
 * @number:	1 and up
 * @port:	of the virtual host controller
 * @served:	by TCP, see above
 * @path:	of the USB device, below /sys. Of a served one: "" if it is none of this
 *		kernel's
 * @state:	see above
 * @error:	why plugging did not work when last tried
 * @fd:		the connection to the kernel, or -1
 * @in:		from the kernel
 * @out:	to the kernel
 * @control:	endpoint 0
 * @display:	what is behind it
 * @held:	URBs, and requests to cancel some, oldest first
 * @fuse:	bulk URBs until @blow, 0 if not lit
 * @blow:	the state to go to then: hung or unplugged
 * @quiet:	a held URB was announced in this state
 * @card:	the DRM minor ("card1") or ""
 * @first:	pixels written when it was plugged
 * @plugs:	how often it was plugged
 * @cards:	how often a DRM minor appeared
 * @gone:	how often the kernel removed the USB device
 * @urbs:	bulk URBs done
 * @bytes:	in them
 * @holds:	how many are in @held
 * @unlinks:	requests to cancel a URB
 * @cancels:	those that came while it was held
 *
 * Counters are never reset.
 */
struct adapter {
	int number;
	unsigned int port;
	bool served;
	char path[128];
	enum adapter_state state;
	int error;
	int fd;
	struct buffer in;
	struct buffer out;
	struct control control;
	struct display display;
	struct adapter_urb *held;
	uint64_t fuse;
	enum adapter_state blow;
	bool quiet;
	char card[16];
	uint64_t first;
	uint64_t plugs;
	uint64_t cards;
	uint64_t gone;
	uint64_t urbs;
	uint64_t bytes;
	uint64_t holds;
	uint64_t unlinks;
	uint64_t cancels;
};

/**
 * adapter_init() - make an unplugged adapter
 * @a:		the adapter
 * @number:	1 and up
 * @port:	of the virtual host controller
 *
 * @a->display has its kind and mode already, @a->served is set if it is to be served.
 *
 * Return: 0 or a negative errno, see vhci_path().
 */
int adapter_init(struct adapter *a, int number, unsigned int port);

/**
 * adapter_plug() - plug an unplugged adapter, at once or as soon as it goes, or offer it
 * @a:		the adapter
 *
 * Return: whether it was unplugged.
 */
bool adapter_plug(struct adapter *a);

/**
 * adapter_retry() - if the adapter is plugging, try again
 * @a:		the adapter
 */
void adapter_retry(struct adapter *a);

/**
 * adapter_import() - an offered adapter is imported
 * @a:		the adapter
 * @fd:		the connection, non-blocking; is the adapter's from now on
 * @answer:	what to say first
 * @len:	of @answer
 */
void adapter_import(struct adapter *a, int fd, const void *answer, size_t len);

/**
 * adapter_turn() - hang, go silent, get wedged, or resume
 * @a:		the adapter
 * @state:	running, hung, silent or wedged
 *
 * Return: whether it was plugged.
 */
bool adapter_turn(struct adapter *a, enum adapter_state state);

/**
 * adapter_vanish() - close the connection: a surprise pull
 * @a:		the adapter
 *
 * Return: whether it was plugged, plugging, or offered.
 */
bool adapter_vanish(struct adapter *a);

/**
 * adapter_light() - run, and hang or vanish after some more bulk URBs
 * @a:		the adapter
 * @urbs:	how many, at least 1
 * @state:	hung or unplugged
 *
 * Return: whether it was plugged.
 */
bool adapter_light(struct adapter *a, uint64_t urbs, enum adapter_state state);

/**
 * adapter_note() - print a line among the adapter's events
 * @a:		the adapter
 * @text:	of the event
 */
void adapter_note(const struct adapter *a, const char *text);

/**
 * adapter_io() - do what the connection is ready for
 * @a:		a plugged adapter
 * @events:	as from poll()
 */
void adapter_io(struct adapter *a, short events);

/**
 * adapter_uevent() - hear what the kernel tells about devices, of this adapter or not
 * @a:		the adapter
 * @ev:		the message
 */
void adapter_uevent(struct adapter *a, const struct uevent *ev);

/**
 * adapter_counter() - find a counter
 * @a:		the adapter
 * @name:	"plugs", "cards", "gone", "urbs", "bytes", "pixels", "modes", "offs",
 *		"held", "unlinks", "cancelled" or "garbage"
 *
 * Return: the counter, or NULL if there is none of that name.
 */
const uint64_t *adapter_counter(const struct adapter *a, const char *name);

/**
 * adapter_stats() - everything in one line
 * @a:		the adapter
 * @text:	result
 * @size:	of @text
 */
void adapter_stats(const struct adapter *a, char *text, size_t size);

/**
 * adapter_free() - vanish, and give all memory back
 * @a:		the adapter
 */
void adapter_free(struct adapter *a);

#endif
