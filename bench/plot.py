#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Draw the report of the benchmarks: plot.py FOLDER reads FOLDER/*.json and table.txt

Those of the library are told by their cases.
"""

import html
import io
import json
import os
import re
import sys

import matplotlib

matplotlib.use("Agg")
matplotlib.rcParams["svg.fonttype"] = "none"
matplotlib.rcParams["font.family"] = "sans-serif"
import matplotlib.pyplot as plt  # noqa: E402  (the backend has to be chosen first)

OURS, OTHERS, FLOOR, MORE = "#3b7dd8", "#9aa0a6", "#d9dce0", "#d93025"

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #202124; max-width: 1060px;
       margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.7em; margin-bottom: .2em; } h2 { font-size: 1.2em; margin-top: 2em; }
svg { width: 100%; height: auto; } figure { margin: 1em 0; }
figcaption { color: #5f6368; font-size: .92em; }
pre { background: #f8f9fa; padding: 1em; overflow-x: auto; font-size: .85em; line-height: 1.35; }
code { background: #f1f3f4; padding: 0 .25em; border-radius: 3px; }
"""


def figures(folder, case, unit=None):
    """Variant to figure, in the order measured; empty if the case was not. All units, or one."""
    path = os.path.join(folder, case + ".json")
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as source:
        return {entry["variant"]: entry for entry in json.load(source)
                if unit in (None, entry["unit"])}


def colour(variant):
    if variant.startswith("unplug"):
        return OURS
    return FLOOR if variant in ("none", "flag", "bare") else OTHERS


def bars(axis, entries, title, log=False):
    """Horizontal bars with the spread, the first variant on top."""
    names = list(entries)[::-1]
    values = [entries[name]["median"] for name in names]
    spread = [[entries[n]["median"] - entries[n]["p10"] for n in names],
              [entries[n]["p90"] - entries[n]["median"] for n in names]]
    axis.barh(names, values, color=[colour(name) for name in names], xerr=spread,
              error_kw={"ecolor": "#5f6368", "elinewidth": 1, "capsize": 2})
    axis.set_title(title, fontsize=10, loc="left")
    if log:
        axis.set_xscale("log")
        axis.set_xlim(left=min(entry["p10"] for entry in entries.values()) / 3)
    else:
        axis.locator_params(axis="x", nbins=5)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)
    axis.tick_params(labelsize=9)


def svg(figure, salt):
    """A figure as text to be put into a page."""
    text = io.StringIO()
    plt.rcParams["svg.hashsalt"] = salt
    figure.tight_layout()
    figure.savefig(text, format="svg", metadata={"Date": None})
    plt.close(figure)
    body = text.getvalue().split("?>", 1)[1].split(">", 1)[1]
    return re.sub(r"(\d\.\d\d)\d+", r"\1", body)


def picture(folder, cases, salt, log=False):
    """The cases side by side."""
    figure, axes = plt.subplots(1, len(cases), figsize=(11, 3.4), squeeze=False)
    for axis, (case, title) in zip(axes[0], cases):
        bars(axis, figures(folder, case), title, log)
    return svg(figure, salt)


def operations(folder):
    """What guards add to operations, in percent of the operation."""
    cases = (("null_ioctl", "null ioctl"), ("read_4k", "4 KiB read"),
             ("minor_fault", "minor fault"))
    figure, axes = plt.subplots(1, len(cases), figsize=(11, 1.9), squeeze=False)
    for axis, (case, title) in zip(axes[0], cases):
        entries = figures(folder, case)
        plain = entries["plain"]["median"]
        names = list(entries)[::-1]
        axis.barh(names, [plain] * len(names), color=OTHERS)
        axis.barh(names, [entries[name]["median"] - plain for name in names],
                  left=[plain] * len(names), color=MORE)
        more = entries["guarded"]["median"] - plain
        axis.set_title(f"{title}: +{more:.0f} instructions, {100 * more / plain:.1f} %",
                       fontsize=10, loc="left")
        for side in ("top", "right"):
            axis.spines[side].set_visible(False)
        axis.tick_params(labelsize=9)
    return svg(figure, "operations")


