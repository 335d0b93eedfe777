#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Draw the report of the benchmarks: plot.py FOLDER reads FOLDER/*.json and table.txt"""

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


def figures(folder, case):
    """Variant to figure, in the order measured; empty if the case was not."""
    path = os.path.join(folder, case + ".json")
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as source:
        return {entry["variant"]: entry for entry in json.load(source)}


def colour(variant):
    if variant.startswith("unplug"):
        return OURS
    return FLOOR if variant in ("flag", "bare") else OTHERS


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


def page(folder):
    with open(os.path.join(folder, "table.txt"), encoding="utf-8") as source:
        table = source.read()
    price = picture(folder, (("get_put_native", "1 thread, ns"),
                             ("get_put_native_2", "2 threads on one device, ns each"),
                             ("get_put", "instructions")), "price")
    pull = picture(folder, (("unplug_idle", "one, µs"), ("unplug_64", "64, µs"),
                            ("unplug_sleeper", "one, a sleeper in another, µs")), "pull", True)
    memory = picture(folder, (("bytes_2", "2 CPUs"), ("bytes_8", "8 CPUs"),
                              ("bytes_64", "64 CPUs, bytes")), "bytes", True)
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
<code>gates</code> enters and leaves the gates and does nothing else about them.</figcaption></figure>
<h2>Unplug, logarithmic</h2>
<figure>{pull}<figcaption>Until nobody is inside and nobody will be. <code>unplug_dev</code> is the
whole device, node and uevents included. <code>srcu_shared</code> is what DRM does.</figcaption></figure>
<h2>Memory of a device, logarithmic</h2>
<figure>{memory}</figure>
<h2>All figures</h2>
<pre>{html.escape(table)}</pre>
</body></html>
"""


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: plot.py FOLDER")
    text = page(sys.argv[1])
    with open(os.path.join(sys.argv[1], "report.html"), "w", encoding="utf-8") as target:
        target.write(text)


if __name__ == "__main__":
    main()
