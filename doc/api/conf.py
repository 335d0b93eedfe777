# SPDX-License-Identifier: GPL-2.0-or-later
#
# Sphinx reads this; script/doc says where the pages come from.

project = "unplug"
author = "the unplug authors"
html_title = "unplug: kernel API"
html_theme = "alabaster"
html_theme_options = {"page_width": "1100px", "sidebar_width": "260px"}
html_sidebars = {"**": ["globaltoc.html", "searchbox.html"]}
html_show_copyright = False
html_show_sourcelink = False
primary_domain = "c"
highlight_language = "c"
# Words of kernel prototypes that C does not have
c_id_attributes = ["__iomem", "__user", "__percpu", "__printf"]
