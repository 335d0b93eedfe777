// SPDX-License-Identifier: GPL-2.0-only
//
// First half of convert/cdev: a struct cdev in the driver's structure becomes a struct
// unplug_dev, whose node is also what device_create(), or a struct device beside the
// cdev, was for. Numbers are the core's from now on; what the driver does with its own
// goes on by a field devt. device.cocci is the second half. What is not matched here stays
// as it is, and the wrapper refuses it.

virtual patch

@ card @
identifier S, C;
@@
 struct S {
 ...
-struct cdev C;
+struct unplug_dev unplug;
 ...
 };

// --- the table ---------------------------------------------------------------

@ table @
identifier card.C;
expression p;
identifier F;
@@
-cdev_init(&p->C, &F);

@ depends on table @
identifier table.F, card.S;
fresh identifier driver = S ## "_unplug";
@@
 struct file_operations F = { ... };
+
+static const struct unplug_driver driver = {
+	.owner = THIS_MODULE,
+	.name = KBUILD_MODNAME,
+	.fops = &F,
+};

@ @
identifier card.C;
expression p;
@@
-p->C.owner = THIS_MODULE;

// --- from a node to the device ------------------------------------------------------

@ @
identifier card.S, card.C;
identifier open, i, f;
@@
 open(struct inode *i, struct file *f)
 {
 <...
 container_of(
-i->i_cdev,
+unplug_dev_from_file(f),
 struct S,
-C
+unplug
 )
 ...>
 }

// --- a cdev that is the child of a struct device beside it --------------------------------

@ beside @
identifier card.C;
expression p;
identifier D;
@@
 cdev_device_add(&p->C, &p->D)

@ @
identifier card.S, beside.D;
@@
 struct S {
 ...
-struct device D;
 ...
 };

// Its release may only free: the core does.
@ @
identifier card.S, beside.D;
identifier release, d, p;
@@
(
-void release(struct device *d)
-{
-	struct S *p;
-	p = container_of(d, struct S, D);
-	kfree(p);
-}
|
-void release(struct device *d)
-{
-	struct S *p = container_of(d, struct S, D);
-	kfree(p);
-}
|
-void release(struct device *d)
-{
-	kfree(container_of(d, struct S, D));
-}
)

@ @
identifier card.C, beside.D;
expression p, r;
expression list A;
statement E;
@@
-r = dev_set_name(&p->D, A);
-if (r) E
 ...
-cdev_device_add(&p->C, &p->D)
+unplug_dev_register(&p->unplug, A)

@ @
identifier card.C, beside.D;
expression p;
expression list A;
@@
-dev_set_name(&p->D, A);
 ...
-cdev_device_add(&p->C, &p->D)
+unplug_dev_register(&p->unplug, A)

// What is more than that, is for ->gone, which only its author can say.
@ freed @
identifier beside.D, R;
expression p;
@@
-p->D.release = R;

@ @
identifier freed.R, d;
@@
 R(struct device *d)
 {
+unplug_cannot_free();
 ...
 }

@ used_beside @
identifier beside.D;
expression p, E;
@@
(
 p->D.devt = E
|
-p->D.devt
+p->devt
)

@ depends on used_beside @
identifier beside.D;
expression p, E;
@@
-p->D.devt = E
+p->devt = E

@ depends on used_beside @
identifier card.S;
@@
 struct S {
 ...
 struct unplug_dev unplug;
+dev_t devt;
 ...
 };

@ @
identifier card.C, beside.D;
expression p, E;
@@
(
-device_initialize(&p->D);
|
-p->D.class = E;
|
-p->D.parent = E;
|
-p->D.devt = E;
|
-cdev_device_del(&p->C, &p->D);
+unplug_dev_unplug(&p->unplug);
|
-get_device(&p->D);
+unplug_dev_get(&p->unplug);
|
-put_device(&p->D);
+unplug_dev_put(&p->unplug);
)

@ @
identifier card.S, beside.D;
struct S *p;
@@
-p->D
+unplug_cannot_use(p)

// --- a cdev, and device_create() for its node -----------------------------------------------

@ used @
identifier card.C;
expression p;
@@
-p->C.dev
+p->devt

@ depends on used @
identifier card.S;
@@
 struct S {
 ...
 struct unplug_dev unplug;
+dev_t devt;
 ...
 };

@ depends on used @
identifier card.C;
expression p, r, N;
@@
+p->devt = N;
 r = cdev_add(&p->C, N, 1);

@ @
identifier card.C;
expression p, r, N, M, class, parent, data, d;
expression list A;
statement E, F;
@@
 r =
-cdev_add(&p->C, N, 1)
+unplug_dev_register(&p->unplug, A)
 ;
(
 if (\(r\|r < 0\|r != 0\)) F
|
)
(
-if (IS_ERR(device_create(class, parent, M, data, A))) E
|
-d = device_create(class, parent, M, data, A);
-if (IS_ERR(d)) E
|
-device_create(class, parent, M, data, A);
)

@ @
identifier card.C;
expression p, class, N;
@@
(
-device_destroy(class, N);
|
-cdev_del(&p->C);
+unplug_dev_unplug(&p->unplug);
)

@ @
@@
-#include <linux/cdev.h>
+#include <unplug/device.h>
