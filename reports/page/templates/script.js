"use strict";
// All but the failure browser is complete without this: it only sorts, filters, switches lines off and reads values off curves.
(() => {
  const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));

  // Sorting: numbers by data-v, words as people order them; rows without a value stay last either way.
  const words = new Intl.Collator("en", { numeric: true });
  function key(row, column) {
    const cell = row.cells[column];
    return cell.dataset.v !== undefined ? Number(cell.dataset.v) : cell.classList.contains("n") ? null : cell.textContent;
  }
  function compare(a, b) {
    return typeof a === "number" && typeof b === "number" ? a - b : words.compare(String(a), String(b));
  }
  for (const table of all("table")) {
    const heads = all("thead th[scope=col]", table);
    heads.forEach((head, column) => head.firstElementChild.addEventListener("click", () => {
      const numeric = head.classList.contains("n");
      const before = head.getAttribute("aria-sort");
      const down = before === null ? numeric : before === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const rows = all("tbody tr", table).map((row) => [key(row, column), row]);
      rows.sort(([a], [b]) => a === null || b === null ? (a === null) - (b === null) : down ? compare(b, a) : compare(a, b));
      table.tBodies[0].append(...rows.map(([, row]) => row));
    }));
  }

  for (const input of all("input[data-filter]")) {
    const rows = all("tbody tr", document.getElementById(input.dataset.filter));
    const texts = rows.map((row) => row.textContent.toLowerCase());
    const kept = input.parentElement.querySelector("output");
    input.addEventListener("input", () => {
      const wanted = input.value.trim().toLowerCase();
      rows.forEach((row, i) => { row.hidden = !texts[i].includes(wanted); });
      kept.textContent = wanted && `${rows.filter((row) => !row.hidden).length} of ${rows.length}`;
    });
  }

  // A tracker is switched on and off in all plots and frames at once.
  function turn(tracker, shown) {
    const mine = `[data-t="${tracker}"]`;
    all(`button.switch${mine}`).forEach((other) => other.setAttribute("aria-pressed", String(shown)));
    all(`.plot > svg ${mine}, .watch svg ${mine}`).forEach((part) => part.classList.toggle("off", !shown));
  }
  for (const button of all("button.switch")) {
    button.addEventListener("click", () => turn(button.dataset.t, button.getAttribute("aria-pressed") !== "true"));
  }
  for (const button of all("[data-every]")) {
    button.addEventListener("click", () => all("nav .switch").forEach((one) => turn(one.dataset.t, button.dataset.every === "true")));
  }

  // Reading values: while the pointer is over a plot its legend shows every curve's value at that threshold. For the
  // keyboard and for screen readers the plot is a slider over the thresholds, which Escape ends.
  for (const figure of all(".plot:has(script)")) {
    const data = JSON.parse(figure.querySelector("script").textContent);
    const drawing = figure.querySelector("svg");
    const cursor = figure.querySelector(".cursor");
    const output = figure.querySelector("output");
    const scores = all("[data-score]", figure);
    const last = Object.values(data.lines)[0].length - 1;
    for (const [name, value] of Object.entries({ role: "slider", tabindex: 0, "aria-valuemin": 0, "aria-valuemax": last })) {
      drawing.setAttribute(name, value);
    }
    function read(index) {
      const at = Number((index / last * data.max).toFixed(3));
      figure.classList.add("reading");
      cursor.setAttribute("transform", `translate(${data.left + index / last * data.width} 0)`);
      output.textContent = `· reading at ${at}`;
      const said = scores.map((score) => {
        const button = score.closest("[data-t]");
        score.textContent = (data.lines[button.dataset.t][index] * 100).toFixed(1);
        return `${button.querySelector("span").textContent} ${score.textContent}`;
      });
      drawing.setAttribute("aria-valuenow", index);
      drawing.setAttribute("aria-valuetext", `at ${at}: ${said.join(", ")}`);
    }
    function leave() {
      figure.classList.remove("reading");
      output.textContent = "";
      for (const score of scores) score.textContent = score.dataset.score;
      drawing.setAttribute("aria-valuenow", 0);
      drawing.setAttribute("aria-valuetext", "arrow keys read values");
    }
    drawing.addEventListener("pointermove", (event) => {
      const area = drawing.getBoundingClientRect();
      const share = ((event.clientX - area.left) * drawing.viewBox.baseVal.width / area.width - data.left) / data.width;
      if (share < -0.02 || share > 1.02) return leave();
      read(Math.round(Math.min(1, Math.max(0, share)) * last));
    });
    drawing.addEventListener("pointerleave", leave);
    drawing.addEventListener("keydown", (event) => {
      const now = Number(drawing.getAttribute("aria-valuenow"));
      const to = { ArrowRight: now + 1, ArrowUp: now + 1, ArrowLeft: now - 1, ArrowDown: now - 1, Home: 0, End: last }[event.key];
      if (event.key === "Escape") leave();
      if (to === undefined) return;
      event.preventDefault();
      read(Math.min(last, Math.max(0, to)));
    });
    leave();
  }

  // The sidebar says where the reader is: the last section whose head is above the upper third of the window.
  const entries = all("nav ol a").map((link) => [link, document.getElementById(decodeURIComponent(link.hash.slice(1)))]);
  let waiting = false;
  function locate() {
    waiting = false;
    const end = scrollY + innerHeight >= document.documentElement.scrollHeight - 2;
    const passed = entries.filter(([, part]) => end || part.getBoundingClientRect().top < innerHeight / 3);
    const [here] = passed[passed.length - 1] || entries[0];
    if (here.getAttribute("aria-current")) return;
    entries.forEach(([link]) => link.removeAttribute("aria-current"));
    here.setAttribute("aria-current", "location");
    const bar = here.closest("nav");
    const [top, bottom] = [here.offsetTop - bar.offsetTop, here.offsetTop - bar.offsetTop + here.offsetHeight];
    if (top < bar.scrollTop || bottom > bar.scrollTop + bar.clientHeight) bar.scrollTop = top - bar.clientHeight / 2;
  }
  window.addEventListener("scroll", () => { if (!waiting) { waiting = true; requestAnimationFrame(locate); } }, { passive: true });
  window.addEventListener("resize", locate);
  locate();

  // A link to the provenance of a number opens it.
  function open() {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target instanceof HTMLDetailsElement) { target.open = true; target.scrollIntoView(); }
  }
  window.addEventListener("hashchange", open);
  window.addEventListener("beforeprint", () => all("main details").forEach((part) => { part.open = true; }));
  open();
})();