REVOKE = {"zap": "#202124", "srcu_shared": OTHERS, "unplug": OURS, "dummy": "#12a4af",
          "populated": "#e37400"}
STEPS = {"close": MORE, "hw": "#e37400", "zap": OTHERS, "rest": OURS}


def revoke_lines(axis, folder, cells, title, below):
    """Instructions of each way, by what the cells differ in: (number, name of the case)."""
    for variant, shade in REVOKE.items():
        points = [(x, figures(folder, "revoke_" + cell, "instructions")) for x, cell in cells]
        axis.plot([x for x, _ in points], [entries[variant]["median"] for _, entries in points],
                  label=variant, color=shade, marker="o", markersize=3,
                  linewidth=3 if variant == "zap" else 1.2)
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set_title(title, fontsize=10, loc="left")
    axis.set_xlabel(below, fontsize=9)
    axis.tick_params(labelsize=9)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)


def revoke_steps(axis, folder, cells):
    """What a shut is made of, time on two CPUs, in percent: bars beside each other add up."""
    for y, (cell, name) in enumerate(cells[::-1]):
        entries = figures(folder, "steps_" + cell, "us")
        total, left = sum(entries[step]["median"] for step in STEPS), 0
        for step, shade in STEPS.items():
            width = 100 * entries[step]["median"] / total
            axis.barh(f"{name}\n{total:.0f} µs", width, left=left, color=shade, label=step)
            left += width
        if y == 0:
            axis.legend(fontsize=8, frameon=False, ncol=4, loc="lower left",
                        bbox_to_anchor=(-.3, -.42))
    axis.set_title("steps of shut, percent of the time", fontsize=10, loc="left")
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)
    axis.tick_params(labelsize=9)


def revoke(folder):
    """Taking mappings away: how it grows, what it is made of."""
    figure, axes = plt.subplots(1, 3, figsize=(11, 3.4))
    revoke_lines(axes[0], folder, ((4096, "4k_1"), (1 << 20, "1m_1"), (1 << 24, "16m_1"),
                                   (1 << 28, "256m_1"), (1 << 30, "1g_1")),
                 "one process, instructions", "bytes mapped")
    axes[0].legend(fontsize=8, frameon=False)
    revoke_lines(axes[1], folder, ((1, "4k_1"), (8, "4k_8"), (50, "4k_50"), (200, "4k_200")),
                 "4 KiB each, instructions", "processes")
    revoke_steps(axes[2], folder, (("4k_1", "4 KiB"), ("1m_200", "200 of 1 MiB"),
                                   ("1g_1", "1 GiB")))
    return svg(figure, "revoke")


def touched(folder):
    """What it costs to touch what was taken away."""
    figure, axis = plt.subplots(figsize=(11, 1.9))
    entries = figures(folder, "touch")
    bars(axis, entries, "the first touch afterwards, instructions")
    for bar, name in zip(axis.patches, list(entries)[::-1]):
        bar.set_color(FLOOR if name in ("bare_sigbus", "anonymous") else OURS)
    return svg(figure, "touch")


def figures_all(folder):
    with open(os.path.join(folder, "table.txt"), encoding="utf-8") as source:
        return source.read()


