import {Stage, ask, colour} from "./stage.js";

const it = (id) => document.getElementById(id);
const numbers = ["x", "y", "w", "h"].map(it);
const INKS = ["drawn", "tracked"];
const panes = [0, 1].map((number) => {
  const figure = it(`pane${number}`);
  const stage = new Stage(figure.querySelector("canvas"), number ? null : (box) => begin(frame, box));
  return {figure, stage, seen: null, spent: []};
});
let video = null;
let frame = 0;
let start = null; // {frame, box}
let running = false;
let turn = 0; // of what is done; what was asked for in an earlier one is dropped

const say = (words, bad = false) => {
  it("said").textContent = words;
  it("said").classList.toggle("bad", bad);
};

const used = () => (it("two").value === "" ? panes.slice(0, 1) : panes);

const stop = () => {
  running = false;
  turn += 1;
  it("run").setAttribute("aria-pressed", "false");
  it("run").firstChild.textContent = "Run ";
};

const show = async () => {
  it("where").textContent = `frame ${frame + 1} of ${video.frames}`;
  it("frame").value = frame;
  it("run").disabled = it("again").disabled = !start;
  await Promise.all(used().map(async (pane, number) => {
    const boxes = [];
    const seen = pane.seen && pane.seen.frame === frame ? pane.seen : null;
    const box = seen ? seen.box : start && start.frame === frame ? start.box : null;
    if (box) boxes.push({box, colour: colour(INKS[number])});
    if (seen && seen.region && it("region").checked) boxes.push({box: seen.region, colour: colour("soft"), dash: true});
    const text = (name, words) => { pane.figure.querySelector(name).textContent = words; };
    text(".score", seen && seen.score !== null ? `score ${seen.score.toFixed(3)}` : "");
    text(".speed", pane.spent.length ? `${Math.round(pane.spent.length / pane.spent.reduce((a, b) => a + b))} fps` : "");
    await pane.stage.show(`frame/${it("video").value}/${frame}`, boxes);
  }));
};

const guarded = (work) => work().catch((error) => { stop(); say(error.message, true); });

// Start the trackers at a frame from a box.
const begin = (at, box) => guarded(async () => {
  stop();
  const mine = turn;
  const last = start;
  start = {frame: at, box};
  say("The tracker starts …");
  for (const [number, pane] of used().entries()) {
    pane.seen = null;
    pane.spent = [];
    const tracker = Number(it(number ? "two" : "one").value);
    try {
      const {title} = await ask("start", {pane: number, tracker, video: Number(it("video").value), frame: at, box});
      pane.figure.querySelector("b").textContent = title;
    } catch (error) {
      start = last;
      panes[0].stage.paint();
      throw error;
    }
    if (mine !== turn) return;
  }
  numbers.forEach((field, index) => { field.value = box[index]; });
  frame = at;
  say("");
  await show();
});

const run = () => guarded(async () => {
  if (running) { stop(); return; }
  if (frame !== (panes[0].seen ? panes[0].seen.frame : start.frame)) await begin(start.frame, start.box);
  running = true;
  const mine = turn;
  it("run").setAttribute("aria-pressed", "true");
  it("run").firstChild.textContent = "Stop ";
  while (running && mine === turn) {
    const all = [];
    for (const [number] of used().entries()) all.push(await ask("step", {pane: number}));
    if (mine !== turn) return;
    if (all[0].ended) { stop(); say("this was the last frame"); return; }
    all.forEach((seen, number) => {
      panes[number].seen = seen;
      panes[number].spent = [...panes[number].spent.slice(-19), seen.seconds];
    });
    frame = all[0].frame;
    await show();
  }
});

const again = () => start && begin(start.frame, start.box);

const choose = () => guarded(async () => {
  stop();
  start = null;
  frame = 0;
  video = await ask("video", {video: Number(it("video").value)});
  it("facts").textContent = `${video.name}: ${video.frames} frames of ${video.width} × ${video.height}`;
  it("frame").max = video.frames - 1;
  for (const pane of panes) { pane.seen = null; pane.spent = []; }
  numbers.forEach((field) => { field.value = ""; });
  say("Drag a box over the target.");
  await show();
});

const option = (select, value, words) => select.append(new Option(words, value));

it("video").onchange = choose;
it("one").onchange = again;
it("two").onchange = () => { it("pane1").hidden = it("two").value === ""; if (start) again(); else guarded(show); };
it("run").onclick = run;
it("again").onclick = again;
it("region").onchange = () => guarded(show);
it("frame").oninput = (event) => { stop(); frame = event.target.valueAsNumber; guarded(show); };
const setBox = () => begin(frame, numbers.map((field) => field.valueAsNumber || 0));
it("set").onclick = setBox;
numbers.forEach((field) => field.addEventListener("keydown", (event) => { if (event.key === "Enter") setBox(); }));
addEventListener("keydown", (event) => {
  if (/^(INPUT|SELECT|BUTTON)$/.test(event.target.tagName) || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === " " && start) { event.preventDefault(); run(); }
  if (event.key.toLowerCase() === "r") again();
});

guarded(async () => {
  const {videos, trackers} = await ask("state");
  videos.forEach((name, number) => option(it("video"), number, name));
  trackers.forEach((name, number) => { option(it("one"), number, name); });
  option(it("two"), "", "none");
  trackers.forEach((name, number) => { option(it("two"), number, name); });
  it("two").value = "";
  await choose();
});
