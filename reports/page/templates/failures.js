// The failure browser: a sequence's overlap over time, its losses, and its key frames with boxes.
(() => {
  const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));
  const NOWHERE = 255, MAIN = 10, SHOWN = 4, PAUSE = 180;
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const isOff = (tracker) => document.querySelector(`nav .switch[data-t="${tracker}"]`).getAttribute("aria-pressed") === "false";

  function draw(name, attributes, ...children) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }
  function make(name, attributes, ...children) {
    const made = Object.assign(document.createElement(name), attributes);
    made.append(...children);
    return made;
  }

  function setUp(watch) {
    const part = (selector) => watch.querySelector(selector);
    const [select, stage, slider, play, plot, thumbs] =
      ["select", ".stage", "input", "[data-go=play]", ".over", ".thumbs"].map(part);
    const image = stage.querySelector("img");
    const rows = new Map(all("tbody tr", watch).map((row) => [Number(row.dataset.t), row]));
    const nameOf = (tracker) => rows.get(tracker).querySelector("span").textContent;
    let trace, at = 0, timer = 0;

    // ---- one sequence

    function choose(id) {
      pause();
      select.value = id;
      const source = document.getElementById(id);
      trace = { ...JSON.parse(source.textContent), name: source.dataset.name };
      trace.points = bytes(trace.points);
      trace.at = bytes(trace.at);
      if (trace.images) trace.images.boxes = new Int16Array(bytes(trace.images.boxes).buffer);
      at = 0;
      slider.max = trace.keys.length - 1;
      watch.classList.toggle("bare", !trace.images);
      part(".why").hidden = Boolean(trace.images);
      part(".why").textContent = trace.images ? "" : `No frames to show: ${trace.reason}.`;
      part("[data-go=easier]").disabled = select.selectedIndex === 0;
      part("[data-go=harder]").disabled = select.selectedIndex === select.options.length - 1;
      if (trace.images) {
        const { width, height } = trace.images;
        stage.style.maxWidth = `${Math.round(Math.min(width * 1.5, 440 * width / height))}px`;
        Object.assign(image, { width, height });
      }
      fillTable();
      fillThumbs();
      drawPlot();
      show(0);
    }

    function fillTable() {
      for (const [tracker, row] of rows) {
        const index = trace.trackers.indexOf(tracker);
        const [, , auc, lost] = row.cells;
        number(auc, index < 0 ? null : trace.auc[index], 1);
        lost.replaceChildren();
        lost.classList.toggle("missing", index < 0);
        lost.dataset.v = index < 0 ? -1 : trace.lost[index].length;
        if (index < 0) {
          lost.textContent = trace.missing[tracker] ?? "no result";
          continue;
        }
        const starts = trace.lost[index].map(([start, end]) => {
          const button = make("button", { type: "button", textContent: start,
            title: end === null ? "not found again" : `found again at frame ${end}` });
          button.setAttribute("aria-label", `${nameOf(tracker)} lost the target at frame ${start}, ${button.title}: show it`);
          button.addEventListener("click", () => { pause(); show(nearest(start)); });
          return button;
        });
        const more = starts.length - SHOWN;
        lost.append(starts.length ? make("span", { className: "lost" }, ...starts.slice(0, SHOWN)) : "never");
        if (more > 0) lost.append(` and ${more} more`);
      }
    }

    function number(cell, value, digits) {
      cell.textContent = value === null ? "–" : value.toFixed(digits);
      if (value === null) delete cell.dataset.v; else cell.dataset.v = value;
    }

    function fillThumbs() {
      thumbs.replaceChildren();
      if (!trace.images) return;
      const last = trace.keys.length - 1;
      const main = new Set(Array.from({ length: MAIN }, (_, i) => Math.round(i / (MAIN - 1) * last)));
      trace.keys.forEach((key, index) => {
        const lost = trace.trackers.filter((_, row) => trace.lost[row].some(([start]) => start === key)).map(nameOf);
        const shot = make("span", { className: "shot" }, make("img", {
          loading: main.has(index) ? "eager" : "lazy", alt: "", width: trace.images.width, height: trace.images.height,
          src: address(index) }), draw("svg", { "aria-hidden": "true" }));
        drawBoxes(shot.lastChild, index);
        const button = make("button", { type: "button" }, shot, make("small", { textContent: key }));
        button.setAttribute("aria-label", `Frame ${key}${lost.length ? `, lost by ${lost.join(", ")}` : ""}`);
        if (lost.length) button.append(make("small", { textContent: `lost: ${lost.join(", ")}` }));
        button.addEventListener("click", () => { pause(); show(index); });
        thumbs.append(make("li", { className: main.has(index) ? "main" : "" }, button));
      });
    }

    // ---- overlap over time, drawn at the width it has, so that its words keep their size

    const LEFT = 40, RIGHT = 18, TOP = 8, HIGH = 150, LANE = 8;
    let wide = 0;
    const across = (frame) => LEFT + frame / Math.max(1, trace.frames - 1) * (wide - LEFT - RIGHT);
    const up = (overlap) => TOP + (1 - overlap) * HIGH;

    function drawPlot() {
      wide = Math.max(280, Math.round(plot.clientWidth || 900));
      const low = TOP + HIGH + 10 + LANE * trace.trackers.length;
      plot.setAttribute("viewBox", `0 0 ${wide} ${low + 36}`);
      plot.setAttribute("aria-label", `Overlap over time of ${trace.trackers.length} trackers on ${trace.name}`);
      const ticks = [0, 0.5, 1];
      const unit = tick(trace.frames / Math.max(2, wide / 90));
      const frames = Array.from({ length: Math.floor((trace.frames - 1) / unit) + 1 }, (_, i) => i * unit);
      const grid = ticks.map((v) => `M${LEFT} ${up(v)}H${wide - RIGHT}`).join("") + frames.map((f) => `M${across(f)} ${TOP}V${low}`).join("");
      plot.replaceChildren(
        draw("path", { class: "grid", d: grid }),
        draw("path", { class: "axis", d: `M${LEFT} ${TOP}V${up(0)}H${wide - RIGHT}` }),
        ...ticks.map((v) => draw("text", { class: "tick e", x: LEFT - 5, y: up(v) + 3.5 }, String(v))),
        ...frames.map((f) => draw("text", { class: "tick", x: across(f), y: low + 14 }, String(f))),
        draw("text", { class: "label", x: (LEFT + wide) / 2, y: low + 31 }, "Frame"),
        draw("text", { class: "label", transform: `translate(11 ${up(0.5)}) rotate(-90)` }, "Overlap"),
        draw("text", { class: "tick e", x: LEFT - 5, y: (up(0) + 10 + low) / 2 + 3 }, "Lost"),
        ...trace.trackers.map((tracker, row) => lane(tracker, row)).reverse(),
        draw("path", { class: "now", d: `M0 ${TOP}V${low}` }),
      );
      part(".caption").textContent = (trace.step > 1 ? `Each point is the mean of ${trace.step} frames. ` : "") +
        `Bars below the plot: the target is lost. Lines end where it is absent.${trace.images ? " In the frames, the thick white box is the ground truth." : ""}`;
    }

    function lane(tracker, row) {
      const { hue, dash } = rows.get(tracker).dataset;
      const count = Math.ceil(trace.frames / trace.step);
      let path = "", pen = "M";
      for (let i = 0; i < count; i += 1) {
        const value = trace.points[row * count + i];
        if (value === NOWHERE) { pen = "M"; continue; }
        const frame = Math.min(trace.frames - 1, i * trace.step + (trace.step - 1) / 2);
        path += `${pen}${across(frame).toFixed(1)} ${up(value / trace.levels).toFixed(1)}${pen === "M" ? "h0" : ""}`;
        pen = "L";
      }
      const y = up(0) + 10 + LANE * (row + 0.5);
      const bars = trace.lost[row].map(([start, end]) => draw("path", { class: `gone d${dash}`,
        d: `M${across(start)} ${y}H${Math.max(across(start) + 2, across(end ?? trace.frames - 1))}` },
        draw("title", {}, `${nameOf(tracker)} lost at frame ${start}, ${end === null ? "not found again" : `found again at ${end}`}`)));
      return draw("g", { class: `h${hue}${isOff(tracker) ? " off" : ""}`, "data-t": tracker },
        draw("path", { class: `trace-line d${dash}`, d: path || "M0 0" }),
        draw("path", { class: "lane", d: `M${LEFT} ${y}H${wide - RIGHT}` }), ...bars);
    }

    function tick(least) {
      const power = 10 ** Math.floor(Math.log10(Math.max(1, least)));
      return [1, 2, 5, 10].map((m) => m * power).find((step) => step >= least);
    }

    // ---- one frame

    const address = (index) => trace.images.inline?.[index] ?? `${trace.images.link}/${trace.keys[index]}.jpg`;

    function drawBoxes(svg, index) {
      const { width, height, boxes, parts } = trace.images;
      svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
      const found = [["truth", 0], ...trace.trackers.map((tracker, row) => [tracker, row + 1]).reverse()];
      // All casings lie below all lines: where boxes coincide, the gaps of a dashed one show the next.
      svg.replaceChildren(...[true, false].flatMap((casing) => found.flatMap(([tracker, row]) => {
        const start = (row * trace.keys.length + index) * 4;
        const [x, y, w, h] = boxes.subarray(start, start + 4);
        if (w === 0) return [];
        const size = { x: x / parts, y: y / parts, width: w / parts, height: h / parts };
        const { hue, dash } = tracker === "truth" ? {} : rows.get(tracker).dataset;
        const look = (tracker === "truth" ? "truth" : `i${hue}`) + (tracker !== "truth" && isOff(tracker) ? " off" : "");
        const line = casing ? "case" : tracker === "truth" ? "line" : `line d${dash}`;
        return [draw("g", { class: look, "data-t": tracker }, draw("rect", { class: line, ...size }))];
      })));
    }

    function show(index) {
      at = Math.min(trace.keys.length - 1, Math.max(0, index));
      const frame = trace.keys[at];
      const words = `frame ${frame} of ${trace.frames - 1}`;
      slider.value = at;
      slider.setAttribute("aria-valuetext", words);
      part(".where").textContent = words;
      plot.querySelector(".now").setAttribute("transform", `translate(${across(frame)} 0)`);
      const told = trace.trackers.map((tracker, row) => {
        const value = trace.at[row * trace.keys.length + at];
        const overlap = value === NOWHERE ? null : value / 100;
        number(rows.get(tracker).cells[1], overlap, 2);
        return `${nameOf(tracker)} ${overlap === null ? "no target" : overlap.toFixed(2)}`;
      });
      for (const [tracker, row] of rows) if (!trace.trackers.includes(tracker)) number(row.cells[1], null, 2);
      if (!timer) part(".live").textContent = `${words}: ${told.join(", ")}`;
      if (!trace.images) return;
      image.src = address(at);
      image.alt = `Frame ${frame} of ${trace.name}`;
      drawBoxes(stage.querySelector("svg"), at);
      for (let i = at + 1; i < Math.min(at + 4, trace.keys.length); i += 1) new Image().src = address(i);
      const thumb = thumbs.children[at].firstChild;
      if (thumbs.contains(document.activeElement)) thumb.focus({ preventScroll: true });
      for (const button of all("button", thumbs)) {  // one stop for the tab key, not fifty
        button.tabIndex = button === thumb ? 0 : -1;
        if (button === thumb) button.setAttribute("aria-current", "true"); else button.removeAttribute("aria-current");
      }
      const room = thumbs.getBoundingClientRect(), mine = thumb.getBoundingClientRect();
      if (mine.left < room.left || mine.right > room.right) thumbs.scrollLeft += mine.left - room.left - room.width / 3;
    }

    function nearest(frame) {
      const away = trace.keys.map((key) => Math.abs(key - frame));
      return away.indexOf(Math.min(...away));
    }

    function pause() {
      clearInterval(timer);
      timer = 0;
      watch.classList.remove("playing");
      play.setAttribute("aria-label", "Play");
    }
    function start() {
      if (at === trace.keys.length - 1) show(0);
      timer = setInterval(() => { if (at < trace.keys.length - 1) show(at + 1); else { pause(); show(at); } }, PAUSE);
      watch.classList.add("playing");
      play.setAttribute("aria-label", "Pause");
    }
    function toggle() { if (timer) { pause(); show(at); } else start(); }
    function step(index) { pause(); show(index); }
    function neighbour(by) { choose(select.options[select.selectedIndex + by].value); }

    // ---- hands

    const actions = {
      first: () => step(0), back: () => step(at - 1), play: toggle, on: () => step(at + 1),
      easier: () => neighbour(-1), harder: () => neighbour(1),
    };
    for (const button of all("[data-go]", watch)) button.addEventListener("click", () => actions[button.dataset.go]());
    select.addEventListener("change", () => choose(select.value));
    slider.addEventListener("input", () => step(Number(slider.value)));
    const keys = {
      ArrowLeft: actions.back, ArrowRight: actions.on, " ": actions.play, Home: actions.first,
      End: () => step(trace.keys.length - 1),
    };
    watch.addEventListener("keydown", (event) => {
      const { target, key } = event;
      if (!(key in keys) || event.ctrlKey || event.altKey || event.metaKey) return;
      if (target === select || target.matches(".scroll") || (key === " " && target.matches("button"))) return;
      event.preventDefault();
      keys[key]();
    });
    // Pointing at a tracker, or focusing its switch, brings out its line and its boxes.
    function bringOut(tracker) {
      all("svg [data-t]", watch).forEach((drawn) => drawn.classList.toggle("faint",
        tracker !== null && drawn.dataset.t !== tracker && drawn.dataset.t !== "truth"));
    }
    for (const row of rows.values()) {
      row.addEventListener("pointerenter", () => bringOut(row.dataset.t));
      row.addEventListener("pointerleave", () => bringOut(null));
      row.firstElementChild.addEventListener("focusin", ({ target }) => { if (target.matches(":focus-visible")) bringOut(row.dataset.t); });
      row.firstElementChild.addEventListener("focusout", () => bringOut(null));
    }
    function point(event) {
      const area = plot.getBoundingClientRect();
      const share = ((event.clientX - area.left) * wide / area.width - LEFT) / (wide - LEFT - RIGHT);
      step(nearest(share * (trace.frames - 1)));
    }
    plot.addEventListener("pointerdown", point);
    plot.addEventListener("pointermove", (event) => { if (event.buttons) point(event); });

    watch.hidden = false;
    choose(select.value);
    new ResizeObserver(() => {
      if (plot.clientWidth && Math.abs(plot.clientWidth - wide) > 4) { drawPlot(); show(at); }
    }).observe(plot);
    return choose;
  }

  const choosers = new Map(all(".watch").map((watch) => [watch, setUp(watch)]));
  function follow(hash) {
    const source = document.getElementById(hash.slice(1));
    if (!source?.matches("script.trace")) return;
    const watch = [...choosers.keys()].find((one) => [...one.querySelector("select").options].some((o) => o.value === source.id));
    choosers.get(watch)(source.id);
    watch.previousElementSibling.previousElementSibling.scrollIntoView();
    (watch.matches(".bare") ? watch.querySelector("select") : watch.querySelector(".stage")).focus({ preventScroll: true });
  }
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.('a[href^="#watch-"]');
    if (link) { event.preventDefault(); history.replaceState(null, "", link.hash); follow(link.hash); }
  });
  window.addEventListener("hashchange", () => follow(location.hash));
  follow(location.hash);
})();
