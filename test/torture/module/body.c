// SPDX-License-Identifier: GPL-2.0-only
/*
 * The driver of a card: ordinary operations, that never look whether it is still there. It
 * says where it touches the hardware; the rest is the guard's, see guard.h.
 *
 * They look around as they go, and write down what should not be so.
 */

#include <linux/mm.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/random.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "compat.h"
#include "torture.h"

#define LONG_MAX_SECTIONS 64

/**
 * struct torture_file - what the driver keeps of an open file
 * @grave: it is freed in ->release
 * @generation: of the card it was opened at
 * @released: how often
 */
struct torture_file {
	struct torture_grave grave;
	u64 generation;
	atomic_t released;
};

/**
 * struct visit - an operation that is running
 * @card: in which
 * @where: its name
 * @moment: when it began
 */
struct visit {
	struct torture_card *card;
	const char *where;
	u64 moment;
};

static bool is_drained(const struct torture_card *card)
{
	return torture_moment_state(torture_moment(card)) >= TORTURE_DRAINED ||
	       (torture_guard->drained && torture_guard->drained(card));
}

/* To be called at any time between begin and end */
static void visit_look(const struct visit *visit)
{
	struct torture_card *card = visit->card;
	u64 canary = READ_ONCE(card->memory->canary);

	if (canary != TORTURE_ALIVE)
		torture_fact(card, TORTURE_FACT_BODY_FREED, visit->where, canary);
	else if (is_drained(card))
		torture_fact(card, TORTURE_FACT_BODY_DRAINED, visit->where, 0);
}

/* Counted first, so that ->gone finds whoever finds the memory freed. */
static void visit_begin(struct visit *visit, struct torture_card *card,
			const char *where)
{
	atomic_inc(&card->inside);
	visit->card = card;
	visit->where = where;
	visit->moment = torture_moment(card);
	visit_look(visit);
	torture_linger();
}

/*
 * Who was there before a thaw was called has left when it has returned. (Who comes while
 * it is under way may be of either side.)
 */
static void visit_end(struct visit *visit)
{
	u64 now = torture_moment(visit->card), was = visit->moment;

	visit_look(visit);
	if (torture_moment_state(was) != TORTURE_THAWING &&
	    torture_moment_turn(now) > (torture_moment_turn(was) | 1))
		torture_fact(visit->card, TORTURE_FACT_BODY_THAWED,
			     visit->where, torture_moment_turn(now));
	atomic_dec(&visit->card->inside);
}

/* A hardware section, which takes its time, and is all in one card. */
static bool visit_hardware(const struct visit *visit, u64 *whose)
{
	struct torture_card *card = visit->card;

	if (!torture_guard->hw_enter(card))
		return false;
	torture_registers_look(card, visit->where);
	torture_linger();
	*whose = torture_registers_look(card, visit->where);
	torture_guard->hw_exit(card);
	return true;
}

static int body_open(struct inode *inode, struct file *file)
{
	struct torture_card *card = torture_guard->card_of(file);
	struct torture_file *ours;
	struct visit visit;

	visit_begin(&visit, card, "open");
	ours = kzalloc(sizeof(*ours), GFP_KERNEL);
	if (ours) {
		ours->generation = card->generation;
		atomic_inc(&card->files);
		file->private_data = ours;
		stream_open(inode, file);
	}
	visit_end(&visit);
	return ours ? 0 : -ENOMEM;
}

/* Not counted as inside: it may be forced, by a worker, when nobody is. */
static int body_release(struct inode *inode, struct file *file)
{
	struct torture_card *card = torture_guard->card_of(file);
	struct torture_file *ours = file->private_data;
	int times = atomic_inc_return(&ours->released);

	if (times > 1)
		torture_fact(card, TORTURE_FACT_RELEASE_TWICE, "release", times);
	else if (atomic_read(&card->gone))
		torture_fact(card, TORTURE_FACT_RELEASE_GONE, "release", 0);
	torture_linger();
	if (times > 1)
		return 0;
	atomic_dec(&card->files);
	torture_bury(&ours->grave);
	return 0;
}

