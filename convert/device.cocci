// SPDX-License-Identifier: GPL-2.0-only
//
// Second half of convert/misc and convert/cdev: the life of a structure that embeds
// struct unplug_dev. It is allocated and put; ->remove begins with unplug, and waits
// until nobody is inside, so that all it does then is as safe as it was meant to be.
// Sleepers in the driver's own queues are woken, and see that the device is pulled.
//
// unplug_cannot_… are no functions: the wrapper finds them, and refuses.

virtual patch

@ card @
identifier S;
@@
 struct S {
 ...
 struct unplug_dev unplug;
 ...
 };

@ table @
identifier D;
@@
 struct unplug_driver D = { ... };

// --- memory: the core's --------------------------------------------------------

@ devm @
identifier card.S, table.D;
struct S *p;
expression dev;
statement C;
@@
 p =
(
-devm_kzalloc(dev, sizeof(*p), ...)
+unplug_dev_alloc(&D, dev, struct S, unplug)
|
-devm_kzalloc(dev, sizeof(struct S), ...)
+unplug_dev_alloc(&D, dev, struct S, unplug)
|
-devm_kmalloc(dev, sizeof(*p), ...)
+unplug_dev_alloc(&D, dev, struct S, unplug)
)
 ;
-if (!p)
+if (IS_ERR(p))
 C
+if (devm_add_action_or_reset(dev, unplug_put_data, p))
+	return -ENOMEM;

@ depends on devm @
identifier table.D, card.S;
@@
 struct unplug_driver D = { ... };
+
+static void unplug_put_data(void *data)
+{
+	struct S *p = data;
+
+	unplug_dev_put(&p->unplug);
+}

// The parent is the device that is probed.
@ plain @
identifier card.S, table.D;
identifier probe, parent;
identifier bus =~ "^(acpi_device|auxiliary_device|hid_device|i2c_client|mei_cl_device|pci_dev|pcmcia_device|platform_device|serio|spi_device|usb_interface|virtio_device)$";
local idexpression struct S *p;
statement C;
@@
 probe(..., struct bus *parent, ...)
 {
 <+...
 p =
(
-kzalloc(sizeof(*p), ...)
+unplug_dev_alloc(&D, &parent->dev, struct S, unplug)
|
-kzalloc(sizeof(struct S), ...)
+unplug_dev_alloc(&D, &parent->dev, struct S, unplug)
)
 ;
-if (!p)
+if (IS_ERR(p))
 C
 ...+>
 }

@ depends on plain @
identifier card.S;
struct S *p;
@@
-kfree(p);
+unplug_dev_put(&p->unplug);

@ @
identifier card.S;
struct S *p;
expression E;
@@
(
- *p = E;
+unplug_cannot_assign();
|
-memset(p, 0, ...);
+unplug_cannot_assign();
)

// Another one, from elsewhere, would be freed as if it were the core's.
@ @
identifier card.S;
struct S *p;
identifier alloc =~ "^(devm_)?k[a-z]*alloc";
@@
 p =
-alloc(...)
+unplug_cannot_alloc()
 ;

// --- sleepers ---------------------------------------------------------------------

@ sleep @
identifier card.S;
fresh identifier pulled = S ## "_pulled";
struct S *p;
identifier Q;
expression C, r, E;
@@
(
 r =
-wait_event_interruptible(p->Q, C)
+wait_event_interruptible(p->Q, (C) || pulled(p))
 ;
+if (!r && pulled(p))
+	r = -ENODEV;
|
 if (
-wait_event_interruptible(p->Q, C)
+wait_event_interruptible(p->Q, (C) || pulled(p))
 )
	return E;
+if (pulled(p))
+	return -ENODEV;
)

// On a queue that ->remove does not know
@ @
expression Q, C, p;
identifier pulled =~ "_pulled$";
@@
(
 wait_event_interruptible(Q, (C) || pulled(p))
|
-wait_event_interruptible(Q, C)
+unplug_cannot_wake(Q)
)

// A queue of poll is slept on longer than the file's release leaves it alone.
@ @
identifier card.S;
struct S *p;
expression F, W, E;
identifier Q;
@@
(
 poll_wait(F, &p->Q, W)
|
-poll_wait(F, E, W)
+unplug_cannot_poll(E)
)

@ depends on sleep @
identifier card.S;
fresh identifier pulled = S ## "_pulled";
typedef bool;
@@
 struct S {
 ...
 };
+static bool pulled(struct S *p)
+{
+	if (!unplug_dev_get_active(&p->unplug))
+		return true;
+	unplug_dev_put_active(&p->unplug);
+	return false;
+}

// --- ->remove -----------------------------------------------------------------------

@ bus @
identifier B, D, remove, ops;
identifier slot =~ "^(remove|disconnect|remove_new)$";
@@
(
 struct B D = {
 .slot = remove,
 };
|
 struct B D = {
 .ops = { .slot = remove, },
 };
)

@ front @
identifier bus.remove, card.S;
identifier p;
expression E;
statement A, B;
@@
 remove(...)
 {
 ... when != A
 struct S *p = E;
 ... when != A
+unplug_dev_unplug(&p->unplug);
 B
 ... when any
-unplug_dev_unplug(&p->unplug);
 ... when any
 }

@ assigned depends on !front @
identifier bus.remove, card.S;
local idexpression struct S *p;
expression E;
statement A;
@@
 remove(...)
 {
 ... when != A
 p = E;
+unplug_dev_unplug(&p->unplug);
 ... when any
-unplug_dev_unplug(&p->unplug);
 ... when any
 }

// Is it there now? It may have been the first statement already.
@ first @
identifier bus.remove, card.S;
identifier p;
expression E;
statement A;
@@
 remove(...)
 {
 ... when != A
 struct S *p = E;
 ... when != A
 unplug_dev_unplug(&p->unplug);
+unplug_dev_wait_gone(&p->unplug);
 ... when any
 }

@ depends on !first @
identifier bus.remove, card.S;
local idexpression struct S *p;
expression E;
statement A;
@@
 remove(...)
 {
 ... when != A
 p = E;
 unplug_dev_unplug(&p->unplug);
+unplug_dev_wait_gone(&p->unplug);
 ... when any
 }

// --- where it is registered, and then something fails -----------------------------------

@ probe @
identifier f;
expression p;
@@
 f(...)
 {
 <+...
 unplug_dev_register(&p->unplug, ...)
 ...+>
 }

@ @
identifier probe.f;
expression p;
@@
 f(...)
 {
 <...
 unplug_dev_unplug(&p->unplug);
+unplug_dev_wait_gone(&p->unplug);
 ...>
 }

// --- who is woken: when nobody gets in any more, so that nobody goes to sleep again ---------

@ depends on sleep @
identifier sleep.Q;
expression p;
@@
 unplug_dev_unplug(&p->unplug);
++wake_up_all(&p->Q);
