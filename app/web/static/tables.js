// Sorting and filtering of tables. The choices outlive a renewal: `arrange` applies them to what has come.

const sorted = new Map(); // table name -> { button: id, descending }
let filter = "";

const words = (text) => text.toLocaleLowerCase().normalize("NFC");

function value(row, column, kind) {
  const cell = row.cells[column];
  if (kind === "text") return cell.textContent.trim();
  return cell.dataset.value === "" ? null : Number(cell.dataset.value);
}

function compare(left, right, descending) {
  if (left === null || right === null) return (left === null) - (right === null);
  const order = typeof left === "string" ? left.localeCompare(right, undefined, { numeric: true }) : left - right;
  return descending ? -order : order;
}

function sort(table) {
  const choice = sorted.get(table.dataset.sortable);
  for (const button of table.querySelectorAll("button[data-sort]")) {
    const heading = button.closest("th");
    if (choice?.button !== button.id) {
      heading.removeAttribute("aria-sort");
      continue;
    }
    heading.setAttribute("aria-sort", choice.descending ? "descending" : "ascending");
    const rows = [...table.tBodies[0].rows];
    const values = new Map(rows.map((row) => [row, value(row, heading.cellIndex, button.dataset.sort)]));
    rows.sort((left, right) => compare(values.get(left), values.get(right), choice.descending));
    table.tBodies[0].append(...rows);
  }
}

function sift(root) {
  const input = root.querySelector("input[data-filters]");
  if (!input) return;
  const rows = [...root.querySelector(`table[data-sortable="${input.dataset.filters}"]`).tBodies[0].rows];
  const wanted = words(filter).split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const row of rows) {
    const text = words(row.textContent);
    row.hidden = !wanted.every((word) => text.includes(word));
    shown += !row.hidden;
  }
  const count = document.body.dataset.count.replace("{shown}", shown).replace("{total}", rows.length);
  root.querySelector("#filter-count").textContent = filter ? count : "";
}

/** Applies the reader's choices to figures that have come, before they are shown. */
export function arrange(root) {
  root.querySelectorAll("table[data-sortable]").forEach(sort);
  if (filter) root.querySelector("input[data-filters]")?.setAttribute("value", filter);
  sift(root);
}

/** Listens for the reader's choices. `renew` shows the figures anew, in the order that they came in. */
export function listen(renew, announce) {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-sort]");
    if (!button) return;
    const table = button.closest("table").dataset.sortable;
    const first = button.dataset.sort === "number";
    const choice = sorted.get(table);
    if (choice?.button !== button.id) sorted.set(table, { button: button.id, descending: first });
    else if (choice.descending === first) sorted.set(table, { button: button.id, descending: !first });
    else sorted.delete(table);
    renew();
  });
  document.addEventListener("input", (event) => {
    if (!event.target.matches("input[data-filters]")) return;
    filter = event.target.value;
    sift(document);
    announce(document.getElementById("filter-count").textContent);
  });
}