def library_page(folder):
    """The report of bench/lib."""
    one = picture(folder, (("1t-1gate", "1 thread, 1 gate, ns"),
                           ("1t-64gates", "1 thread, 64 gates, ns"),
                           ("2t-1gate", "2 threads, 1 gate, ns each")), "one", True)
    work = picture(folder, (("1t-1gate-work", "1 thread, 1 gate, ns"),
                            ("1t-64gates-work", "1 thread, 64 gates, ns"),
                            ("2t-1gate-work", "2 threads, 1 gate, ns each")), "work")
    drain = picture(folder, (("drain_idle", "idle, µs"),
                             ("drain_sleeping_400", "400 asleep outside, µs"),
                             ("drain_sleeper_in", "one asleep in another, µs")), "drain", True)
    lost = picture(folder, (("revoke_4k_1", "4 KiB from one process, µs"),
                            ("revoke_4k_200", "4 KiB from 200, µs"),
                            ("revoke_1g_1", "1 GiB from one, µs")), "lost")
    live = picture(folder, (("loss_patch", "goes on with zeroes, µs"),
                            ("loss_jump", "goes on elsewhere, µs"),
                            ("loss_copy", "ends a copy, µs")), "live")
    memory = picture(folder, (("bytes_2", "2 CPUs or threads"), ("bytes_8", "8"),
                              ("bytes_64", "64, bytes")), "bytes", True)
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>libunplug: what it costs</title>
<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>
<h1>What the library costs</h1>
<p>Medians; whiskers are the 10th and 90th percentile. <code>bench/lib/README.md</code> says how each
figure came about.</p>
<h2>One get and put, logarithmic</h2>
<figure>{one}<figcaption>Light: what could not be cheaper. <code>flag</code> only looks;
<code>bare</code> counts per CPU, without what makes that correct.</figcaption></figure>
<h2>With 16 ns of work inside</h2>
<figure>{work}<figcaption><code>none</code> is that work without any gate.</figcaption></figure>
<h2>Drain, logarithmic</h2>
<figure>{drain}<figcaption>From shut until nobody is inside.</figcaption></figure>
<h2>Memory taken back, and lost</h2>
<figure>{lost}<figcaption><code>ftruncate</code> of a bare memfd is the least that can be done.</figcaption></figure>
<figure>{live}<figcaption>An access to what was lost; <code>bare</code> is a handler for one mapping alone.</figcaption></figure>
<h2>Memory of a gate, logarithmic</h2>
<figure>{memory}</figure>
<h2>All figures</h2>
<pre>{html.escape(figures_all(folder))}</pre>
</body></html>
"""


def page(folder):
    table = figures_all(folder)
    price = picture(folder, (("get_put_native", "1 thread, ns"),
                             ("get_put_native_2", "2 threads on one device, ns each"),
                             ("get_put", "instructions")), "price")
    pull = picture(folder, (("unplug_idle", "one, µs"), ("unplug_64", "64, µs"),
                            ("unplug_sleeper", "one, a sleeper in another, µs")), "pull", True)
    memory = picture(folder, (("bytes_2", "2 CPUs"), ("bytes_8", "8 CPUs"),
                              ("bytes_64", "64 CPUs, bytes")), "bytes", True)
    touch = touched(folder)
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>unplug: what the gate costs</title>
<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>
<h1>What the gate costs</h1>
<p>Medians; whiskers are the 10th and 90th percentile. <code>bench/README.md</code> says how each
figure came about.</p>
<h2>One get and put</h2>
<figure>{price}<figcaption>Light: what could not be cheaper. <code>flag</code> only looks;
<code>bare</code> counts per CPU, without what makes that correct.</figcaption></figure>
<h2>Guarded operations</h2>
<figure>{operations(folder)}<figcaption>Red: what is added to the operation that nothing guards.
<code>gates</code> enters and leaves the gates and does nothing else about them;
<code>tracked</code> writes down who is inside.</figcaption></figure>
<h2>Unplug, logarithmic</h2>
<figure>{pull}<figcaption>Until nobody is inside and nobody will be. <code>unplug_dev</code> is the
whole device, node and uevents included. <code>srcu_shared</code> is what DRM does.</figcaption></figure>
<h2>Taking mappings away</h2>
<figure>{revoke(folder)}<figcaption>Until no entry is left of what sleeping processes have mapped,
logarithmic. <code>zap</code>: <code>unmap_mapping_range()</code> alone, without anything that keeps
new entries out; <code>srcu_shared</code>: after the readers of all devices, as DRM does it.
<code>dummy</code> is where <code>unplug</code> is.</figcaption></figure>
<figure>{touch}<figcaption>What touching them afterwards costs.</figcaption></figure>
<h2>Memory of a device, logarithmic</h2>
<figure>{memory}</figure>
<h2>All figures</h2>
<pre>{html.escape(table)}</pre>
</body></html>
"""


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: plot.py FOLDER")
    library = os.path.exists(os.path.join(sys.argv[1], "1t-1gate.json"))
    text = (library_page if library else page)(sys.argv[1])
    with open(os.path.join(sys.argv[1], "report.html"), "w", encoding="utf-8") as target:
        target.write(text)


if __name__ == "__main__":
    main()
