"""The style of all pages: light and dark as the reader's system asks for, and printable."""

from __future__ import annotations

STYLE = """
:root { color-scheme: light dark; --ink: #1f2328; --soft: #59636e; --rule: #d1d9e0; --paper: #fff;
  --shade: #f3f5f7; --link: #0b5cad; --marked: #fff4d6 }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --soft: #a0a8b2; --rule: #3a424c;
  --paper: #16191d; --shade: #21262c; --link: #79b8ff; --marked: #4a3c10 } }
* { box-sizing: border-box }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem;
  color: var(--ink); background: var(--paper); overflow-wrap: break-word }
h1 { font-size: 1.5rem; line-height: 1.25 } h2 { font-size: 1.15rem; margin: 2.2rem 0 0.5rem }
h3 { font-size: 1rem; margin: 2rem 0 0.3rem }
p, ul, dl { max-width: 46rem }
a { color: var(--link) } a:focus-visible, button:focus-visible, input:focus-visible,
.table:focus-visible { outline: 2px solid var(--link); outline-offset: 2px }
code { font-size: 0.9em }
figure { margin: 1rem 0 } figcaption { margin-top: 0.4rem; font-size: 0.85rem;
  color: var(--soft); max-width: 46rem }
img { max-width: 100%; height: auto; background: #fff; border-radius: 3px; display: block }
.table { overflow-x: auto; max-height: 80vh; border: 1px solid var(--rule); border-radius: 3px;
  max-width: fit-content }
table { border-collapse: separate; border-spacing: 0; font-size: 0.85rem }
th, td { padding: 0.25rem 0.7rem; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--rule) }
tbody tr:last-child td { border-bottom: 0 }
thead th { position: sticky; top: 0; background: var(--shade); white-space: nowrap; z-index: 1 }
.sortable tbody td:first-child { white-space: nowrap }
@media (min-width: 40rem) { .sortable td:first-child, .sortable th:first-child { position: sticky;
  left: 0; background: var(--paper) } .sortable th:first-child { background: var(--shade);
  z-index: 2 } .sortable tr:target td:first-child { background: var(--marked) } }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
th button { font: inherit; font-weight: inherit; color: inherit; background: none; border: 0;
  padding: 0; cursor: pointer }
th button::after { content: "\\2195"; opacity: 0.35; padding-left: 0.25em }
th[aria-sort=ascending] button::after { content: "\\2191"; opacity: 1 }
th[aria-sort=descending] button::after { content: "\\2193"; opacity: 1 }
tr:target, section:target h3 { background: var(--marked) }
section, tr { scroll-margin-top: 3rem }
.filter { display: flex; flex-wrap: wrap; gap: 0.5rem; align-items: baseline;
  margin: 0.8rem 0 0.4rem; font-size: 0.85rem } .filter input { font: inherit;
  padding: 0.2rem 0.5rem; flex: 0 1 22rem;
  min-width: 0; color: inherit; background: var(--paper); border: 1px solid var(--soft);
  border-radius: 3px } .filter output { color: var(--soft) }
.hint { font-size: 0.85rem; color: var(--soft) }
dl { font-size: 0.85rem; display: grid; grid-template-columns: max-content 1fr; gap: 0.2rem 1rem }
dt { font-weight: 600 } dd { margin: 0 }
nav { font-size: 0.85rem } nav a { margin-right: 0.8rem }
footer { margin-top: 3rem; border-top: 1px solid var(--rule); font-size: 0.8rem; color: var(--soft);
  overflow-wrap: anywhere; padding-top: 0.5rem }
.panel { overflow-x: auto; margin: 0.6rem 0 }
@media (max-width: 40rem) { .panel img { max-width: none; height: 15rem }
  body { margin: 1rem auto } dl { grid-template-columns: 1fr }
  dd { margin-bottom: 0.4rem } }
@media print {
  :root { color-scheme: light; --ink: #000; --soft: #444; --rule: #bbb; --paper: #fff;
    --shade: #fff; --link: #000; --marked: #fff }
  body { font-size: 9pt; max-width: none; margin: 0; padding: 0 } a { text-decoration: none }
  .table { overflow: visible; max-height: none; border: 0 } table { font-size: 7pt }
  .sortable { font-size: 5pt } th, td { padding: 1pt 2pt } figcaption { font-size: 8pt }
  .sortable tbody td:first-child { white-space: normal; position: static; min-width: 5em;
    overflow-wrap: anywhere } thead th, th.number { white-space: normal; overflow-wrap: anywhere }
  thead { display: table-header-group }
  thead th { position: static; white-space: normal } th button::after, nav, .hint,
  .filter { display: none } tr, figure, section { break-inside: avoid }
  h2, h3 { break-after: avoid }
}
"""
