// SPDX-License-Identifier: GPL-2.0-only
//
// What convert/misc and convert/cdev must not convert, as far as it takes the flow of
// control, or types, to see it. Works on a copy that is thrown away: unplug_cannot_… are no
// functions, the wrapper finds them, tells the line, and refuses.

virtual patch

@ card @
identifier S, M;
identifier virtual.embedded;
@@
 struct S {
 ...
 struct embedded M;
 ...
 };

// --- ->remove: does it always take the device away? -------------------------------

@ bus @
identifier B, D, remove;
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

// The patch puts the unplug behind this one.
@ null @
identifier bus.remove, card.S, p;
expression E;
statement A;
position q;
@@
 remove(...)
 {
 ... when != A
 struct S *p = E;
 ... when != A
 if (\(!p\|p == NULL\|IS_ERR_OR_NULL(p)\))
 \(return@q ...;\|{ return@q ...; }\)
 ... when any
 }

@ null_assigned @
identifier bus.remove, card.S;
local idexpression struct S *p;
expression E;
statement A;
position q;
@@
 remove(...)
 {
 ... when != A
 p = E;
 if (\(!p\|p == NULL\|IS_ERR_OR_NULL(p)\))
 \(return@q ...;\|{ return@q ...; }\)
 ... when any
 }

@ early exists @
identifier bus.remove;
identifier away =~ "^(misc_deregister|cdev_del|cdev_device_del)$";
position q != {null.q, null_assigned.q};
@@
 remove(...)
 {
 ... when != away(...)
 return@q ...;
 ... when any
 }

@ @
position early.q;
expression E;
@@
(
-return@q E;
+unplug_cannot_return(E);
|
-return@q;
+unplug_cannot_return();
)

