// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tables that stand before a driver's file_operations.
 *
 * The driver's own table stays as it is. An open file points to one of the
 * tables here, whose functions enter the device, call the driver's, and leave;
 * when the device is dying they answer instead. They are the core's because
 * the kernel fetches a function pointer before any guard runs: a guard in the
 * driver's text could be unloaded under it.
 *
 * The kernel asks whether some members are there at all, and behaves otherwise
 * if not: a file that has no poll is always ready, say. So there is a table for
 * each set of such members, constant like any other (a table per device would
 * be a writable function pointer beside the driver's data); the absence of all
 * others is answered by the guards as the kernel would.
 */

#include <unplug/wait.h>
#include "internal.h"

/* Members whose presence the kernel asks for: an index into guard_fops. */
#define HAS_READ	BIT(0)
#define HAS_READ_ITER	BIT(1)
#define HAS_WRITE	BIT(2)
#define HAS_WRITE_ITER	BIT(3)
#define HAS_POLL	BIT(4)
#define HAS_FASYNC	BIT(5)
#define HAS_RARE	BIT(6)	/* lock, flock, iopoll, uring_cmd_iopoll */
#define HAS_UNSIGNED	BIT(7)	/* FOP_UNSIGNED_OFFSET, not on all kernels */

/*
 * Call an operation of the driver from inside: @dead if the device is not live,
 * @absent if the driver has no such operation.
 */
#define guard_call(file, dead, absent, op, ...)				\
({									\
	struct unplug_dev *__dev = unplug_dev_from_file(file);		\
	const struct file_operations *__fops;				\
	typeof(__fops->op(__VA_ARGS__)) __ret;				\
									\
	if (unplug_guard_enter_file(__dev, file, #op)) {		\
		__fops = __dev->drv->fops;				\
		__ret = likely(__fops->op) ? __fops->op(__VA_ARGS__) :	\
					     (absent);			\
		unplug_guard_leave(__dev);				\
	} else {							\
		__ret = (dead);						\
	}								\
	__ret;								\
})

/*
 * What those answer who were refused. They are called last, so that guards need not keep
 * what an operation was called with.
 */
static noinline int guard_refused(struct file *file)
{
	return unplug_freeze_refused(unplug_dev_from_file(file), file, false);
}

static noinline int guard_refused_waits(struct file *file)
{
	return unplug_freeze_refused(unplug_dev_from_file(file), file, true);
}

static noinline int guard_refused_iocb(struct kiocb *iocb)
{
	return unplug_freeze_refused(unplug_dev_from_file(iocb->ki_filp),
				     iocb->ki_filp,
				     !(iocb->ki_flags & IOCB_NOWAIT));
}

static loff_t guard_llseek(struct file *file, loff_t offset, int whence)
{
	return guard_call(file, guard_refused(file), -ESPIPE, llseek, file, offset, whence);
}

/* What of a front end's is called here stays: its files do, see struct unplug_front. */
static ssize_t guard_read_dead(struct file *file, char __user *to, size_t count,
			       loff_t *pos)
{
	const struct unplug_front *front = unplug_dev_from_file(file)->front;

	return front && front->read ? front->read(file, to, count, pos) :
				      guard_refused_waits(file);
}

static ssize_t guard_read(struct file *file, char __user *to, size_t count,
			  loff_t *pos)
{
	return guard_call(file, guard_read_dead(file, to, count, pos), -EINVAL,
			  read, file, to, count, pos);
}

static ssize_t guard_write(struct file *file, const char __user *from,
			   size_t count, loff_t *pos)
{
	return guard_call(file, guard_refused_waits(file), -EINVAL,
			  write, file, from, count, pos);
}

/*
 * -EIOCBQUEUED means that the operation goes on after this returned, where the
 * core cannot see it: the driver holds active of its own until it completes.
 */
static ssize_t guard_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	return guard_call(iocb->ki_filp, guard_refused_iocb(iocb),
			  -EINVAL, read_iter, iocb, to);
}

static ssize_t guard_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	return guard_call(iocb->ki_filp, guard_refused_iocb(iocb),
			  -EINVAL, write_iter, iocb, from);
}

