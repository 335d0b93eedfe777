// SPDX-License-Identifier: GPL-2.0-only
/*
 * Plain gates: see guard-busted.h.
 *
 * Who enters looks at the flag and counts, in one RCU section. Shut sets the flag and waits for a
 * grace period: from then on counts only fall, so when their sum is read as zero, it is. Who
 * leaves counts and wakes in one section, too: the gate may be freed after that.
 */

#include <linux/delay.h>
#include <linux/hash.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/srcu.h>
#include "guard-busted.h"

#define GATE_ALIVE 0x6a7e600d
#define GATE_FREED 0x6a7edead

/* One in so many who come by a window find it wide. */
#define WINDOW_ONE_IN 3

/* For GLOBAL: one domain for all cards, as DRM has it */
DEFINE_STATIC_SRCU(gate_all);

static LIST_HEAD(quarantine);
static DEFINE_SPINLOCK(quarantine_lock);

/**
 * busted_window() - widen the window of a mistake, at random
 * @mistake: nothing happens if that is not the one
 *
 * Context: Process. Sleeps.
 */
void busted_window(enum busted_mistake mistake)
{
	static atomic64_t times;
	u32 random;

	if (!busted(mistake))
		return;
	random = hash_64(torture_seed + atomic64_inc_return(&times), 32);
	if (random % WINDOW_ONE_IN == 0)
		fsleep(1 + random % BUSTED_WINDOW);
}

static void gate_destroy(struct busted_gate *gate)
{
	percpu_free_rwsem(&gate->rwsem);
	free_percpu(gate->inside);
	kfree(gate);
}

static struct busted_gate *gate_new(void)
{
	struct busted_gate *gate = kzalloc(sizeof(*gate), GFP_KERNEL);

	if (!gate)
		return NULL;
	gate->inside = alloc_percpu(int);
	if (!gate->inside || percpu_init_rwsem(&gate->rwsem)) {
		free_percpu(gate->inside);
		kfree(gate);
		return NULL;
	}
	init_waitqueue_head(&gate->wait);
	gate->shut = true;
	gate->canary = GATE_ALIVE;
	return gate;
}

/**
 * busted_gates_new() - the gates of a device, shut
 * @dev: the device
 *
 * Context: Process. May sleep.
 * Return: 0; -ENOMEM: then busted_gates_free() is still to be called.
 */
int busted_gates_new(struct busted_dev *dev)
{
	RCU_INIT_POINTER(dev->gate, gate_new());
	RCU_INIT_POINTER(dev->hw, gate_new());
	return rcu_access_pointer(dev->gate) && rcu_access_pointer(dev->hw) ?
		       0 : -ENOMEM;
}

/* Kept, so that who uses it nevertheless is found by looking. */
static void gate_free(struct busted_gate __rcu **at)
{
	struct busted_gate *gate = rcu_replace_pointer(*at, NULL, true);

	if (!gate)
		return;
	synchronize_rcu_expedited();
	WRITE_ONCE(gate->canary, GATE_FREED);
	spin_lock(&quarantine_lock);
	list_add(&gate->quarantine, &quarantine);
	spin_unlock(&quarantine_lock);
}

/**
 * busted_gates_free() - nobody is inside
 * @dev: the device: from now on newcomers find no gate. May be called again
 *
 * Context: Process. Sleeps.
 */
void busted_gates_free(struct busted_dev *dev)
{
	gate_free(&dev->gate);
	gate_free(&dev->hw);
}

/* Nobody is left in the module. */
void busted_gates_exit(void)
{
	struct busted_gate *gate, *next;

	list_for_each_entry_safe(gate, next, &quarantine, quarantine)
		gate_destroy(gate);
}

static bool gate_enter(struct busted_gate __rcu **at)
{
	struct busted_gate *gate;
	bool entered;

	rcu_read_lock();
	gate = rcu_dereference(*at);
	entered = gate && !smp_load_acquire(&gate->shut); /* gate_open() */
	if (entered)
		this_cpu_inc(*gate->inside);
	rcu_read_unlock();
	return entered;
}

