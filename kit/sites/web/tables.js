// Makes the tables of a page sortable by their headings, and long ones searchable.
// Without this file they are plain tables; the order of the page is the third click away.
const LONG = 8;
const number = /^[−-]?[\d,]*\.?\d+/;

const value = (cell) => {
  const text = cell.textContent.trim();
  const found = text.match(number);
  return found ? Number(found[0].replace("−", "-").replaceAll(",", "")) : text.toLowerCase();
};

const compare = (a, b) => {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
  return a.localeCompare(b);
};

const sortable = (table) => {
  const body = table.tBodies[0];
  const original = [...body.rows];
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const title = head.textContent.trim();
    if (!title) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "kit-sort";
    button.textContent = title;
    head.replaceChildren(button);
    head.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => {
      const next = { none: "ascending", ascending: "descending", descending: "none" };
      const order = next[head.getAttribute("aria-sort")];
      heads.forEach((other) => other.hasAttribute("aria-sort") && other.setAttribute("aria-sort", "none"));
      head.setAttribute("aria-sort", order);
      const rows = [...original];
      const sign = order === "descending" ? -1 : 1;
      if (order !== "none") {
        rows.sort((a, b) => sign * compare(value(a.cells[column]), value(b.cells[column])));
      }
      body.append(...rows);
    });
  });
};

const searchable = (table, at) => {
  const rows = [...table.tBodies[0].rows];
  const box = document.createElement("div");
  box.className = "kit-filter";
  const label = document.createElement("label");
  const input = document.createElement("input");
  const shown = document.createElement("output");
  input.type = "search";
  input.id = `filter-${at}`;
  label.htmlFor = input.id;
  label.textContent = "Show rows with";
  shown.htmlFor = input.id;
  const tell = () => {
    const wanted = input.value.trim().toLowerCase();
    rows.forEach((row) => { row.hidden = !row.textContent.toLowerCase().includes(wanted); });
    const count = rows.filter((row) => !row.hidden).length;
    shown.textContent = wanted ? `${count} of ${rows.length} rows` : `${rows.length} rows`;
  };
  input.addEventListener("input", tell);
  tell();
  box.append(label, input, shown);
  (table.closest(".md-typeset__scrollwrap") ?? table).before(box);
};

[...document.querySelectorAll(".md-content table")].forEach((table, at) => {
  const rows = table.tBodies[0]?.rows.length ?? 0;
  if (!table.tHead || rows < 3) return;
  sortable(table);
  if (rows >= LONG) searchable(table, at);
});
