"""The site: Markdown pages by task, executed examples with thumbnails, and a reference made from
the docstrings."""

from __future__ import annotations

import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
os.environ["JAX_PLATFORMS"] = "cpu"
sys.path[:0] = [str(HERE / "_extensions"), str(HERE.parent)]

import neurocode  # noqa: E402

project = "neurocode"
author = "The neurocode developers"
copyright = "The neurocode developers"
version = release = neurocode.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
    "sphinx_copybutton",
    "public_names",
    "leaderboard_page",
]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["_build", "notebooks", "gallery"]
templates_path = ["_templates"]

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3

autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False

sphinx_gallery_conf = {
    "examples_dirs": "gallery",
    "gallery_dirs": "auto_gallery",
    "filename_pattern": r"/plot_",
    # Examples of recorded cells need the folder of recordings.
    "ignore_pattern": "a^" if "NEUROCODE_DATA" in os.environ else r"plot_real_",
    "reset_modules": ("house_style.reset",),
    "remove_config_comments": True,
    "show_memory": False,
    "show_signature": False,
    "download_all_examples": False,
    "min_reported_time": 0,
    # Its tables load scripts from elsewhere, and the site opens without a network.
    "write_computation_times": False,
    "abort_on_example_error": True,
}

html_theme = "pydata_sphinx_theme"
html_title = "neurocode"
html_context = {"default_mode": "auto"}
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_theme_options = {
    "show_prev_next": False,
    "secondary_sidebar_items": ["page-toc"],
    "navbar_end": ["theme-switcher"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "header_links_before_dropdown": 6,
}
html_show_sourcelink = False
