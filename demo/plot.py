#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Draw the report of the demonstration: plot.py REPORT.json REPORT.html"""

import html
import io
import json
import re
import sys

import matplotlib

matplotlib.use("Agg")
matplotlib.rcParams["svg.fonttype"] = "none"
matplotlib.rcParams["font.family"] = "sans-serif"
import matplotlib.pyplot as plt  # noqa: E402  (the backend has to be chosen first)

CLIENT, FIO, REFUSED, STALE, OUT = "#3b7dd8", "#8fc1f0", "#9aa0a6", "#d93025", "#f1ead6"
SIDES = (("ours", "unplug"), ("naive", "naive driver (the control)"))

# Row label, operation, for the table of results.
OPERATIONS = (
    ("read", "read"), ("write", "write"), ("lseek", "lseek"), ("ioctl", "ioctl"),
    ("new mmap", "mmap"), ("poll", "poll"), ("open, of the old node", "open"),
    ("load from the old mapping", "load"), ("store to the old mapping", "store"),
    ("write(2) out of the old mapping", "copy"), ("munmap", "munmap"), ("close", "close"),
)

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #202124; max-width: 1060px;
       margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.7em; margin-bottom: .2em; } h2 { font-size: 1.2em; margin-top: 2em; }
.verdict { padding: .8em 1em; border-radius: 8px; font-weight: 600; }
.pass { background: #e6f4ea; color: #137333; } .fail { background: #fce8e6; color: #a50e0e; }
svg { width: 100%; height: auto; } figure { margin: 1em 0; }
figcaption { color: #5f6368; font-size: .92em; }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; padding: .25em .8em;
       border-bottom: 1px solid #e8eaed; vertical-align: top; }
td:first-child, th:first-child { width: 36%; } td, th { width: 32%; }
th { background: #f8f9fa; } td.bad { color: #c5221f; font-weight: 600; }
.checks td, .checks th { width: auto; }
.checks td:first-child, .checks th:first-child { width: 7em; }
td.good { color: #137333; } code { background: #f1f3f4; padding: 0 .25em; border-radius: 3px; }
"""


def chosen(scene, begin, end):
    """Indices of the samples to be drawn; a little more than the axis shows."""
    return [i for i, t in enumerate(scene["samples"]["seconds"]) if begin - 1 <= t <= end + 1]


def rates(scene, card, key, indices):
    """Per second; a sample is a tenth of one."""
    values = scene["samples"]["cards"][card - 1][key]
    return [values[i] * 10 for i in indices]


def lane(axis, label, time, series, colours):
    """One thing over time, stacked."""
    axis.stackplot(time, *series, colors=colours, linewidth=0, step="mid")
    axis.axhline(0, color="#5f6368", linewidth=.6)
    axis.set_yticks([])
    for side in ("top", "right", "left", "bottom"):
        axis.spines[side].set_visible(False)
    axis.set_ylabel(label, rotation=0, ha="right", va="center")
    axis.tick_params(axis="x", length=0, labelbottom=False)


def shade(axis, scene, victim):
    """The times at which the card was out, as far as the axis shows them."""
    begin, finish = axis.get_xlim()
    for entry in scene["rounds"]:
        end = entry["back"] or scene["samples"]["seconds"][-1]
        axis.axvspan(entry["called"], end, color=OUT, zorder=0, linewidth=0)
        margin = (finish - begin) * .06
        if victim and begin + margin < (entry["called"] + end) / 2 < finish - margin:
            axis.annotate(entry["way"], ((entry["called"] + end) / 2, 1), fontsize=8,
                          xycoords=("data", "axes fraction"), ha="center", va="bottom",
                          color="#7a6a3a", annotation_clip=True)


def column(axes, scene, title, begin, end):
    """
    All cards of one side, below each other, on one scale; the old clients of the
    victim, who become more with every round, in a lane of their own.
    """
    victim, indices = scene["victim"], chosen(scene, begin, end)
    time = [scene["samples"]["seconds"][i] for i in indices]
    lanes = []
    for card in range(1, scene["cards"] + 1):
        lanes.append((f"card {card}", card, ("client", "fio"), (CLIENT, FIO)))
        if card == victim:
            lanes.append((f"old clients\nof card {card}", card, ("old_worked", "old_failed"),
                          (STALE, REFUSED)))

    axes[0].set_title(title, fontweight="bold", pad=16)
    for axis, (label, card, keys, colours) in zip(axes, lanes):
        lane(axis, label, time, [rates(scene, card, key, indices) for key in keys], colours)
        axis.set_xlim(begin, end)
        shade(axis, scene, keys[0] == "client" and card == victim)
        axis.set_xlim(begin, end)
    new = [axis for axis, entry in zip(axes, lanes) if entry[2][0] == "client"]
    top = max(axis.get_ylim()[1] for axis in new)
    for axis in axes:
        axis.set_ylim(0, top if axis in new else max(axis.get_ylim()[1], top))
    axes[-1].tick_params(axis="x", length=3, labelbottom=True)


def legend(figure):
    """What the colours mean, once for all lanes."""
    names = (("its client", CLIENT), ("fio", FIO), ("old clients: refused", REFUSED),
             ("old clients: still worked", STALE), ("card 2 is out", OUT))
    figure.legend([plt.Rectangle((0, 0), 1, 1, color=colour) for _, colour in names],
                  [name for name, _ in names], loc="lower center", ncol=len(names),
                  frameon=False, fontsize=9)


def svg(figure, salt):
    """A figure as text to be put into a page."""
    text = io.StringIO()
    plt.rcParams["svg.hashsalt"] = salt
    figure.savefig(text, format="svg", metadata={"Date": None})
    plt.close(figure)
    body = text.getvalue().split("?>", 1)[1].split(">", 1)[1]
    return re.sub(r"(\d\.\d\d)\d+", r"\1", body)


def picture_pull(sides):
    """All cards of both sides around one pull: the first both have come back from."""
    for i, entry in enumerate(sides[0][0]["rounds"]):
        if entry["way"] == "pull" and all(
                len(scene["rounds"]) > i and scene["rounds"][i]["back"] for scene, _ in sides):
            break
    else:
        i = 0
    figure, axes = plt.subplots(sides[0][0]["cards"] + 1, len(sides), figsize=(11, 4.8),
                                squeeze=False)
    for number, (scene, title) in enumerate(sides):
        entry = scene["rounds"][i]
        middle = entry["called"]
        column(axes[:, number], scene, title, middle - 1.2, middle + 3)
        axes[-1, number].set_xticks([middle + t for t in (-1, 0, 1, 2, 3)],
                                    ["-1 s", "pull", "+1 s", "+2 s", "+3 s"])
    figure.tight_layout(rect=(0, .06, 1, 1), h_pad=.3)
    legend(figure)
    return svg(figure, "pull")


def picture_all(sides):
    """The whole scene of each side."""
    figures = []
    for number, (scene, title) in enumerate(sides):
        begin, end = scene["rounds"][0]["called"] - 2, scene["samples"]["seconds"][-1]
        if scene["rounds"][-1]["back"]:
            end = min(end, scene["rounds"][-1]["back"] + 2.5)
        figure, axes = plt.subplots(scene["cards"] + 1, 1, figsize=(11, 3.8), squeeze=False)
        column(axes[:, 0], scene, title, begin, end)
        axes[-1, 0].set_xlabel("seconds")
        figure.tight_layout(rect=(0, .08, 1, 1), h_pad=.2)
        legend(figure)
        figures.append(svg(figure, f"all{number}"))
    return figures


def results(side, operation):
    """How an operation on something old ended, in words."""
    entries = side["summary"]["operations"].get(operation, [])
    return ", ".join(f"{e['result']} {e['count']}x" for e in entries) or "not reached"


def cell(text, kind=""):
    return f'<td class="{kind}">{html.escape(str(text))}</td>'


def row(label, ours, naive, bad=False):
    """One line of a table; @bad: the naive driver is wrong here."""
    return f"<tr>{cell(label)}{cell(ours)}{cell(naive, 'bad' if bad else '')}</tr>"


def table(rows, heads=("", "unplug", "naive"), kind=""):
    head = "".join(f"<th>{html.escape(h)}</th>" for h in heads)
    return f"<table class=\"{kind}\"><tr>{head}</tr>{''.join(rows)}</table>"


def spread(side, what, unit):
    value = side["summary"]["times"][what]
    if not value:
        return "no such event"
    digits = 0 if unit == "µs" else 1
    return f"{value['median']:,.{digits}f} / {value['max']:,.{digits}f} {unit}"


def table_operations(ours, naive):
    rows = []
    for label, name in OPERATIONS:
        text = results(naive, name)
        wrong = any(e["result"] in ("ok", "killed") for e in naive["summary"]["operations"]
                    .get(name, [])) and name not in ("close", "munmap")
        rows.append(row(label, results(ours, name), text, wrong))
    return table(rows)


def table_stale(ours, naive):
    def found(side, key, what):
        part = side["summary"][key]
        return f"{part[what]} in {part['measured']} rounds"

    rows = []
    for label, key, what in (
            ("bytes of the unbound or removed card changed after the host had filled it",
             "fill", "bytes"),
            ("stores of old mappings found in the memory of the new card", "replug", "mapped"),
            ("writes of old descriptors found there", "replug", "written")):
        rows.append(row(label, found(ours, key, what), found(naive, key, what),
                        naive["summary"][key][what] > 0))
    for label, what in (("old operations that worked after the pull", "worked"),
                        ("of these after another card was in the slot", "worked_back")):
        rows.append(row(label, ours["summary"]["old"][what], naive["summary"]["old"][what],
                        naive["summary"]["old"][what] > 0))
    killed = [side["summary"]["old"]["killed"] for side in (ours, naive)]
    rows.append(row("old clients the kernel killed",
                    *(f"{len(k)}, the first: {k[0]}" if k else "none" for k in killed),
                    bool(killed[1])))
    return table(rows)


def table_times(ours, naive):
    rows = [row(label, spread(ours, what, unit), spread(naive, what, unit))
            for label, what, unit in (
                ("shut: newcomers fail", "shut_us", "µs"),
                ("drained: nobody is inside any more", "drained_us", "µs"),
                ("gone: the driver may be unloaded", "gone_us", "µs"),
                ("unbind or remove returned", "sysfs_ms", "ms"),
                ("device_del done", "pull_ms", "ms"))]
    return table(rows)


def table_others(ours, naive):
    def figures(side):
        others = side["summary"]["others"]
        return (f"{others['client']} / {others['fio']}", others["failed"],
                f"{others['longest_ms']:.1f} ms")

    labels = ("operations while card 2 was out, client / fio", "that failed",
              "slowest one (information; not judged)")
    return table([row(*line) for line in zip(labels, figures(ours), figures(naive))])


def table_checks(report):
    rows = [f"<tr>{cell('holds' if c['pass'] else 'FAILED', 'good' if c['pass'] else 'bad')}"
            f"{cell(c['text'])}</tr>" for c in report["checks"]]
    return table(rows, ("", "check"), "checks")


USERS = (("who waits for a slow result", "wait"), ("who polls", "poll"),
         ("who computes", "compute"), ("who has bytes moved", "move"))


def told(scene, kind):
    """What the user of the victim was told, and after how long."""
    for user in (scene or {}).get("users", []):
        if user["card"] == scene["victim"] and user["kind"] == kind:
            if not user["ended"]:
                return "never answered"
            after = f" after {user['after_ms']:.1f} ms" if user["after_ms"] is not None else ""
            return user["ended"] + after
    return "not reached"


def table_second(second):
    """The second act: what became of the card's users, and what the card did."""
    sides = [second["ours"], second["naive"]]
    scenes = [side["scene"] or {} for side in sides]

    def others(scene):
        users = [u for u in scene.get("users", []) if u["card"] != scene["victim"]]
        return f"{sum(u['went_on'] for u in users)} of {len(users)}"

    def count(scene, what):
        return "not measured" if scene.get(what) is None else scene[what] or "none"

    rows = []
    for label, kind in USERS:
        text = [told(scene, kind) for scene in scenes]
        rows.append(row(label, *text, text[1] == "never answered"))
    for label, what in (("bytes of DMA that went to memory which had been given back",
                         "freed_bytes"), ("interrupt lines lost", "lines_lost")):
        rows.append(row(label, *(count(scene, what) for scene in scenes),
                        bool(scenes[1].get(what))))
    text = [others(scene) for scene in scenes]
    rows.append(row("users of the other cards that went on", *text, text[0] != text[1]))
    rows.append(row("card 2 is back, and serves",
                    *("yes" if scene.get("fresh") else "no" for scene in scenes),
                    not scenes[1].get("fresh")))
    rows.append(row("unloading the driver, old files open",
                    *(scene.get("unload") or "not reached" for scene in scenes),
                    scenes[1].get("unload") != "ok"))
    rows.append(row("kernel log", *(side["machine"].get("kernel", "?") for side in sides),
                    sides[1]["machine"].get("kernel") != "clean"))
    return table(rows)


def kernel(side):
    """How the virtual machine ended."""
    machine = side["machine"]
    ends = {"exit": "the virtual machine ended regularly", "crash": "the guest crashed",
            "timeout": "the guest hung"}
    end = (side["scene"] or {}).get("problem") or ends.get(machine.get("end"),
                                                           "the guest went away")
    return f"{end}; kernel log: {machine.get('kernel', '?')}"


def page(report):
    """The whole page."""
    ours, naive = report["ours"], report["naive"]
    sides = [(report[key]["scene"], title) for key, title in SIDES
             if report[key]["scene"] and report[key]["scene"]["rounds"]]
    scene = ours["scene"] or naive["scene"]
    verdict = ("PASS: every check holds, and the naive drivers were caught." if report["pass"] else
               "FAILED: " + "; ".join(c["text"] for c in report["checks"] if not c["pass"]))
    pictures = [picture_pull(sides)] + picture_all(sides) if sides else ["", ""]
    played = [f"{side['summary']['rounds']} of {scene['planned']}" for side in (ours, naive)]

    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>unplug: pulling a card under load</title>
<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>
<h1>Pulling one of {scene['cards']} cards while everybody works on them</h1>
<p>A virtual machine with a stock Linux {html.escape(scene['kernel'])} kernel has {scene['cards']}
PCI cards, whose memory is a file on the host each. On every card a client of ours (read, write,
lseek, ioctl, mmap, poll, open, and loads and stores through a mapping) and <code>fio</code> are at
work. Card {scene['victim']} is taken out again and again: unbound from its driver, removed from the
bus, or pulled out of the machine; then it, or a fresh one, comes back. The client that had it open
never lets go of its descriptor and mapping, and goes on trying. Played twice: with a driver that
uses <b>unplug</b>, and with a <b>naive</b> one, written the way many drivers are.</p>
<p class="verdict {'pass' if report['pass'] else 'fail'}">{html.escape(verdict)}</p>
<h2>Around one pull</h2>
<figure>{pictures[0]}<figcaption>Operations over time on each card, blue. Old clients are those whose
card was taken out, in this round or an earlier one. Grey: they were refused. Red: an operation
worked although its descriptor or mapping belongs to a card that is no longer there.</figcaption></figure>
<h2>What became of old descriptors and mappings</h2>
{table_operations(ours, naive)}
<h2>Did anything old reach a card?</h2>
<p>Not asked of the driver but looked for by the host, in the files that are the cards' memory: old
clients store byte patterns nobody else uses.</p>
{table_stale(ours, naive)}
<h2>Time from the pull (median / maximum of the rounds)</h2>
{table_times(ours, naive)}
<h2>The other cards meanwhile</h2>
{table_others(ours, naive)}
<h2>The machine</h2>
{table([row("rounds played", *played), row("end", kernel(ours), kernel(naive),
            naive["machine"].get("kernel") != "clean")])}
<h2>Second act: cards that compute, interrupt and do DMA</h2>
<p>Four of QEMU's educational cards, two of which share an interrupt line. On each, one process has
factorials computed, and another bytes moved by DMA; two more sleep in card 2, which is unbound.</p>
{table_second(report["second"])}
<h2>From beginning to end</h2>
<figure>{''.join(pictures[1:])}</figure>
<h2>The checks behind the verdict</h2>
{table_checks(report)}
<p>All figures: <code>report.json</code>, beside this page.</p>
</body></html>
"""


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: plot.py REPORT.json REPORT.html")
    with open(sys.argv[1], encoding="utf-8") as source:
        report = json.load(source)
    if not (report["ours"]["scene"] or report["naive"]["scene"]):
        sys.exit("plot.py: no scene in " + sys.argv[1])
    with open(sys.argv[2], "w", encoding="utf-8") as target:
        target.write(page(report))


if __name__ == "__main__":
    main()
