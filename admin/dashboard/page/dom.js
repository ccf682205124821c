// Elements, made and kept up to date without being made anew: focus, scroll
// and what a screen reader has reached stay where they are.

/** el makes an element: el("p", {class: "x", onclick: f}, "text", child). */
export function el(name, attributes, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (value == null || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.filter((c) => c != null));
  return node;
}

/** text writes a node's text if it has changed. */
export function text(node, value) {
  const s = String(value);
  if (node.textContent !== s) node.textContent = s;
}

/** show hides a node or shows it. */
export function show(node, shown) {
  if (node.hidden === shown) node.hidden = !shown;
}

/** mark sets an attribute if it has changed; null takes it off. */
export function mark(node, name, value) {
  if (value == null) node.removeAttribute(name);
  else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

/**
 * sync makes parent's children those of items, in their order: make returns
 * {node, update(item)}, and is called once for each new key.
 */
export function sync(parent, items, keyOf, make) {
  const had = (parent.made ??= new Map());
  const keys = new Set();
  let place = parent.firstChild;
  for (const item of items) {
    const key = keyOf(item);
    if (keys.has(key)) continue;
    keys.add(key);
    let row = had.get(key);
    if (!row) had.set(key, (row = make(item)));
    row.update(item);
    if (row.node === place) place = place.nextSibling;
    else parent.insertBefore(row.node, place);
  }
  for (const [key, row] of had) {
    if (keys.has(key)) continue;
    row.node.remove();
    had.delete(key);
  }
}

/**
 * table makes a table that is read as one by screen readers and as cards on a
 * phone. A column is {head, cell(item), num, share(item)}.
 */
export function table(caption, columns, keyOf) {
  const body = el("tbody", { role: "rowgroup" });
  const node = el("table", { role: "table", class: "stack" },
    el("caption", {}, caption),
    el("thead", { role: "rowgroup" }, el("tr", { role: "row" },
      ...columns.map((c) => el("th", { role: "columnheader", scope: "col", class: c.num ? "num" : null }, c.head)))),
    body);
  const make = () => {
    const cells = columns.map((c, i) => el(i ? "td" : "th", {
      role: i ? "cell" : "rowheader", scope: i ? null : "row", class: c.num ? "num" : null, "data-head": c.head, "data-column": c.name,
    }, el("span", {})));
    const row = el("tr", { role: "row" }, ...cells);
    return {
      node: row,
      update(item) {
        mark(row, "data-key", keyOf(item));
        columns.forEach((c, i) => {
          const words = c.cell(item);
          text(cells[i].firstChild, words);
          mark(cells[i], "data-none", words === "–" ? "" : null);
          if (c.share) cells[i].style.setProperty("--share", c.share(item) + "%");
          if (c.share) cells[i].classList.add("share");
          if (c.warn) cells[i].classList.toggle("warn", Boolean(c.warn(item)));
        });
      },
    };
  };
  return { node: el("div", { class: "wide" }, node), update: (items) => sync(body, items, keyOf, make) };
}

/** choice makes a group of radio buttons; picked is called with the value. */
export function choice(label, name, options, value, picked) {
  return el("fieldset", { class: "choice" }, el("legend", {}, label),
    ...options.map(([v, words]) => el("label", {},
      el("input", { type: "radio", name, value: v, checked: v === value, onchange: () => picked(v) }), el("span", {}, words))));
}
