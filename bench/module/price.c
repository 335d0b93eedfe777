// SPDX-License-Identifier: GPL-2.0-only
/*
 * The price of one get and put, beside what else could guard a device.
 *
 * Each variant is a loop, a function of its own. Here they are counted, which needs
 * the machine whose time stamp counter counts instructions (test/vm/run --icount).
 * bench/replay runs the very same functions, taken out of the memory of a running
 * guest, on the host's processor: therefore a loop reaches nothing but its object, what it
 * calls, and per-CPU memory.
 */

#include <drm/drm_device.h>
#include <drm/drm_drv.h>
#include <linux/platform_device.h>
#include <linux/percpu-refcount.h>
#include <linux/percpu-rwsem.h>
#include <linux/rwsem.h>
#include <linux/slab.h>
#include <linux/srcu.h>
#include <linux/timex.h>
#include <unplug/gate.h>
#include "bench.h"
#include "compat.h"

#define PRICE_ROUNDS	41
#define PRICE_PAIRS	1000

/* What the loops work on; each uses one member. */
union price_object {
	bool dead;
	atomic_t count;
	struct unplug_gate gate;
	struct percpu_ref ref;
	struct percpu_rw_semaphore percpu_rwsem;
	struct rw_semaphore rwsem;
	struct {
		struct srcu_struct srcu;
		bool srcu_dead;
	};
};

/* @name: the loop over @body; it sees object and leaves by break if it is refused */
#define PRICE_LOOP(name, type, body)					\
static noinline void							\
price_loop_##name(void *address, unsigned long pairs)			\
{									\
	type *object __maybe_unused = address;				\
									\
	do {								\
		body							\
		barrier();						\
	} while (--pairs);						\
}

PRICE_LOOP(empty, union price_object, { })

PRICE_LOOP(flag, union price_object, {
	if (READ_ONCE(object->dead))
		break;
})

PRICE_LOOP(unplug, union price_object, {
	if (!unplug_gate_get_active(&object->gate))
		break;
	barrier();
	unplug_gate_put_active(&object->gate);
})

/* Counts, and looks at nothing: the floor of whatever counts per CPU. */
PRICE_LOOP(bare, union price_object, {
	this_cpu_inc(*object->gate.own);
	barrier();
	this_cpu_dec(*object->gate.own);
})

PRICE_LOOP(percpu_ref, union price_object, {
	if (!percpu_ref_tryget_live(&object->ref))
		break;
	barrier();
	percpu_ref_put(&object->ref);
})

PRICE_LOOP(percpu_rwsem, union price_object, {
	if (!percpu_down_read_trylock(&object->percpu_rwsem))
		break;
	barrier();
	percpu_up_read(&object->percpu_rwsem);
})

/* As drm_dev_enter() does it, but with an srcu_struct of the device's own */
PRICE_LOOP(srcu, union price_object, {
	int index = srcu_read_lock(&object->srcu);

	if (READ_ONCE(object->srcu_dead)) {
		srcu_read_unlock(&object->srcu, index);
		break;
	}
	barrier();
	srcu_read_unlock(&object->srcu, index);
})

PRICE_LOOP(drm_dev_enter, struct drm_device, {
	int index;

	if (!drm_dev_enter(object, &index))
		break;
	barrier();
	drm_dev_exit(index);
})

PRICE_LOOP(rwsem, union price_object, {
	if (!down_read_trylock(&object->rwsem))
		break;
	barrier();
	up_read(&object->rwsem);
})

/* As kernfs counts its active references */
PRICE_LOOP(shared_atomic, union price_object, {
	if (!atomic_inc_unless_negative(&object->count))
		break;
	barrier();
	if (unlikely(atomic_dec_return(&object->count) < 0))
		break;
})

static void price_gate_drained(struct unplug_gate *gate)
{
}

static void price_ref_release(struct percpu_ref *ref)
{
}

static int price_init_gate(union price_object *object)
{
	int err = unplug_gate_init(&object->gate, price_gate_drained);

	if (!err)
		unplug_gate_open(&object->gate);
	return err;
}

static void price_exit_gate(union price_object *object)
{
	struct unplug_gate *const gate = &object->gate;

	unplug_gate_kill(gate);
	unplug_gates_close(&gate, 1);
	unplug_gate_fold(gate);
	unplug_gate_destroy(gate);
}

static int price_init_ref(union price_object *object)
{
	return percpu_ref_init(&object->ref, price_ref_release, 0, GFP_KERNEL);
}

static void price_exit_ref(union price_object *object)
{
	percpu_ref_exit(&object->ref);
}

static int price_init_percpu_rwsem(union price_object *object)
{
	return percpu_init_rwsem(&object->percpu_rwsem);
}

static void price_exit_percpu_rwsem(union price_object *object)
{
	percpu_free_rwsem(&object->percpu_rwsem);
}

static int price_init_srcu(union price_object *object)
{
	return init_srcu_struct(&object->srcu);
}