@ @
identifier bus.remove;
identifier away =~ "^(misc_deregister|cdev_del|cdev_device_del)$";
expression C;
@@
 remove(...)
 {
 <...
(
 if (C) { <+...
-away(
+unplug_cannot_branch(
 ...)
 ...+> }
|
 while (C) { <+...
-away(
+unplug_cannot_branch(
 ...)
 ...+> }
|
 for (...; ...; ...) { <+...
-away(
+unplug_cannot_branch(
 ...)
 ...+> }
)
 ...>
 }

// A way through that comes to the end and is no return: over a goto, or past a switch
@ ends exists @
identifier bus.remove;
identifier away =~ "^(misc_deregister|cdev_del|cdev_device_del)$";
position q;
@@
 remove@q(...)
 {
 ... when != away(...)
     when != return ...;
     when != return;
 }

@ @
identifier bus.remove;
position ends.q;
@@
-remove@q
+unplug_cannot_end
 (...)
 { ... }

// The unplug is put behind where its structure comes from: only one thing may say so.
@ @
identifier bus.remove, card.S, x, F;
local idexpression struct S *p;
expression E;
@@
 remove(...)
 {
 <...
(
-struct S *x = NULL;
+unplug_cannot_other();
|
-F(
+unplug_cannot_other(
 ..., &p, ...)
|
-p++
+unplug_cannot_other()
|
-p--
+unplug_cannot_other()
|
-p += E
+unplug_cannot_other()
)
 ...>
 }

@ given @
identifier bus.remove, card.S, p;
expression E;
@@
 remove(...)
 {
 ... when any
 struct S *p = E;
 ... when any
 }

@ @
identifier bus.remove, given.p;
expression E;
@@
 remove(...)
 {
 <...
-p = E
+unplug_cannot_other()
 ...>
 }

@ twice exists @
identifier bus.remove, card.S;
local idexpression struct S *p;
expression E, G;
position q;
@@
 remove(...)
 {
 ... when any
 p = E;
 ... when any
 p =@q G;
 ... when any
 }

@ @
position twice.q;
expression p, E;
@@
-p =@q E
+unplug_cannot_other()

// --- memory: what frees the structure, and is no kfree() of it ------------------------

@ @
identifier card.S;
struct S *p;
identifier free =~ "^(__|devm_)?(k|kv|kz|v)free(_sensitive|_const|_bulk|_atomic|_rcu_mightsleep)?$|^(kmem_cache|mempool)_free$";
@@
(
 kfree(p)
|
 kvfree(p)
|
-free(
+unplug_cannot_put(
 ..., p, ...)
)

// Of a type that is not said: a call, what a file or a device has, what points to it
@ kept @
identifier card.S;
struct S *p;
struct file *f;
identifier x, m;
expression E;
@@
(
 f->private_data = p;
|
 f->private_data = container_of(E, struct S, m);
|
 p = f->private_data;
|
 struct S *x = f->private_data;
)

@ @
expression E;
identifier F;
identifier free =~ "^(devm_)?(k|kv|kz|v)free(_sensitive|_rcu|_rcu_mightsleep)?$";
@@
(
-free(
+unplug_cannot_put(
 ..., F(...), ...)
|
-free(
+unplug_cannot_put(
 ..., E->driver_data, ...)
|
-free(
+unplug_cannot_put(
 ..., *E, ...)
)

@ depends on kept @
struct file *f;
identifier free =~ "^(devm_)?(k|kv|kz|v)free(_sensitive|_rcu|_rcu_mightsleep)?$";
@@
-free(
+unplug_cannot_put(
 f->private_data, ...)

// A void * that does not come from an allocation may be the structure.
@ bytes exists @
local idexpression void *v;
identifier alloc =~ "alloc|dup";
identifier free =~ "free";
position q;
@@
 v = alloc(...)
 ... when any
 free@q(..., v, ...)

@ @
local idexpression void *v;
identifier free =~ "^(devm_)?(k|kv|kz|v)free(_sensitive|_rcu|_rcu_mightsleep)?$";
position q != bytes.q;
@@
-free@q(
+unplug_cannot_put(
 ..., v, ...)

// --- memory: what is not one allocation for each device ---------------------------------

@ @
identifier card.S, T, m;
@@
 struct T {
 ...
(
-struct S m;
+unplug_cannot_alloc m;
|
-struct S m[...];
+unplug_cannot_alloc m;
)
 ...
 };

@ @
identifier card.S, x;
@@
(
-struct S x;
+unplug_cannot_alloc x;
|
-struct S x = { ... };
+unplug_cannot_alloc x;
|
-struct S x[...];
+unplug_cannot_alloc x;
)

@ @
identifier card.S;
struct S *p;
expression E;
@@
(
- *p = E
+unplug_cannot_assign()
|
-memset(p,
+unplug_cannot_assign(
 ...)
|
-memcpy(p,
+unplug_cannot_assign(
 ...)
)

// --- sleepers ------------------------------------------------------------------------------

// Bounded waits, and waits by turns: is it gone round again without a counter or a clock?
// A flag that ends such a loop is set by ->remove behind the wait for who is in it.
@ naps @
identifier nap =~ "_timeout(_[a-z]+)*$|^(m|s|f)sleep(_[a-z]+)?$|^usleep_range(_[a-z]+)?$|^[mnu]delay$|^cpu_relax$|^cond_resched$|^yield$";
position q;
@@
 nap@q(...)

@ napper @
identifier naps.nap, f;
position naps.q;
@@
 f(...)
 {
 <+...
 nap@q(...)
 ...+>
 }

@ calls @
identifier napper.f;
position q;
@@
 f@q(...)

@ again exists @
position q = {naps.q, calls.q};
local idexpression i;
identifier f;
identifier clock =~ "^(time_(before|after|is_)|ktime_(before|after|compare)|kthread_should_stop)";
@@
 f@q(...)
 ... when any
     when != \(i--\|--i\|i++\|++i\|clock(...)\)
 f@q(...)

@ @
position again.q;
identifier again.f;
@@
-f@q(
+unplug_cannot_loop(
 ...)

// No limit is one, too.
@ @
identifier poll =~ "_poll_timeout(_atomic)?$";
@@
-poll(
+unplug_cannot_loop(
 ..., 0)

@ @
identifier poll =~ "^read_poll_timeout(_atomic)?$";
expression A, B, C, D;
@@
-poll(
+unplug_cannot_loop(
 A, B, C, D, 0, ...)

// A result of wait_event_interruptible() that nobody looks at: round and round it goes.
@ looked @
expression r;
position q;
@@
 r = wait_event_interruptible@q(...);
 ... when != r = ...
(
 if (\(r\|r < 0\|r != 0\)) \( return ...; \| { ... return ...; } \| break; \| { ... break; } \)
|
 return r;
)

@ leaves @
constant C;
position q;
@@
 if (wait_event_interruptible@q(...))
 \( return -C; \| return ERR_PTR(-C); \)

@ @
position q != {looked.q, leaves.q};
@@
-wait_event_interruptible@q(
+unplug_cannot_tell(
 ...)

// Before it is registered, none gets in, and whoever waits would be told that it is pulled.
@ registers @
identifier f;
identifier add =~ "^(misc_register|cdev_add|cdev_device_add)$";
@@
 f(...)
 {
 <+...
 add(...)
 ...+>
 }

@ starts @
identifier bus.B, bus.D, probe;
@@
 struct B D = {
 .probe = probe,
 };

@ waiter @
identifier g;
@@
 g(...)
 {
 <+...
 wait_event_interruptible(...)
 ...+>
 }

@ @
identifier registers.f, waiter.g;
@@
 f(...)
 {
 <...
(
-wait_event_interruptible(
+unplug_cannot_early(
 ...)
|
-g(
+unplug_cannot_early(
 ...)
)
 ...>
 }

@ @
identifier starts.probe, waiter.g;
@@
 probe(...)
 {
 <...
(
-wait_event_interruptible(
+unplug_cannot_early(
 ...)
|
-g(
+unplug_cannot_early(
 ...)
)
 ...>
 }

// --- cdev: what stands between cdev_add() and device_create() --------------------------------

@ near @
expression p, r, d;
statement E1, E2;
position q;
@@
 r = cdev_add@q(p, ...);
(
 if (\(r\|r < 0\|r != 0\)) E1
|
)
(
 d = device_create(...);
 if (\(IS_ERR(d)\|IS_ERR_OR_NULL(d)\)) E2
|
 device_create(...);
|
 if (\(IS_ERR(device_create(...))\|IS_ERR_OR_NULL(device_create(...))\)) E2
)

@ @
position q != near.q;
@@
-cdev_add@q(
+unplug_cannot_delay(
 ...)

// What device_create() gave
@ node @
expression d;
position q;
@@
 d@q = device_create(...);

@ test @
expression node.d;
position q;
@@
(
 IS_ERR(d@q)
|
 IS_ERR_OR_NULL(d@q)
|
 PTR_ERR(d@q)
)

@ @
expression node.d;
position q != {node.q, test.q};
@@
-d@q
+unplug_cannot_node()

// By whatever name its structure has elsewhere
@ named @
identifier card.S, N;
struct S *p;
position q;
@@
 p->N@q = device_create(...)

@ named_test @
identifier card.S, named.N;
struct S *p;
position q;
@@
(
 IS_ERR(p->N@q)
|
 IS_ERR_OR_NULL(p->N@q)
|
 PTR_ERR(p->N@q)
)

@ @
identifier card.S, named.N;
struct S *p;
position q != {named.q, named_test.q};
@@
-p->N@q
+unplug_cannot_node()