/* Of a device that is frozen there is nothing to tell: thaw has everybody ask again. */
static __poll_t guard_poll_dead(struct file *file)
{
	const struct unplug_front *front = unplug_dev_from_file(file)->front;

	if (unplug_freeze_stays(unplug_dev_from_file(file), file))
		return 0;
	return EPOLLHUP | EPOLLERR |
	       (front && front->poll ? front->poll(file) : 0);
}

/*
 * Queue first, then look: unplug kills the gate first, then wakes.
 */
static __poll_t guard_poll(struct file *file, struct poll_table_struct *table)
{
	struct unplug_poll_table ours;

	table = unplug_poll_queue(unplug_dev_from_file(file), file, table,
				  &ours);
	return guard_call(file, guard_poll_dead(file), DEFAULT_POLLMASK, poll,
			  file, table);
}

static long guard_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return guard_call(file, guard_refused_waits(file), -ENOTTY,
			  unlocked_ioctl, file, cmd, arg);
}

static long guard_compat_ioctl(struct file *file, unsigned int cmd,
			       unsigned long arg)
{
	return guard_call(file, guard_refused_waits(file), -ENOIOCTLCMD,
			  compat_ioctl, file, cmd, arg);
}

static int guard_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct unplug_dev *dev = unplug_dev_from_file(file);
	int err = -ENODEV;

	if (!unplug_guard_enter_file(dev, file, "mmap"))
		return unplug_mapping_is_dummy(dev, file, true) ?
			       unplug_dummy_mmap(vma) : guard_refused(file);
	if (unplug_fops_can_mmap(dev->drv->fops))
		err = unplug_guard_mapping(dev, file, vma);
	unplug_hook(UNPLUG_HOOK_MMAP);
	unplug_guard_leave(dev);
	return err;
}

static unsigned long guard_get_unmapped_area(struct file *file,
					     unsigned long addr,
					     unsigned long len,
					     unsigned long pgoff,
					     unsigned long flags)
{
	struct unplug_dev *dev = unplug_dev_from_file(file);
	const struct file_operations *fops;
	unsigned long ret = -ENODEV;

	if (!unplug_guard_enter_file(dev, file, "get_unmapped_area"))
		return unplug_mapping_is_dummy(dev, file, false) ?
			       unplug_get_unmapped_area(file, addr, len, pgoff, flags) :
			       guard_refused(file);
	fops = dev->drv->fops;
	/* MAP_FIXED is about to unmap what is there: fail before it does. */
	if (unplug_fops_can_mmap(fops))
		ret = fops->get_unmapped_area ?
			fops->get_unmapped_area(file, addr, len, pgoff, flags) :
			unplug_get_unmapped_area(file, addr, len, pgoff, flags);
	unplug_guard_leave(dev);
	return ret;
}

/* Close succeeds all the same: nobody is refused, and so it is not traced. */
static int guard_flush(struct file *file, fl_owner_t id)
{
	if (!unplug_dev_is_live(unplug_dev_from_file(file)))
		return 0;
	return guard_call(file, 0, 0, flush, file, id);
}

static int guard_release(struct inode *inode, struct file *file)
{
	unplug_file_close(unplug_dev_from_file(file), inode, file);
	return 0;
}

static int guard_fsync(struct file *file, loff_t start, loff_t end,
		       int datasync)
{
	return guard_call(file, guard_refused(file), -EINVAL, fsync, file, start, end,
			  datasync);
}

/* To switch off succeeds when the device is dying: whoever releases the file does it. */
static int guard_fasync_dead(struct file *file, int on)
{
	int err = guard_refused(file);

	return on || err != -ENODEV ? err : 0;
}