static bool take_token(struct torture_card *card)
{
	return atomic_dec_if_positive(&card->tokens) >= 0;
}

static void give_token(struct torture_card *card)
{
	atomic_inc(&card->tokens);
	wake_up_interruptible_poll(&card->wait, EPOLLIN | EPOLLRDNORM);
}

/* A token each, slept for; the answer is whose the hardware is. */
static ssize_t do_read(struct visit *visit, const struct file *file,
		       char __user *to, size_t count)
{
	struct torture_card *card = visit->card;
	u64 whose;
	int err;

	if (count < sizeof(whose))
		return -EINVAL;
	if (file->f_flags & O_NONBLOCK)
		err = take_token(card) ? 0 : -EAGAIN;
	else
		err = torture_guard->sleep(card, take_token);
	if (err)
		return err;
	if (!visit_hardware(visit, &whose)) {
		give_token(card);
		return torture_guard->error(card);
	}
	return copy_to_user(to, &whose, sizeof(whose)) ? -EFAULT : sizeof(whose);
}

static ssize_t body_read(struct file *file, char __user *to, size_t count,
			 loff_t *pos)
{
	struct visit visit;
	ssize_t ret;

	visit_begin(&visit, torture_guard->card_of(file), "read");
	ret = do_read(&visit, file, to, count);
	visit_end(&visit);
	return ret;
}

static ssize_t do_write(struct visit *visit, const char __user *from, size_t count)
{
	u64 word;

	if (count < sizeof(word))
		return -EINVAL;
	if (copy_from_user(&word, from, sizeof(word)))
		return -EFAULT;
	if (!torture_guard->hw_enter(visit->card))
		return torture_guard->error(visit->card);
	torture_registers_look(visit->card, visit->where);
	torture_linger();
	torture_registers_write(visit->card, word);
	torture_guard->hw_exit(visit->card);
	give_token(visit->card);
	return sizeof(word);
}

static ssize_t body_write(struct file *file, const char __user *from,
			  size_t count, loff_t *pos)
{
	struct visit visit;
	ssize_t ret;

	visit_begin(&visit, torture_guard->card_of(file), "write");
	ret = do_write(&visit, from, count);
	visit_end(&visit);
	return ret;
}

static long do_info(struct visit *visit, void __user *to)
{
	struct torture_info info = {
		.generation = READ_ONCE(visit->card->memory->generation),
	};

	if (!visit_hardware(visit, &info.whose))
		return torture_guard->error(visit->card);
	return copy_to_user(to, &info, sizeof(info)) ? -EFAULT : 0;
}

static long do_long(struct visit *visit, u64 __user *arg)
{
	u64 sections, i, whose;

	if (get_user(sections, arg))
		return -EFAULT;
	sections = min_t(u64, sections, LONG_MAX_SECTIONS);
	for (i = 0; i < sections; i++) {
		if (!visit_hardware(visit, &whose))
			return torture_guard->error(visit->card);
		if (signal_pending(current))
			return -ERESTARTSYS;
		if (put_user(whose, arg))
			return -EFAULT;
		visit_look(visit);
		cond_resched();
	}
	return 0;
}

/* What waits for a user does; unplug is not told how to end it. */
static long do_hold(struct visit *visit)
{
	struct torture_slot *slot = visit->card->slot;
	unsigned int let_go = READ_ONCE(slot->let_go);
	u64 whose;

	if (wait_event_killable(slot->hold, READ_ONCE(slot->let_go) != let_go))
		return -EINTR;
	visit_look(visit);
	return visit_hardware(visit, &whose) ? 0 :
					       torture_guard->error(visit->card);
}

static long do_ioctl(struct visit *visit, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case TORTURE_IOC_INFO:
		return do_info(visit, (void __user *)arg);
	case TORTURE_IOC_LONG:
		return do_long(visit, (u64 __user *)arg);
	case TORTURE_IOC_HOLD:
		return do_hold(visit);
	default:
		return -ENOTTY;
	}
}

