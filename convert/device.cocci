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

// Allocated by a function that returns NULL if it fails, as ever: what the driver makes of
// that may stay.
@ devm @
identifier card.S, table.D;
fresh identifier alloc = "devm_" ## S ## "_unplug_alloc";
struct S *p;
identifier i;
identifier kalloc =~ "^devm_k[mz]alloc$";
expression dev;
@@
(
 struct S *i =
-kalloc(dev, \(sizeof(*i)\|sizeof(struct S)\), ...)
+alloc(dev)
 ;
|
 p =
-kalloc(dev, \(sizeof(*p)\|sizeof(struct S)\), ...)
+alloc(dev)
)

@ depends on devm @
identifier table.D, card.S;
fresh identifier alloc = "devm_" ## S ## "_unplug_alloc";
@@
 struct unplug_driver D = { ... };
+
+static void unplug_put_data(void *data)
+{
+	struct S *p = data;
+
+	unplug_dev_put(&p->unplug);
+}
+
+static struct S *alloc(struct device *parent)
+{
+	struct S *p = unplug_dev_alloc(&D, parent, struct S, unplug);
+
+	if (IS_ERR(p) || devm_add_action_or_reset(parent, unplug_put_data, p))
+		return NULL;
+	return p;
+}

// The parent is the device that is probed.
@ plain @
identifier card.S, table.D;
fresh identifier alloc = S ## "_unplug_alloc";
identifier probe, parent, i;
identifier bus =~ "^(acpi_device|auxiliary_device|hid_device|i2c_client|mei_cl_device|pci_dev|pcmcia_device|platform_device|serio|spi_device|usb_interface|virtio_device)$";
local idexpression struct S *p;
@@
 probe(..., struct bus *parent, ...)
 {
 <+...
(
 struct S *i =
-kzalloc(\(sizeof(*i)\|sizeof(struct S)\), ...)
+alloc(&parent->dev)
 ;
|
 p =
-kzalloc(\(sizeof(*p)\|sizeof(struct S)\), ...)
+alloc(&parent->dev)
)
 ...+>
 }

@ depends on plain @
identifier table.D, card.S;
fresh identifier alloc = S ## "_unplug_alloc";
@@
 struct unplug_driver D = { ... };
+
+static struct S *alloc(struct device *parent)
+{
+	struct S *p = unplug_dev_alloc(&D, parent, struct S, unplug);
+
+	return IS_ERR(p) ? NULL : p;
+}

@ frees exists @
identifier f;
identifier card.S;
identifier free =~ "^kv?free(_rcu)?$";
struct S *p;
position q;
@@
 f(...)
 {
 ... when any
 free@q(p, ...);
 ... when any
 }

// kfree(NULL) is right, and where somebody asks whether it is NULL it may be. Not if all
// that is asked is what the allocation gave, and the answer is to return.
@ ladder @
identifier card.S, L;
local idexpression struct S *p;
identifier alloc =~ "_unplug_alloc$";
position q;
@@
 p = alloc(...);
 if (\(!p@q\|p@q == NULL\)) \( goto L; \| { ... goto L; ... } \)

@ direct @
identifier card.S;
local idexpression struct S *p;
identifier alloc =~ "_unplug_alloc$";
position q != ladder.q;
@@
 p = alloc(...);
 if (\(!p@q\|p@q == NULL\)) \( return ...; \| { ... return ...; } \)

@ doubt exists @
identifier i, free;
identifier card.S;
identifier asks =~ "likely$|^IS_ERR_OR_NULL$|^WARN|^BUG";
local idexpression struct S *p;
position tested != direct.q;
position frees.q;
position d;
expression X, Y;
statement A, B;
@@
(
 if (p@tested) A else B
|
 !p@tested
|
 p@tested == NULL
|
 p@tested != NULL
|
 p@tested && X
|
 X && p@tested
|
 p@tested || X
|
 X || p@tested
|
 p@tested ? X : Y
|
 asks(p@tested, ...)
|
 p = NULL
|
 struct S *i = NULL;
)
 ... when any
 free@q@d(p, ...);

// Nor on a way that does nothing with it, whatever was asked.
@ unused exists @
identifier f, free, member;
identifier card.S;
local idexpression struct S *p;
position frees.q;
position d;
@@
 f(...)
 {
 ... when != p->member
 free@q@d(p, ...);
 ... when any
 }

// Nor if nothing else is done with it.
@ sure exists @
identifier member, free;
identifier card.S;
struct S *p;
position frees.q;
position s != {doubt.d, unused.d};
@@
 p->member
 ... when any
 free@q@s(p, ...);

@ @
identifier card.S;
identifier free;
struct S *p;
position sure.s;
@@
-free@s(p, ...);
+unplug_dev_put(&p->unplug);

@ @
identifier card.S;
identifier free =~ "^kv?free(_rcu)?$";
struct S *p;
@@
-free(p, ...);
+if (p)
+	unplug_dev_put(&p->unplug);

// Another one, from elsewhere, would be freed as if it were the core's.
@ @
identifier card.S, i;
struct S *p;
identifier alloc =~ "^(devm_)?(k|kv|v)[a-z]*(alloc|memdup|mem_cache)|memdup";
@@
(
 struct S *i =
-alloc(
+unplug_cannot_alloc(
 ...);
|
 p =
-alloc(
+unplug_cannot_alloc(
 ...)
)

@ @
identifier card.S;
identifier alloc =~ "^(devm_)?(k|kv|v)[a-z]*alloc";
@@
-alloc(
+unplug_cannot_alloc(
 ..., sizeof(struct S), ...)

// --- sleepers ---------------------------------------------------------------------

@ sleep @
identifier card.S;
fresh identifier pulled = S ## "_pulled";
struct S *p;
identifier Q;
expression C, r;
constant E;
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
	return -E;
+if (pulled(p))
+	return -ENODEV;
|
 if (
-wait_event_interruptible(p->Q, C)
+wait_event_interruptible(p->Q, (C) || pulled(p))
 )
	return ERR_PTR(-E);
+if (pulled(p))
+	return ERR_PTR(-ENODEV);
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

// It may be NULL, and nothing was done then: so it stays.
@ null @
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
 if (\(!p\|p == NULL\|IS_ERR_OR_NULL(p)\))
 \(return ...;\|{ return ...; }\)
+unplug_dev_unplug(&p->unplug);
+unplug_dev_wait_gone(&p->unplug);
 ... when any
-unplug_dev_unplug(&p->unplug);
 ... when any
 }

@ null_assigned depends on !null @
identifier bus.remove, card.S;
local idexpression struct S *p;
expression E;
statement A;
@@
 remove(...)
 {
 ... when != A
 p = E;
 if (\(!p\|p == NULL\|IS_ERR_OR_NULL(p)\))
 \(return ...;\|{ return ...; }\)
+unplug_dev_unplug(&p->unplug);
+unplug_dev_wait_gone(&p->unplug);
 ... when any
-unplug_dev_unplug(&p->unplug);
 ... when any
 }

@ front depends on !null && !null_assigned @
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

@ assigned depends on !null && !null_assigned && !front @
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
