# SPDX-License-Identifier: GPL-2.0-or-later
#
# A menu: each target calls the script that does it. `make` lists them.

# Spaces would already break what follows; the scripts check for the rest.
ifneq ($(words $(CURDIR)),1)
$(error the path of this clone is '$(CURDIR)': move it to one without spaces (kernel builds cannot handle them))
endif

help: ## list the targets
	@echo "usage: make TARGET; targets are:"
	@sed -n 's/^\([a-z_-]*\):.*## \(.*\)/\1 \2/p' Makefile | \
		while read -r target text; do printf '  %-16s %s\n' "$$target" "$$text"; done
	@echo "KERNEL=6.12 or KERNEL=7.2: demo, check, shell and others on that kernel, instead of 6.1"
	@echo "INSMOD=\"unplug unplug-edu\": what shell loads (unplug unplug-ivshmem)"

setup: ## install missing packages and unpack the kernel (what demo and check do first)
	@script/setup

# For a kernel that is named it is the core alone, and needs nothing of the set-up.
# Named on the command line: others export such variables, too.
ifneq ($(filter command,$(origin KVER) $(origin KDIR)),)
modules:
	@script/install build
else
modules: setup ## build the kernel modules, and the programs of tests and demo
	@script/modules $(if $(V),V=$(V)) $(if $(W),W=$(W))
	@script/programs
endif

modules_install: ## build and install the core for this machine's kernel, or KVER= or KDIR=; to DESTDIR=
	@script/install modules

install-headers: ## install what drivers that use it are compiled with; to DESTDIR=
	@script/install headers

install-dkms: ## install the source that DKMS builds the core from; to DESTDIR=
	@script/install dkms

uninstall: ## remove what these three installed; from DESTDIR=
	@script/install uninstall

demo: modules ## pull one of four cards under load, then one that interrupts and does DMA: what happened (out/demo)
	@demo/run

LIB_TOOLS = meson ninja-build gcc g++ clang valgrind libcmocka-dev libc6-dev binutils libclang-rt-14-dev liburing-dev

check: modules ## run all tests (out/check)
	@script/need $(LIB_TOOLS)
	@test/all

# Everything on a kernel with detectors, which are proven first.
define check_on
	@script/debug-kernel $(1)
	@KERNEL=6.1-$(1) script/modules
	@test/debug/run $(1)
	@KERNEL=6.1-$(1) test/run --driver unplug
endef

check-debug: modules ## all tests under KASAN, lockdep, kmemleak; every allocation fails in turn
	$(call check_on,kasan)
	@KERNEL=6.1-kasan script/drm-drivers
	@KERNEL=6.1-kasan test/drm/run --form unplug

check-kcsan: modules ## all tests under KCSAN: no data race of ours
	$(call check_on,kcsan)

check-matrix: ## all builds and tests on 6.1, 6.12 and 7.2, or KERNEL= alone; hours (out/matrix)
	@test/matrix $(KERNEL)

torture: modules ## random users while cards are pulled, for MINUTES=; SEED=, SCENARIO= and SECONDS= play one again (out/torture)
	@test/torture/run $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SECONDS),--seconds $(SECONDS)) $(if $(SEED),--seed $(SEED)) $(SCENARIO)

coverage: modules ## which lines all of these run, of the core and of libunplug; writes doc/coverage.md
	@script/need lcov meson ninja-build gcc libcmocka-dev libc6-dev liburing-dev
	@script/debug-kernel gcov
	@KERNEL=6.1-gcov script/modules
	@KERNEL=6.1-gcov script/drm-drivers
	@script/coverage

check-drm: modules ## four USB display cards, stock udl beside udl behind the gate
	@script/drm-drivers
	@test/drm/run

drm-plan: modules ## the kernel's own plan for hot-unplug, line by line; writes doc/drm-plan.md
	@script/drm-drivers
	@script/drm-plan --run

fuzz: modules ## fuzz guarded devices while they are pulled, for MINUTES=60, from SEED=
	@script/need trinity
	@test/fuzz/run --minutes $(or $(MINUTES),60) $(if $(SEED),--seed $(SEED))

check-fuzz: modules ## the same for a minute, always from the same seed
	@script/need trinity
	@test/fuzz/run --minutes 1 --seed 1

check-convert: modules ## drivers of the kernel tree, converted by convert/misc and convert/cdev
	@script/convert-drivers
	@test/convert/run

DKMS_KERNELS = $(or $(KERNEL),6.1 6.12)

check-dkms: ## DKMS builds, signs, installs and removes the core in the machine, on 6.1 and 6.12
	@script/need dkms openssl
	@for series in $(DKMS_KERNELS); do KERNEL=$$series script/setup || exit; done
	@test/dkms/run $(DKMS_KERNELS)

demo-drm: modules ## USB display cards pulled under weston and modetest, stock udl beside ours (out/demo-drm)
	@script/drm-drivers
	@demo/drm/run

mmap-races: modules ## each hole of mappings, in the plain algorithm and in ours; writes their table to doc/mmap-races.md
	@script/mmap-races --run

check-model: ## check the models of the lock-free steps, and that broken ones are found
	@script/need spin gcc libc6-dev
	@O=build/model model/run

check-lib: ## the tests of libunplug alone: gcc and clang, without rseq, sanitizers, valgrind
	@script/need $(LIB_TOOLS)
	@test/lib/run

demo-lib: ## libunplug: memory lent and taken back, two libraries that survive their losses; no root, seconds
	@script/need meson ninja-build gcc libc6-dev
	@demo/lib/run

# Loaded before the shell starts, in this order
INSMOD ?= unplug unplug-ivshmem

bench: modules ## what the gate costs, beside what else could guard a device (out/bench)
	@bench/run

bench-drm: modules ## what it costs a DRM card, stock beside guarded (out/bench)
	@script/drm-drivers
	@bench/run --drm

bench-lib: ## what libunplug costs, beside what else could guard a device in a process (out/bench-lib)
	@bench/lib/run

shell: modules ## a shell in the virtual machine; try: request pull 2
	@test/vm/run --name shell --interactive $(addprefix --insmod ,$(INSMOD)) -- /bin/bash -i

lint: setup ## shellcheck, sparse, W=1, checkpatch, semantic patches, clang-tidy, -fanalyzer
	@script/need shellcheck sparse clang-tidy coccinelle libdrm-dev libpng-dev liburcu-dev libck-dev
	@script/lint

doc: setup ## the reference of the kernel API as HTML (out/doc/html)
	@script/need python3-sphinx perl
	@script/doc

clean: ## remove what was compiled and all results; keep the unpacked kernel
	rm -rf out
	[ ! -d build ] || find build -mindepth 1 -maxdepth 1 ! -name 'linux-*' ! -name apt -exec rm -rf {} +
	rm -rf build/linux-*/shipped build/linux-*/hooks build/linux-*/initrd

distclean: ## remove everything that is not in git's care
	rm -rf out build

.PHONY: help setup modules modules_install install-headers install-dkms uninstall demo demo-drm check \
	check-debug check-kcsan coverage check-fuzz fuzz torture check-drm check-matrix drm-plan check-dkms check-convert check-model check-lib demo-lib mmap-races bench bench-drm bench-lib shell lint doc clean distclean
