import {Stage, ask, colour} from "./stage.js";

const NAMES = ["", "drawn", "tracked", "between", "absent", "absent"];
const CHUNK = 5; // frames that are asked for at once while tracking
const it = (id) => document.getElementById(id);
const numbers = ["x", "y", "w", "h"].map(it);
let state = null;
let frame = 0;
let tracking = false;
let busy = Promise.resolve();

const stage = new Stage(it("stage"), (box) => change("draw", {box}));

const say = (words, bad = false) => {
  it("said").textContent = words;
  it("said").classList.toggle("bad", bad);
};

const paintTime = () => {
  const canvas = it("time");
  canvas.width = Math.max(canvas.clientWidth, 1);
  const pen = canvas.getContext("2d");
  const step = canvas.width / state.frames;
  state.kinds.forEach((kind, index) => {
    if (!kind) return;
    pen.fillStyle = colour(NAMES[kind]);
    pen.fillRect(index * step, kind === 3 || kind === 5 ? 7 : 0, Math.max(step, 1), kind === 3 || kind === 5 ? 8 : canvas.height);
  });
  pen.fillStyle = colour("ink");
  pen.fillRect(Math.min((frame + 0.5) * step, canvas.width - 2), 0, 2, canvas.height);
};

const show = async () => {
  const kind = state.kinds[frame];
  const box = kind >= 1 && kind <= 3 ? state.boxes[frame] : null;
  it("where").textContent = `frame ${frame + 1} of ${state.frames}`;
  it("frame").value = frame;
  it("saved").textContent = state.kinds.some(Boolean) ? `saved in ${state.where}` : `will be saved in ${state.where}`;
  numbers.forEach((field, index) => { if (field !== document.activeElement) field.value = box ? box[index] : ""; });
  it("forget").disabled = ![1, 2, 4].includes(kind);
  it("track").disabled = !box && !tracking;
  paintTime();
  await stage.show(`frame/0/${frame}`, box ? [{box, colour: colour(NAMES[kind])}] : []);
  it("stage").dataset.kind = NAMES[kind];
};

const go = (to) => {
  frame = Math.min(Math.max(to, 0), state.frames - 1);
  return show().catch((error) => say(error.message, true));
};

// One change after another: an answer is the whole state.
const change = (name, given = {}) => {
  stop();
  busy = busy.then(async () => {
    try {
      state = await ask(name, {frame, ...given});
      say("");
      await show();
    } catch (error) {
      say(error.message, true);
      stage.paint();
    }
  });
  return busy;
};

const stop = () => {
  tracking = false;
  it("track").setAttribute("aria-pressed", "false");
  it("track").firstChild.textContent = "Track ";
};

const track = () => {
  if (tracking) return stop();
  tracking = true;
  it("track").setAttribute("aria-pressed", "true");
  it("track").firstChild.textContent = "Stop ";
  say(`${state.tracker} proposes …`);
  busy = busy.then(async () => {
    try {
      while (tracking) {
        const found = await ask("propose", {frame, count: CHUNK});
        state = found;
        for (let next = Math.min(frame + 1, found.at); next <= found.at; next++) {
          frame = next;
          await show();
          if (!tracking) break;
        }
        if (found.said) { say(found.said); break; }
      }
      if (!tracking) say("");
    } catch (error) {
      say(error.message, true);
    }
    stop();
    await show();
  });
};

const setBox = () => change("draw", {box: numbers.map((field) => field.valueAsNumber || 0)});

it("back").onclick = () => { stop(); go(frame - 1); };
it("on").onclick = () => { stop(); go(frame + 1); };
it("frame").oninput = (event) => { stop(); go(event.target.valueAsNumber); };
it("time").onclick = (event) => { stop(); go(Math.floor(event.offsetX / it("time").clientWidth * state.frames)); };
it("track").onclick = track;
it("hide").onclick = () => change("hide");
it("forget").onclick = () => change("forget");
it("smooth").onclick = () => change("smooth");
it("set").onclick = setBox;
numbers.forEach((field) => field.addEventListener("keydown", (event) => { if (event.key === "Enter") setBox(); }));
addEventListener("keydown", (event) => {
  if (event.target instanceof HTMLInputElement || event.ctrlKey || event.metaKey || event.altKey) return;
  const step = event.shiftKey ? 10 : 1;
  const keys = {
    ArrowLeft: it("back").onclick && (() => { stop(); go(frame - step); }),
    ArrowRight: () => { stop(); go(frame + step); },
    t: () => it("track").click(),
    a: () => it("hide").click(),
    s: () => it("smooth").click(),
    Delete: () => it("forget").click(),
    Backspace: () => it("forget").click(),
  };
  const act = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (act) { event.preventDefault(); act(); }
});
addEventListener("resize", () => state && paintTime());

ask("state").then((found) => {
  state = found;
  it("name").textContent = state.name;
  document.title = `Label ${state.name}`;
  it("frame").max = state.frames - 1;
  const first = state.kinds.indexOf(0);
  return go(state.kinds.some(Boolean) && first > 0 ? first - 1 : 0);
}).catch((error) => say(error.message, true));