/* Mistakes leave people inside when the gate is gone: then there is nothing to count in. */
static void gate_leave(struct busted_gate __rcu **at)
{
	struct busted_gate *gate;

	rcu_read_lock();
	gate = rcu_dereference(*at);
	if (gate) {
		smp_mb();	/* gate_inside() */
		this_cpu_dec(*gate->inside);
		if (READ_ONCE(gate->shut))
			wake_up_all(&gate->wait);
	}
	rcu_read_unlock();
}

/* When nobody enters any more, never too low. */
static int gate_inside(const struct busted_gate *gate)
{
	int cpu, inside = 0;

	for_each_possible_cpu(cpu)
		inside += READ_ONCE(*per_cpu_ptr(gate->inside, cpu));
	smp_mb();	/* gate_leave() */
	return inside;
}

/* PUT: it has counted, so the gate may be gone. */
static void leave_outside(struct busted_dev *dev)
{
	struct busted_gate *gate;

	rcu_read_lock();
	gate = rcu_dereference(dev->gate);
	smp_mb();	/* gate_inside() */
	this_cpu_dec(*gate->inside);
	rcu_read_unlock();
	busted_window(BUSTED_PUT);
	if (READ_ONCE(gate->canary) != GATE_ALIVE)
		torture_fact(&dev->card, TORTURE_FACT_GATE_FREED, "put",
			     gate->canary);
	if (READ_ONCE(gate->shut))
		wake_up_all(&gate->wait);
}

/* NO_BARRIER: who has looked counts when he likes. */
static bool enter_late(struct busted_gate *gate)
{
	if (!gate || READ_ONCE(gate->shut))
		return false;
	busted_window(BUSTED_NO_BARRIER);
	this_cpu_inc(*gate->inside);
	return true;
}

/*
 * RWSEM: as percpu_down_read(), which does not return before unplug has; but when the
 * deadlock has been reported it can be ended, so that the machine goes on.
 */
static bool enter_rwsem(struct busted_gate *gate)
{
	while (!percpu_down_read_trylock(&gate->rwsem)) {
		if (READ_ONCE(busted_given_up))
			return false;
		schedule_timeout_uninterruptible(1);
	}
	if (!gate->shut)
		return true;
	percpu_up_read(&gate->rwsem);
	return false;
}

/* GLOBAL */
static int enter_all(struct busted_gate *gate)
{
	int token = srcu_read_lock(&gate_all);

	if (READ_ONCE(gate->shut)) {
		srcu_read_unlock(&gate_all, token);
		return -ENODEV;
	}
	__release(&gate_all);	/* sparse: until leave_all() */
	return token;
}

static void leave_all(int token)
{
	__acquire(&gate_all);
	srcu_read_unlock(&gate_all, token);
}

/* What an operation answers that was refused */
static int refused(const struct busted_dev *dev)
{
	if (READ_ONCE(dev->state) != BUSTED_STATE_DYING)
		return -EAGAIN;
	return busted(BUSTED_ERRNO) ? -EIO : -ENODEV;
}

/* They are kept until the module goes, so the pointer may be followed, if it is one. */
static struct busted_gate *gate_of(struct busted_gate __rcu **at)
{
	return rcu_dereference_protected(*at, true);
}

/**
 * busted_enter() - begin an operation or a fault
 * @dev: the device
 *
 * Context: Process. May sleep with a mistake.
 * Return: what busted_leave() wants; or -ENODEV; or -EAGAIN: it is frozen.
 */
