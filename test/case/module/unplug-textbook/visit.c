// SPDX-License-Identifier: GPL-2.0-only
/* The record of who is inside, and who waits to be; see textbook.h */

#include <linux/kernel.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include "textbook.h"

static DEFINE_SPINLOCK(visits_lock);
static LIST_HEAD(visits);	/* and its entries: under visits_lock */

void textbook_visit_begin(struct textbook_visit *visit,
			  const struct textbook *card, const char *what)
{
	visit->card = card;
	visit->what = what;
	visit->tid = task_pid_nr(current);
	visit->inside = false;
	spin_lock(&visits_lock);
	list_add_tail(&visit->node, &visits);
	spin_unlock(&visits_lock);
}

void textbook_visit_inside(struct textbook_visit *visit)
{
	spin_lock(&visits_lock);
	visit->inside = true;
	spin_unlock(&visits_lock);
}

void textbook_visit_end(struct textbook_visit *visit)
{
	spin_lock(&visits_lock);
	list_del(&visit->node);
	spin_unlock(&visits_lock);
}

/**
 * textbook_visit_print() - all visits, as they are at one moment
 * @text: where to
 * @size: bytes there; what does not fit is left out
 *
 * That a device is closed is said with each of those who wait for it, unplug
 * being one of them.
 *
 * Context: Process.
 * Return: bytes written, without the NUL.
 */
size_t textbook_visit_print(char *text, size_t size)
{
	const struct textbook_visit *visit;
	const struct textbook *card;
	size_t n = 0;

	spin_lock(&visits_lock);
	list_for_each_entry(visit, &visits, node) {
		card = visit->card;
		n += scnprintf(text + n, size - n, "%s %s %d %s\n", card->name,
			       visit->what, visit->tid,
			       visit->inside ? "inside" : "waits");
		if (!visit->inside && card->kind->closed &&
		    card->kind->closed(card))
			n += scnprintf(text + n, size - n, "%s closed\n",
				       card->name);
	}
	spin_unlock(&visits_lock);
	return n;
}