/*
 * The core keeps a list of its own, to tell that the device went. The kernel switches
 * off before it calls ->release.
 */
static int guard_fasync(int fd, struct file *file, int on)
{
	struct unplug_dev *dev = unplug_dev_from_file(file);
	int err;

	if (on) {
		err = fasync_helper(fd, file, on, &dev->fasync);
		if (err < 0)
			return err;
		unplug_file_wants_signals(dev, file);
	}
	err = guard_call(file, guard_fasync_dead(file, on), 0, fasync, fd,
			 file, on);
	if (on ? err < 0 : !err)
		fasync_helper(fd, file, 0, &dev->fasync);
	return err;
}

static ssize_t guard_splice_read(struct file *file, loff_t *pos,
				 struct pipe_inode_info *pipe, size_t count,
				 unsigned int flags)
{
	return guard_call(file, guard_refused(file), -EINVAL, splice_read, file,
			  pos, pipe, count, flags);
}

static ssize_t guard_splice_write(struct pipe_inode_info *pipe,
				  struct file *file, loff_t *pos, size_t count,
				  unsigned int flags)
{
	return guard_call(file, guard_refused(file), -EINVAL, splice_write, pipe, file, pos,
			  count, flags);
}

#ifdef UNPLUG_HAVE_SENDPAGE
static ssize_t guard_sendpage(struct file *file, struct page *page, int offset,
			      size_t count, loff_t *pos, int more)
{
	return guard_call(file, guard_refused(file), -EINVAL, sendpage, file, page, offset,
			  count, pos, more);
}
#endif