int busted_enter(struct busted_dev *dev)
{
	struct busted_gate *gate = gate_of(&dev->gate);
	bool entered;
	int token;

	switch (busted_mistake) {
	case BUSTED_RWSEM:
		entered = gate && enter_rwsem(gate);
		break;
	case BUSTED_FLAG:
		entered = gate && !READ_ONCE(gate->shut);
		break;
	case BUSTED_NO_BARRIER:
		entered = enter_late(gate);
		break;
	case BUSTED_GLOBAL:
		token = gate ? enter_all(gate) : -ENODEV;
		return token < 0 ? refused(dev) : token;
	default:
		entered = gate_enter(&dev->gate);
	}
	return entered ? 0 : refused(dev);
}

/**
 * busted_leave() - end it
 * @dev: the device
 * @token: what busted_enter() has returned
 *
 * Context: Process. May sleep with a mistake.
 */
void busted_leave(struct busted_dev *dev, int token)
{
	switch (busted_mistake) {
	case BUSTED_RWSEM:
		percpu_up_read(&gate_of(&dev->gate)->rwsem);
		break;
	case BUSTED_FLAG:
		break;
	case BUSTED_GLOBAL:
		leave_all(token);
		break;
	case BUSTED_PUT:
		leave_outside(dev);
		break;
	default:
		gate_leave(&dev->gate);
	}
}

bool busted_hw_enter(struct busted_dev *dev)
{
	return gate_enter(&dev->hw);
}

void busted_hw_exit(struct busted_dev *dev)
{
	gate_leave(&dev->hw);
}

/**
 * busted_gates_shut() - nobody enters any more
 * @dev: a device with gates
 *
 * Context: Process. Sleeps for a grace period; with RWSEM until all have left.
 */
void busted_gates_shut(struct busted_dev *dev)
{
	struct busted_gate *gate = gate_of(&dev->gate);
	struct busted_gate *hw = gate_of(&dev->hw);

	if (busted(BUSTED_RWSEM))
		percpu_down_write(&gate->rwsem);
	WRITE_ONCE(hw->shut, true);
	if (busted(BUSTED_NO_BARRIER))
		synchronize_rcu_expedited();	/* for the other gate alone */
	WRITE_ONCE(gate->shut, true);
	if (busted(BUSTED_RWSEM))
		percpu_up_write(&gate->rwsem);
	if (!busted(BUSTED_NO_BARRIER))
		synchronize_rcu_expedited();
}

static void gate_open(struct busted_gate *gate)
{
	smp_store_release(&gate->shut, false);	/* gate_enter() */
}

/**
 * busted_gates_open() - whoever comes may enter
 * @dev: a device whose gates are shut
 *
 * First the one, then the other: who is in the one gets into the other.
 *
 * Context: Any.
 */
void busted_gates_open(struct busted_dev *dev)
{
	gate_open(gate_of(&dev->hw));
	gate_open(gate_of(&dev->gate));
}

void busted_wait_hw(struct busted_dev *dev)
{
	struct busted_gate *hw = gate_of(&dev->hw);

	wait_event(hw->wait, !gate_inside(hw));
}

/**
 * busted_wait_drained() - until nobody is inside a device that is shut
 * @dev: the device
 *
 * Context: Process. Sleeps as long as users like.
 */
void busted_wait_drained(struct busted_dev *dev)
{
	struct busted_gate *gate = gate_of(&dev->gate);

	if (busted(BUSTED_GLOBAL))
		synchronize_srcu(&gate_all);
	else	/* Nobody is counted with FLAG; with RWSEM all have left. */
		wait_event(gate->wait, !gate_inside(gate));
}

/**
 * busted_wait_idle() - the same, but not for ever
 * @dev: the device
 * @timeout: how long, in jiffies
 *
 * Context: Process. Sleeps.
 * Return: true if nobody is inside.
 */
bool busted_wait_idle(struct busted_dev *dev, unsigned long timeout)
{
	struct busted_gate *gate = gate_of(&dev->gate);

	return wait_event_timeout(gate->wait, !gate_inside(gate), timeout);
}
