// What both pages share: asking the server, and a frame with boxes on it that can be drawn with mouse, pen or finger.

export const ask = async (name, given = {}) => {
  const answer = await fetch(`do/${name}`, {
    method: "POST",
    headers: {"Content-Type": "application/json"},
    body: JSON.stringify(given),
  });
  const found = await answer.json();
  if (!answer.ok) throw new Error(found.error);
  return found;
};

export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

const GRIP = 9; // pixels of the screen around a corner that take hold of it
const SMALLEST = 2; // pixels of the frame; a shorter drag is a click

export class Stage {
  // canvas: where it is shown. drawn: called with x, y, w, h when a box was drawn, moved or resized.
  constructor(canvas, drawn = null) {
    this.canvas = canvas;
    this.boxes = []; // {box, colour, dash}; the first is the one that is taken hold of
    this.drawn = drawn;
    this.hold = null;
    this.image = null;
    this.wanted = "";
    if (drawn) {
      canvas.addEventListener("pointerdown", (event) => this.#down(event));
      canvas.addEventListener("pointermove", (event) => this.#move(event));
      canvas.addEventListener("pointerup", (event) => this.#up(event));
      canvas.addEventListener("pointercancel", () => { this.hold = null; this.paint(); });
    }
  }

  // Show a frame with these boxes; a frame asked for later wins.
  async show(url, boxes) {
    this.wanted = url;
    if (!this.image || this.image.name !== url) {
      const image = new Image();
      image.name = url;
      image.src = url;
      try {
        await image.decode();
      } catch {
        if (this.wanted === url) throw new Error("this frame cannot be shown: the video is damaged here, or the server has ended");
        return false;
      }
      if (this.wanted !== url) return false;
      this.image = image;
    }
    this.boxes = boxes;
    this.paint();
    return true;
  }

  paint() {
    const {canvas, image} = this;
    if (!image) return;
    if (canvas.width !== image.naturalWidth || canvas.height !== image.naturalHeight) {
      canvas.width = image.naturalWidth;
      canvas.height = image.naturalHeight;
    }
    const pen = canvas.getContext("2d");
    pen.drawImage(image, 0, 0);
    const unit = 1 / this.#scale();
    const all = this.hold ? [{box: this.hold.box, colour: this.hold.colour}, ...this.boxes.slice(1)] : this.boxes;
    for (const {box: [x, y, w, h], colour: ink, dash} of all) {
      pen.setLineDash(dash ? [6 * unit, 4 * unit] : []);
      for (const [style, width] of [["rgba(20,20,20,.75)", 4], [ink, 2]]) {
        pen.strokeStyle = style;
        pen.lineWidth = width * unit;
        pen.strokeRect(x, y, w, h);
      }
    }
  }

  #scale() {
    return this.canvas.clientWidth / this.canvas.width || 1;
  }

  #at(event) {
    const place = this.canvas.getBoundingClientRect();
    const scale = this.#scale();
    return [(event.clientX - place.left) / scale, (event.clientY - place.top) / scale];
  }

  #down(event) {
    if (!this.image || event.button) return;
    event.preventDefault();
    this.canvas.focus();
    this.canvas.setPointerCapture(event.pointerId);
    const [px, py] = this.#at(event);
    const ink = colour("drawn");
    this.hold = {fixed: [px, py], box: [px, py, 0, 0], colour: ink};
    if (!this.boxes.length || this.boxes[0].dash) return;
    const [x, y, w, h] = this.boxes[0].box;
    const near = GRIP / this.#scale();
    for (const [cx, cy, fx, fy] of [[x, y, x + w, y + h], [x + w, y, x, y + h], [x, y + h, x + w, y], [x + w, y + h, x, y]]) {
      if (Math.hypot(px - cx, py - cy) < near) this.hold = {fixed: [fx, fy], box: [x, y, w, h], colour: ink};
    }
    const inside = px > x && px < x + w && py > y && py < y + h;
    if (inside && !(this.hold.box[2] > 0)) this.hold = {from: [px, py], start: [x, y, w, h], box: [x, y, w, h], colour: ink};
    this.paint();
  }

  #move(event) {
    if (!this.hold) return;
    const [px, py] = this.#at(event);
    const {fixed, from, start} = this.hold;
    if (from) this.hold.box = [start[0] + px - from[0], start[1] + py - from[1], start[2], start[3]];
    else {
      const [qx, qy] = [Math.min(Math.max(px, 0), this.canvas.width), Math.min(Math.max(py, 0), this.canvas.height)];
      this.hold.box = [Math.min(qx, fixed[0]), Math.min(qy, fixed[1]), Math.abs(qx - fixed[0]), Math.abs(qy - fixed[1])];
    }
    this.paint();
  }

  #up(event) {
    if (!this.hold) return;
    this.#move(event);
    const {box} = this.hold;
    this.hold = null;
    this.paint();
    if (box[2] >= SMALLEST && box[3] >= SMALLEST) this.drawn(box.map((value) => Math.round(value * 100) / 100));
  }
}