static void price_exit_srcu(union price_object *object)
{
	cleanup_srcu_struct(&object->srcu);
}

static int price_init_rwsem(union price_object *object)
{
	init_rwsem(&object->rwsem);
	return 0;
}

/* The first is subtracted from the others. */
static struct price {
	const char *name;
	void (*loop)(void *object, unsigned long pairs);
	int (*init)(union price_object *object);
	void (*exit)(union price_object *object);
	void *object;
	size_t size;
} prices[] = {
	{ "empty", price_loop_empty },
	{ "flag", price_loop_flag },
	{ "bare", price_loop_bare, price_init_gate, price_exit_gate },
	{ "unplug", price_loop_unplug, price_init_gate, price_exit_gate },
	{ "percpu_ref", price_loop_percpu_ref, price_init_ref, price_exit_ref },
	{ "percpu_rwsem", price_loop_percpu_rwsem, price_init_percpu_rwsem,
	  price_exit_percpu_rwsem },
	{ "srcu", price_loop_srcu, price_init_srcu, price_exit_srcu },
	{ "drm_dev_enter", price_loop_drm_dev_enter },
	{ "rwsem", price_loop_rwsem, price_init_rwsem },
	{ "shared_atomic", price_loop_shared_atomic },
};

static struct platform_device *price_pdev;
static struct drm_device *price_drm;
static const struct drm_driver price_drm_driver = {
	.name = "unplug-bench",
	.desc = "nothing to show",
	UNPLUG_DRM_DATE("20260101")
};

static int price_init_drm(struct price *price)
{
	price_pdev = platform_device_register_simple("unplug-bench-drm", -1,
						     NULL, 0);
	if (IS_ERR(price_pdev))
		return PTR_ERR(price_pdev);
	price_drm = drm_dev_alloc(&price_drm_driver, &price_pdev->dev);
	if (IS_ERR(price_drm)) {
		platform_device_unregister(price_pdev);
		return PTR_ERR(price_drm);
	}
	price->object = price_drm;
	price->size = sizeof(*price_drm);
	return 0;
}

static int price_init_one(struct price *price)
{
	int err = 0;

	if (price->loop == price_loop_drm_dev_enter)
		return price_init_drm(price);
	price->size = sizeof(union price_object);
	price->object = kzalloc(price->size, GFP_KERNEL);
	if (!price->object)
		return -ENOMEM;
	if (price->init)
		err = price->init(price->object);
	if (err) {
		kfree(price->object);
		price->object = NULL;
	}
	return err;
}

void price_exit(void)
{
	struct price *price = prices + ARRAY_SIZE(prices);

	while (price-- > prices) {
		if (!price->object)
			continue;
		if (price->object == price_drm) {
			drm_dev_put(price_drm);
			platform_device_unregister(price_pdev);
			continue;
		}
		if (price->exit)
			price->exit(price->object);
		kfree(price->object);
	}
}

int price_init(void)
{
	int err, i;

	for (i = 0; i < ARRAY_SIZE(prices); i++) {
		err = price_init_one(&prices[i]);
		if (err) {
			price_exit();
			return err;
		}
	}
	return 0;
}

/* No interrupt in between: the instructions counted are the loop's. */
static s64 price_run(const struct price *price)
{
	unsigned long flags;
	cycles_t begin, end;

	local_irq_save(flags);
	begin = get_cycles();
	price->loop(price->object, PRICE_PAIRS);
	end = get_cycles();
	local_irq_restore(flags);
	return end - begin;
}

int price_show(struct seq_file *seq, void *data)
{
	int round, i;
	s64 empty, all;

	for (round = 0; round < PRICE_ROUNDS; round++) {
		empty = price_run(&prices[0]);
		for (i = 1; i < ARRAY_SIZE(prices); i++) {
			all = price_run(&prices[i]);
			sample(seq, "get_put", prices[i].name, "instructions",
			       (all - empty) * 1000 / PRICE_PAIRS);
		}
		cond_resched();
	}
	return 0;
}

/* The word of the gate that each CPU has, if there is one */
static long __percpu *price_word(const struct price *price)
{
	union price_object *object = price->object;

	return price->init == price_init_gate ? object->gate.own : NULL;
}

/*
 * NAME LOOP OBJECT SIZE WORD VALUE: addresses in hexadecimal, root's to read; the value
 * is that of any CPU, as nobody is inside.
 */
int price_text_show(struct seq_file *seq, void *data)
{
	long __percpu *word;
	int i;

	for (i = 0; i < ARRAY_SIZE(prices); i++) {
		word = price_word(&prices[i]);
		seq_printf(seq, "%s %lx %lx %zu %lx %ld\n", prices[i].name,
			   (unsigned long)prices[i].loop,
			   (unsigned long)prices[i].object, prices[i].size,
			   (__force unsigned long)word,
			   word ? *per_cpu_ptr(word, 0) : 0);
	}
	return 0;
}
