// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who is inside, in words: for debugfs and for the log.
 *
 * By records, where there are some (holder.h). Else by stacks: of the tasks that opened a
 * file of the device, or have one open, those that have a function of the core on theirs,
 * between the system call and the driver. That finds who sleeps, not who runs, nor who
 * only mapped the device through a file that somebody else had opened.
 */

#include <linux/cpu.h>
#include <linux/fdtable.h>
#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/seq_file.h>
#include "internal.h"

#define FRAMES 48

#define MORE "%u more: inside before tracking was on, or references of the driver"
#define UNNAMED "%u inside; tracking, which names all who come from then on, is off"

/**
 * struct report - where words go, and how many
 * @dev: the device
 * @seq: a file of debugfs; NULL: the log
 * @left: how many tasks may still be described
 * @found: how many were, or would have been
 */
struct report {
	struct unplug_dev *dev;
	struct seq_file *seq;
	unsigned int left;
	unsigned int found;
};

__printf(2, 3)
static void report_line(struct report *report, const char *fmt, ...)
{
	struct va_format text = { .fmt = fmt };
	va_list args;

	va_start(args, fmt);
	text.va = &args;
	if (report->seq)
		seq_printf(report->seq, "%pV\n", &text);
	else
		unplug_dev_info(report->dev, "%pV\n", &text);
	va_end(args);
}

/* Down to the guard: how the task got there is not the driver's. 0: it is not inside. */
static unsigned int frames_inside(const unsigned long *frames, unsigned int n)
{
	while (n && !within_module(frames[n - 1], THIS_MODULE))
		n--;
	return n;
}

static void report_stack(struct report *report, const unsigned long *frames,
			 unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		report_line(report, "    %pS", (void *)frames[i]);
}

static bool report_wanted(struct report *report)
{
	report->found++;
	if (!report->left)
		return false;
	report->left--;
	return true;
}

/* Nobody reads on. A file of debugfs that was too short is read again, from the start. */
static bool report_ends(struct report *report)
{
	return report->seq && (seq_has_overflowed(report->seq) ||
			       fatal_signal_pending(current));
}

static void report_holder(struct report *report,
			  const struct unplug_holder *holder)
{
	struct task_struct *task = holder->task;
	unsigned long frames[FRAMES];
	unsigned int n;

	report_line(report, "%s task %d of process %d (%s), in %s for %lld ms, state %c",
		    holder->interrupt ? "interrupted" : "inside:",
		    task->pid, task->tgid, task->comm, holder->op,
		    ktime_ms_delta(ktime_get(), holder->since),
		    task_state_to_char(task));
	n = unplug_stack_save(task, frames, FRAMES);
	report_stack(report, frames, frames_inside(frames, n));
}

static void report_records(struct report *report)
{
	struct unplug_holder holder = { .id = 0 };
	u64 last = unplug_holder_last(report->dev);

	while (holder.id < last && !report_ends(report) &&
	       unplug_holder_next(report->dev, holder.id, &holder)) {
		if (report_wanted(report))
			report_holder(report, &holder);
		put_task_struct(holder.task);
		cond_resched();
	}
}

static void report_task(struct report *report, struct task_struct *task)
{
	unsigned long frames[FRAMES];
	unsigned int n = unplug_stack_save(task, frames, FRAMES);

	n = frames_inside(frames, n);
	if (!n || !report_wanted(report))
		return;
	report_line(report, "inside, by its stack: task %d of process %d (%s), state %c",
		    task->pid, task->tgid, task->comm,
		    task_state_to_char(task));
	report_stack(report, frames, n);
}

static int is_file_of(const void *arg, struct file *file, unsigned int fd)
{
	const struct unplug_dev *dev = arg;

	return READ_ONCE(file->f_mapping) == dev->mapping;
}

/* Has @task a file of the device open? */
static bool task_has_file(struct unplug_dev *dev, struct task_struct *task)
{
	bool has;

	task_lock(task);
	has = task->files && iterate_fd(task->files, 0, is_file_of, dev);
	task_unlock(task);
	return has;
}

/* Processes come and go while this looks: it sees those that stay. */
static void report_stacks(struct report *report)
{
	struct task_struct *process, *task;

	rcu_read_lock();
	for_each_process(process) {
		if (process->flags & PF_KTHREAD)
			continue;
		if (!task_has_file(report->dev, process) &&
		    !unplug_file_opened_by(report->dev, task_tgid(process)))
			continue;
		for_each_thread(process, task)
			if (task != current)
				report_task(report, task);
	}
	rcu_read_unlock();
}

/**
 * unplug_report_holders() - say who is inside
 * @dev: the device
 * @seq: where to; NULL: to the log
 * @max: how many to describe at most
 *
 * Context: Process. May sleep.
 */
void unplug_report_holders(struct unplug_dev *dev, struct seq_file *seq,
			   unsigned int max)
{
	struct report report = { .dev = dev, .seq = seq, .left = max };
	unsigned int inside = unplug_gate_inside(&dev->gate), unknown;

	/* As unplug_stack_save() wants it */
	cpus_read_lock();
	if (unplug_tracking_is_on()) {
		report_records(&report);
		unknown = unplug_holder_unknown(dev);
		if (unknown)
			report_line(&report, MORE, unknown);
	} else if (inside) {
		report_stacks(&report);
		if (report.found < inside)
			report_line(&report, UNNAMED, inside);
	}
	cpus_read_unlock();
	if (report.found > max)
		report_line(&report, "and %u more", report.found - max);
}