static long body_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct visit visit;
	long ret;

	visit_begin(&visit, torture_guard->card_of(file), "ioctl");
	ret = do_ioctl(&visit, cmd, arg);
	visit_end(&visit);
	return ret;
}

static __poll_t body_poll(struct file *file, struct poll_table_struct *table)
{
	struct torture_card *card = torture_guard->card_of(file);
	struct visit visit;
	__poll_t ret;

	visit_begin(&visit, card, "poll");
	poll_wait(file, &card->wait, table);
	ret = atomic_read(&card->tokens) > 0 ? EPOLLIN | EPOLLRDNORM : 0;
	visit_end(&visit);
	return ret;
}

/* Where an address of a mapping lies in the registers. */
static void *register_at(const struct torture_card *card,
			 const struct vm_area_struct *vma, unsigned long addr)
{
	return (u8 *)card->slot->registers + (addr - vma->vm_start) +
	       (vma->vm_pgoff << PAGE_SHIFT);
}

static vm_fault_t do_fault(struct visit *visit, struct vm_fault *vmf)
{
	const void *at = register_at(visit->card, vmf->vma, vmf->address);
	vm_fault_t ret;

	if (!torture_guard->map_enter(visit->card))
		return VM_FAULT_SIGBUS;
	torture_registers_look(visit->card, visit->where);
	torture_linger();
	ret = vmf_insert_pfn(vmf->vma, vmf->address,
			     page_to_pfn(virt_to_page(at)));
	torture_guard->map_exit(visit->card);
	return ret;
}

static vm_fault_t body_fault(struct vm_fault *vmf)
{
	struct visit visit;
	vm_fault_t ret;

	visit_begin(&visit, torture_guard->card_of(vmf->vma->vm_file), "fault");
	ret = do_fault(&visit, vmf);
	visit_end(&visit);
	return ret;
}

/* For ptrace and /proc/PID/mem */
static int body_access(struct vm_area_struct *vma, unsigned long addr,
		       void *buffer, int count, int write)
{
	struct torture_card *card = torture_guard->card_of(vma->vm_file);
	void *at = register_at(card, vma, addr);
	struct visit visit;
	int ret = -EIO;

	visit_begin(&visit, card, "access");
	if (torture_guard->hw_enter(card)) {
		torture_registers_look(card, visit.where);
		ret = min_t(unsigned long, count, vma->vm_end - addr);
		memcpy(write ? at : buffer, write ? buffer : at, ret);
		torture_guard->hw_exit(card);
	}
	visit_end(&visit);
	return ret;
}

static const struct vm_operations_struct body_vm_ops = {
	.fault = body_fault,
	.access = body_access,
};

static int body_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct visit visit;
	int err = -EINVAL;

	visit_begin(&visit, torture_guard->card_of(file), "mmap");
	if (vma->vm_flags & VM_SHARED &&
	    vma->vm_pgoff + vma_pages(vma) <= TORTURE_PAGES) {
		vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
		vma->vm_ops = &body_vm_ops;
		err = 0;
	}
	visit_end(&visit);
	return err;
}

const struct file_operations torture_fops = {
	.owner = THIS_MODULE,
	.open = body_open,
	.release = body_release,
	.read = body_read,
	.write = body_write,
	.unlocked_ioctl = body_ioctl,
	.poll = body_poll,
	.mmap = body_mmap,
};

/**
 * torture_card_tick() - what the card does by itself: somebody may read a token
 * @card: a card, entered
 *
 * Context: Process. May sleep.
 */
void torture_card_tick(struct torture_card *card)
{
	struct visit visit;
	u64 whose;

	visit_begin(&visit, card, "tick");
	if (visit_hardware(&visit, &whose) && !atomic_read(&card->tokens))
		give_token(card);
	visit_end(&visit);
}
