#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Draw screens.png and report.html of the display demonstration: plot.py FOLDER DIFF"""

import base64
import html
import json
import os
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402  (the backend has to be chosen first)

SIDES = (("stock", "stock udl"), ("unplug", "converted udl"))
TIMES = (("before", "at work"), ("pulled", "1 and 2 pulled"), ("after", "plugged again"))
SCREENS = ("card 1: weston", "card 2 (another machine): modetest", "card 3: modetest",
           "card 4: modetest")

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #202124; max-width: 1060px;
       margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.7em; margin-bottom: .2em; } h2 { font-size: 1.2em; margin-top: 2em; }
.verdict { padding: .8em 1em; border-radius: 8px; font-weight: 600; }
.pass { background: #e6f4ea; color: #137333; } .fail { background: #fce8e6; color: #a50e0e; }
img { width: 100%; height: auto; } figure { margin: 1em 0; }
figcaption { color: #5f6368; font-size: .92em; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; padding: .25em .8em; border-bottom: 1px solid #e8eaed; }
th { background: #f8f9fa; } td.bad { color: #c5221f; font-weight: 600; }
td.note { color: #5f6368; }
pre { background: #f8f9fa; padding: 1em; overflow-x: auto; font-size: .85em; }
"""


def screen(axis, path, facts, time):
    """One photograph; a pulled card's is framed."""
    axis.set_xticks([])
    axis.set_yticks([])
    if os.path.exists(path):
        axis.imshow(plt.imread(path))
    else:
        axis.text(.5, .5, "no picture", ha="center", transform=axis.transAxes)
    state = facts.get(f"{time}-state", "?")
    if state == "running":
        axis.set_xlabel(f'{facts.get(f"{time}-urbs", "?")} bulk transfers so far', fontsize=8)
        return
    axis.set_xlabel("pulled: shows the last it got" if state == "unplugged" else state,
                    fontsize=8, color="#c5221f")
    for spine in axis.spines.values():
        spine.set(color="#c5221f", linewidth=3)


def picture(folder, report):
    """All screens that were photographed, in one picture."""
    rows = [(side, title, time, when) for side, title in SIDES for time, when in TIMES]
    figure, axes = plt.subplots(len(rows), len(SCREENS), figsize=(11, 2.2 * len(rows)))
    for number, (side, title, time, when) in enumerate(rows):
        for card, name in enumerate(SCREENS):
            axis = axes[number][card]
            screen(axis, os.path.join(folder, side, f"{time}-{card + 1}.png"),
                   report[side].get(str(card + 1), {}), time)
            if number == 0:
                axis.set_title(name, fontsize=9)
            if card == 0:
                axis.set_ylabel(f"{title}\n{when}", fontsize=9)
    figure.tight_layout(h_pad=.4, w_pad=.4)
    path = os.path.join(folder, "screens.png")
    figure.savefig(path, dpi=110)
    plt.close(figure)
    with open(path, "rb") as source:
        return base64.b64encode(source.read()).decode()


def table(report):
    lines = []
    for row in report["rows"]:
        if row["head"]:
            lines.append(f'<tr><th>{html.escape(row["head"])}</th><th>converted udl</th>'
                         "<th>stock udl</th></tr>")
        kind = "bad" if not row["good"] else "" if row["judged"] else "note"
        lines.append(f'<tr><td>{html.escape(row["label"])}</td>'
                     f'<td class="{kind}">{html.escape(row["unplug"])}</td>'
                     f'<td class="note">{html.escape(row["stock"])}</td></tr>')
    return f"<table>{''.join(lines)}</table>"


def read(path):
    try:
        with open(path, encoding="utf-8") as source:
            return source.read()
    except OSError as error:
        return str(error)


def page(report, screens, diff):
    machine = report["unplug"].get("0", {})
    verdict = ("PASS: every judged row holds, and the mapping of the stock driver survived "
               "the pull of its card." if report["pass"] else "FAILED: see the rows in red, or "
               "the logs beside this page.")
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>unplug: pulling USB display cards</title>
<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>
<h1>Pulling two of four USB display cards in use</h1>
<p>A virtual machine with a stock Linux {html.escape(machine.get("kernel", "?"))} kernel
({html.escape(machine.get("accel", "?"))}) has four emulated DisplayLink adapters. Card 1 shows
weston and one of its clients; its connection is closed in mid-frame. Card 2 is on another machine (a
network namespace of its own), imported by the kernel's <code>usbip</code>, and shows modetest, which
flips between two pictures; all its packets are lost, of which the kernel hears nothing, and it is
detached as an administrator would. Cards 3 and 4 go on. Then both are plugged again. Played twice: with the <code>udl</code> driver of Debian's kernel source, and with the same
driver, converted by a semantic patch. What users find in the mapping of a pulled card is then a policy:
zeroes for card 1 (weston would die of SIGBUS), SIGBUS for the others.</p>
<p class="verdict {'pass' if report['pass'] else 'fail'}">{html.escape(verdict)}</p>
<h2>What the screens showed</h2>
<figure><img alt="the four screens" src="data:image/png;base64,{screens}">
<figcaption>Decoded from what the adapters were sent. A pulled screen is shown with the last it
got; plain grey is the other of the two pictures modetest flips between.</figcaption></figure>
<h2>Side by side</h2>
{table(report)}
<p>Rows in grey are for information and not judged; times in an emulated machine are much longer
than on hardware. CPU: of one processor, from the pull until all were asked; programs that ask again
and again about a card that is gone use it up. Bulk transfers count from the pull (or the loss) until
the card had got 24 further, and was asked.</p>
<h2>The conversion</h2>
<pre>{html.escape(diff)}</pre>
<p>All facts: <code>report.json</code>, beside this page.</p>
</body></html>
"""


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: plot.py FOLDER DIFF")
    folder, diff = sys.argv[1:]
    with open(os.path.join(folder, "report.json"), encoding="utf-8") as source:
        report = json.load(source)
    text = page(report, picture(folder, report), read(diff))
    with open(os.path.join(folder, "report.html"), "w", encoding="utf-8") as target:
        target.write(text)


if __name__ == "__main__":
    main()