/* Functions without a value. */
#define guard_call_void(file, op, ...)					\
do {									\
	struct unplug_dev *__dev = unplug_dev_from_file(file);		\
	const struct file_operations *__fops;				\
									\
	if (unplug_guard_enter_file(__dev, file, #op)) {		\
		__fops = __dev->drv->fops;				\
		if (__fops->op)						\
			__fops->op(__VA_ARGS__);			\
		unplug_guard_leave(__dev);				\
	}								\
} while (0)

static void guard_splice_eof(struct file *file)
{
	guard_call_void(file, splice_eof, file);
}

static void guard_show_fdinfo(struct seq_file *seq, struct file *file)
{
	guard_call_void(file, show_fdinfo, seq, file);
}

/* generic_setlease() refuses what is not a regular file. */
static int guard_setlease(struct file *file, unplug_lease_arg arg,
			  struct unplug_lease **lease, void **priv)
{
	return guard_call(file, guard_refused(file), -EINVAL, setlease, file, arg, lease,
			  priv);
}

static int guard_fadvise(struct file *file, loff_t start, loff_t len, int advice)
{
	return guard_call(file, guard_refused(file),
			  generic_fadvise(file, start, len, advice),
			  fadvise, file, start, len, advice);
}

/*
 * A command that the driver keeps is to be cancelled, as its user is exiting; and if it is
 * not, the kernel asks again, in a loop. So the driver has to hear of it when the device
 * is dying, too. It is still there: the command holds active, and cannot be completed
 * by others until this returned, as the kernel has locked its ring. But the driver may
 * complete it here, and so be the last one out: then it needs its module to return.
 */
static int guard_uring_cancel(struct io_uring_cmd *cmd, unsigned int flags)
{
	struct unplug_dev *dev = unplug_dev_from_file(cmd->file);
	const struct unplug_driver *drv = READ_ONCE(dev->drv);
	struct module *owner;
	int err;

	/* The driver has broken its word, and is away. */
	if (WARN_ON_ONCE(!drv))
		return -ENODEV;
	owner = drv->owner;
	if (!try_module_get(owner))
		return -ENODEV;
	err = drv->fops->uring_cmd(cmd, flags);
	module_put(owner);
	return err;
}

static int guard_uring_cmd(struct io_uring_cmd *cmd, unsigned int flags)
{
	if (flags & UNPLUG_URING_CANCEL)
		return guard_uring_cancel(cmd, flags);
	return guard_call(cmd->file, guard_refused(cmd->file), -EOPNOTSUPP,
			  uring_cmd, cmd, flags);
}

/*
 * How many of its requests have come to their end: none, if the driver is not asked. It is no
 * error: io_uring goes through all that a ring waits for, whatever device that is of, and an
 * error of one would end each round before it came to those behind, which are never asked
 * then. (bio_poll() answers the same of a queue that is gone.) The driver completes
 * what is left in ->cancel.
 */
static int guard_uring_cmd_iopoll(struct io_uring_cmd *cmd,
				  struct io_comp_batch *batch,
				  unsigned int flags)
{
	return guard_call(cmd->file, 0, 0, uring_cmd_iopoll, cmd, batch, flags);
}

static int guard_iopoll(struct kiocb *iocb, struct io_comp_batch *batch,
			unsigned int flags)
{
	return guard_call(iocb->ki_filp, 0, 0, iopoll, iocb, batch, flags);
}

/*
 * Locks. The VFS keeps its own books beside the driver's; an unlock that were
 * refused when the device is dying would leave them with a lock for ever. Where the driver
 * keeps them, it is told of an unlock while the device is frozen, too.
 */
static bool guard_flock_driver(struct file *file, int cmd, struct file_lock *fl,
			       int *err)
{
	const struct file_operations *fops = unplug_dev_from_file(file)->drv->fops;

	if (fops->flock)
		*err = fops->flock(file, cmd, fl);
	return fops->flock;
}

static int guard_flock(struct file *file, int cmd, struct file_lock *fl)
{
	struct unplug_dev *dev = unplug_dev_from_file(file);
	bool done = false;
	int err;

	if (unplug_guard_enter_file(dev, file, "flock")) {
		done = guard_flock_driver(file, cmd, fl, &err);
		unplug_guard_leave(dev);
	} else if (!unplug_lock_is_unlock(fl)) {
		return guard_refused(file);
	} else if (unplug_freeze_enter(dev, file)) {
		done = guard_flock_driver(file, cmd, fl, &err);
		unplug_freeze_leave(dev);
	}
	/* The VFS sleeps here for other holders: not inside. */
	return done ? err : locks_lock_file_wait(file, fl);
}

static int guard_vfs_lock(struct file *file, int cmd, struct file_lock *fl)
{
	switch (cmd) {
	case F_GETLK:
		posix_test_lock(file, fl);
		return 0;
	case F_CANCELLK:
		return 0;
	default:
		return posix_lock_file(file, fl, NULL);
	}
}

static int guard_lock_driver(struct unplug_dev *dev, struct file *file, int cmd,
			     struct file_lock *fl)
{
	return dev->drv->fops->lock ? dev->drv->fops->lock(file, cmd, fl) :
				      guard_vfs_lock(file, cmd, fl);
}

static int guard_lock(struct file *file, int cmd, struct file_lock *fl)
{
	struct unplug_dev *dev = unplug_dev_from_file(file);
	int err;

	if (unplug_guard_enter_file(dev, file, "lock")) {
		err = guard_lock_driver(dev, file, cmd, fl);
		unplug_guard_leave(dev);
		return err;
	}
	if (!unplug_lock_is_unlock(fl))
		return guard_refused(file);
	if (!unplug_freeze_enter(dev, file))
		return posix_lock_file(file, fl, NULL);
	err = guard_lock_driver(dev, file, cmd, fl);
	unplug_freeze_leave(dev);
	return err;
}

#define IF(bit, guard) ((bit) ? (guard) : NULL)

#ifdef UNPLUG_HAVE_SENDPAGE
#define GUARD_SENDPAGE .sendpage = guard_sendpage,
#else
#define GUARD_SENDPAGE
#endif

#ifdef UNPLUG_HAVE_FOP_FLAGS
#define GUARD_FLAGS(set)						\
	.fop_flags = (set) & HAS_UNSIGNED ? FOP_UNSIGNED_OFFSET : 0,
#else
#define GUARD_FLAGS(set)
#endif

#define TABLE(set)							\
	[set] = {							\
		.owner = THIS_MODULE,					\
		GUARD_FLAGS(set)					\
		.llseek = guard_llseek,					\
		.read = IF((set) & HAS_READ, guard_read),		\
		.write = IF((set) & HAS_WRITE, guard_write),		\
		.read_iter = IF((set) & HAS_READ_ITER, guard_read_iter), \
		.write_iter = IF((set) & HAS_WRITE_ITER, guard_write_iter), \
		.iopoll = IF((set) & HAS_RARE, guard_iopoll),		\
		.poll = IF((set) & HAS_POLL, guard_poll),		\
		.unlocked_ioctl = guard_ioctl,				\
		.compat_ioctl = guard_compat_ioctl,			\
		.mmap = guard_mmap,					\
		.flush = guard_flush,					\
		.release = guard_release,				\
		.fsync = guard_fsync,					\
		.fasync = IF((set) & HAS_FASYNC, guard_fasync),		\
		.lock = IF((set) & HAS_RARE, guard_lock),		\
		GUARD_SENDPAGE						\
		.get_unmapped_area = guard_get_unmapped_area,		\
		.flock = IF((set) & HAS_RARE, guard_flock),		\
		.splice_write = guard_splice_write,			\
		.splice_read = guard_splice_read,			\
		.splice_eof = guard_splice_eof,				\
		.setlease = guard_setlease,				\
		.show_fdinfo = guard_show_fdinfo,			\
		.fadvise = guard_fadvise,				\
		.uring_cmd = guard_uring_cmd,				\
		.uring_cmd_iopoll = IF((set) & HAS_RARE,		\
				       guard_uring_cmd_iopoll),		\
	},

#define TABLES_2(set)	TABLE(set) TABLE((set) + 1)
#define TABLES_4(set)	TABLES_2(set) TABLES_2((set) + 2)
#define TABLES_8(set)	TABLES_4(set) TABLES_4((set) + 4)
#define TABLES_16(set)	TABLES_8(set) TABLES_8((set) + 8)
#define TABLES_32(set)	TABLES_16(set) TABLES_16((set) + 16)
#define TABLES_64(set)	TABLES_32(set) TABLES_32((set) + 32)

static const struct file_operations guard_fops[] = {
	TABLES_64(0)
	TABLES_64(64)
#ifdef UNPLUG_HAVE_FOP_FLAGS
	TABLES_64(128)
	TABLES_64(192)
#endif
};

/**
 * unplug_guard_fops() - the table to stand before a driver's
 * @fops: operations of the driver, or NULL
 *
 * Context: Any.
 * Return: a constant table of the core, or an ERR_PTR: -EINVAL if there are no
 *	   operations, one that is not given a file and so cannot be guarded, or
 *	   flags that would have to stand in the table.
 */
const struct file_operations *
unplug_guard_fops(const struct file_operations *fops)
{
	unsigned int set = 0;

	if (!fops || fops->check_flags || unplug_fops_mmap_flags(fops) ||
	    unplug_fops_odd_mmap(fops))
		return ERR_PTR(-EINVAL);

	set |= fops->read ? HAS_READ : 0;
	set |= fops->read_iter ? HAS_READ_ITER : 0;
	set |= fops->write ? HAS_WRITE : 0;
	set |= fops->write_iter ? HAS_WRITE_ITER : 0;
	set |= fops->poll ? HAS_POLL : 0;
	set |= fops->fasync ? HAS_FASYNC : 0;
	set |= fops->lock || fops->flock || fops->iopoll ||
	       fops->uring_cmd_iopoll ? HAS_RARE : 0;
	set |= unplug_fops_unsigned(fops) ? HAS_UNSIGNED : 0;
	return &guard_fops[set];
}
