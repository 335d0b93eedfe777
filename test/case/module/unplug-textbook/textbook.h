/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _UNPLUG_TEXTBOOK_H
#define _UNPLUG_TEXTBOOK_H

/*
 * textbook: one small character device, guarded in two ways
 *
 *	/dev/textbook0, 1	a percpu rwsem each, as the mail of 2013
 *				proposes: read lock around every operation,
 *				write lock in unplug
 *	/dev/gated0, 1		behind the gate of the core
 *
 * What the operations do once inside is the same code (op.c): a copy from and
 * to user memory, entering a second device, a mapping of one page. So whatever
 * differs between the two kinds is due to how they are guarded.
 *
 *	/dev/textbook-control	writing the name of a device unplugs it, in the
 *				process that writes. Reading gives the visits
 *
 * Visits
 * ------
 *
 * Everybody who comes to a device, unplug included, is recorded from before he
 * asks to be let in until he leaves. A reader of the control node gets all
 * lines as they were at one moment:
 *
 *	NAME closed		a writer has announced himself to the rwsem:
 *				who asks from now on waits for him
 *	NAME WHAT TID waits	asked, not let in
 *	NAME WHAT TID inside
 *
 * Tests prove a deadlock by these lines: nobody needs to be timed.
 *
 * Lock order: the record's is innermost. The rest is the subject of the tests.
 */

#include <linux/fs.h>
#include <linux/list.h>
#include <linux/mm_types.h>
#include <linux/types.h>

#define TEXTBOOK_EACH 2		/* devices of each kind */
#define TEXTBOOK_NAME 16

struct textbook_kind;

/**
 * struct textbook - a device; embedded in what its kind needs in addition
 * @name: of the node
 * @kind: how it is guarded
 * @page: what users may map
 */
struct textbook {
	char name[TEXTBOOK_NAME];
	const struct textbook_kind *kind;
	struct page *page;
};

/**
 * struct textbook_visit - somebody who is, or wants to be, inside a device
 * @node: in the record
 * @card: the device
 * @what: his errand, a word
 * @tid: the thread
 * @inside: was let in
 */
struct textbook_visit {
	struct list_head node;
	const struct textbook *card;
	const char *what;
	pid_t tid;
	bool inside;
};

/**
 * struct textbook_kind - a way to guard a device
 * @name: its devices are this and a number
 * @make: allocate, and make the node; or an ERR_PTR
 * @unmake: unplug if that was not done, and free
 * @find: the device of an open file of this kind, or NULL
 * @enter: begin a visit; false if the device is away, and no visit began
 * @leave: end a visit
 * @unplug: take the device away
 * @closed: optional; newcomers wait for unplug
 */
struct textbook_kind {
	const char *name;
	struct textbook *(*make)(unsigned int number);
	void (*unmake)(struct textbook *card);
	struct textbook *(*find)(const struct file *file);
	bool (*enter)(struct textbook *card, struct textbook_visit *visit,
		      const char *what);
	void (*leave)(struct textbook *card, struct textbook_visit *visit);
	int (*unplug)(struct textbook *card);
	bool (*closed)(const struct textbook *card);
};

extern const struct textbook_kind textbook_rwsem;
extern const struct textbook_kind textbook_gate;

/* op.c: what is done inside */
int textbook_init(struct textbook *card, const struct textbook_kind *kind,
		  unsigned int number);
void textbook_deinit(struct textbook *card);
long textbook_ioctl(struct textbook *card, unsigned int cmd, unsigned long arg);
int textbook_mmap(struct textbook *card, struct vm_area_struct *vma,
		  const struct vm_operations_struct *ops);
vm_fault_t textbook_fault(struct textbook *card, struct vm_fault *vmf);

/* visit.c: the record */
void textbook_visit_begin(struct textbook_visit *visit,
			  const struct textbook *card, const char *what);
void textbook_visit_inside(struct textbook_visit *visit);
void textbook_visit_end(struct textbook_visit *visit);
size_t textbook_visit_print(char *text, size_t size);

#endif /* _UNPLUG_TEXTBOOK_H */
