"""What sorts and filters the tables of a page: plain JavaScript in the page itself."""

from __future__ import annotations

#: Headings become buttons: the first press sorts upwards, the second downwards, the third restores
#: the order of the file; absent values stay last. The filter takes words that a row must hold and
#: comparisons of a column, such as ``rate>5``; quotes keep words together. A link to a row that is
#: filtered out shows all rows.
SCRIPT = r"""
(() => {
  const number = text => text.trim() === "" ? NaN : Number(text);
  const compare = { ">": (a, b) => a > b, "<": (a, b) => a < b, ">=": (a, b) => a >= b,
    "<=": (a, b) => a <= b, "=": (a, b) => a === b, "!=": (a, b) => a !== b };
  for (const table of document.querySelectorAll("table.sortable")) {
    const body = table.tBodies[0], rows = [...body.rows];
    const heads = [...table.tHead.rows[0].cells];
    const names = heads.map(head => head.textContent.trim());
    const value = (row, column) => row.cells[column].dataset.value;
    const sort = (column, direction) => {
      const numeric = heads[column].dataset.type === "number";
      const key = row => numeric ? number(value(row, column)) : value(row, column);
      const absent = row => numeric ? Number.isNaN(key(row)) : key(row) === "";
      const order = (a, b) => absent(a) - absent(b) || (absent(a) ? 0 : direction *
        (numeric ? key(a) - key(b) : key(a).localeCompare(key(b), "en", { numeric: true })));
      body.append(...(direction ? [...rows].sort(order) : rows));
    };
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const next = { ascending: "descending", descending: "none" };
        const state = next[head.getAttribute("aria-sort")] || "ascending";
        heads.forEach(other => other.removeAttribute("aria-sort"));
        if (state !== "none") head.setAttribute("aria-sort", state);
        sort(column, { ascending: 1, descending: -1, none: 0 }[state]);
      });
    });
    const bar = document.createElement("div"), label = document.createElement("label");
    const input = document.createElement("input"), count = document.createElement("output");
    bar.className = "filter";
    input.type = "search";
    input.placeholder = table.dataset.example;
    label.append("Filter rows ");
    bar.append(label, input, count);
    label.htmlFor = input.id = "filter-" + Math.random().toString(36).slice(2);
    table.parentElement.before(bar);
    const test = term => {
      const parts = /^([^<>=!]+)(>=|<=|!=|>|<|=)(.+)$/.exec(term);
      const column = parts ? names.indexOf(parts[1]) : -1;
      if (column < 0) return row => row.textContent.toLowerCase().includes(term.toLowerCase());
      if (heads[column].dataset.type !== "number")
        return row => compare[parts[2]](value(row, column), parts[3]);
      return row => value(row, column) !== "" &&
        compare[parts[2]](number(value(row, column)), number(parts[3]));
    };
    const filter = () => {
      const text = input.value.replace(/\s*(>=|<=|!=|>|<|=)\s*/g, "$1").trim();
      const terms = text.match(/(?:"[^"]*"|[^\s"])+/g) || [];
      const tests = terms.map(term => test(term.replaceAll('"', "")));
      rows.forEach(row => { row.hidden = !tests.every(passes => passes(row)); });
      const left = rows.filter(row => !row.hidden).length;
      count.textContent = left + " of " + rows.length + " rows";
    };
    input.addEventListener("input", filter);
    addEventListener("hashchange", () => {
      const row = document.getElementById(decodeURIComponent(location.hash.slice(1)));
      if (row && row.hidden && rows.includes(row)) {
        input.value = "";
        filter();
        row.scrollIntoView();
      }
    });
    filter();
  }
})();
"""
