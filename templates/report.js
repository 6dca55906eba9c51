"use strict";
// What is wider than the page fades out at its right end until it is moved there.
(() => {
  const wide = [...document.querySelectorAll(".wide")];
  const mark = (it) => it.classList.toggle("more", it.scrollLeft + it.clientWidth < it.scrollWidth - 1);
  const all = () => wide.forEach(mark);
  wide.forEach((it) => it.addEventListener("scroll", () => mark(it)));
  document.addEventListener("toggle", all, true);
  window.addEventListener("resize", all);
  all();
})();
// The timeline: bars of workers and queues on a canvas, drawn anew for each view. Slices lie in typed arrays, in order
// of their beginning on each lane; what is narrower than a pixel is drawn once per pixel.
(() => {
  const canvas = document.getElementById("tl");
  window.addEventListener("beforeprint", () => document.querySelectorAll("details:not(.long)").forEach((it) => { it.open = true; }));
  if (!canvas) return selfCheck(null);
  const data = JSON.parse(document.getElementById("tl-data").textContent);
  const tip = document.getElementById("tl-tip");
  const range = document.getElementById("tl-range");
  const pen = canvas.getContext("2d");
  const AXIS = 22, GUTTER = 52, GAP = 14;
  const end = Math.max(data.end, 1);
  const view = { from: 0, to: end };
  let theme, width, height, laneHeight;

  // Lanes: workers, packed so that a successor follows its predecessor, then queues.
  const lanes = [];
  const workerLane = new Map();
  for (const [id, lane] of data.workers) {
    workerLane.set(id, lane);
    if (!lanes[lane]) lanes[lane] = { name: "", bars: [] };
  }
  const workerLanes = lanes.length;
  const queueLane = new Map();
  for (const [id, lane] of data.queues) {
    const at = workerLanes + lane;
    queueLane.set(id, at);
    if (lanes[at]) lanes[at].name = lanes[at].name.replace("…", "") + "…";
    else lanes[at] = { name: "q" + id, bars: [] };
  }
  const workerName = new Map(data.workers.map(([id, , name]) => [id, name]));
  const taskName = (id) => data.tasks[id] || "t" + (id + 1);
  const queueName = (id) => (id === 0 ? "the general queue" : "q" + id);
  const SHIFT = 2 ** 32;
  const KIND = { start: 0, attempt: 1, tenure: 2 };
  const add = (lane, from, to, kind, a, b) => { if (lanes[lane]) lanes[lane].bars.push([from, to, kind, a, b]); };
  for (const [id, lane, , arrived, ready, gone] of data.workers) {
    add(lane, arrived, gone, KIND.start, id, -1);
    if (ready > arrived) add(lane, arrived, Math.min(ready, gone), KIND.start, id, 1);
  }
  const lives = lanes.slice(0, workerLanes).map((lane) => lane.bars.splice(0));
  let at = 0;
  for (let i = 0; i < data.attempts.length; i += 5) {
    const [step, span, worker, queue, task] = data.attempts.slice(i, i + 5);
    at += step;
    add(workerLane.get(worker), at, at + span, KIND.attempt, task, queue + worker * SHIFT);
  }
  for (const [queue, owner, from, to] of data.tenures) add(queueLane.get(queue), from, to, KIND.tenure, owner, queue);
  for (const lane of lanes) {
    lane.bars.sort((a, b) => a[0] - b[0]);
    const count = lane.bars.length;
    lane.from = new Float64Array(count); lane.to = new Float64Array(count);
    lane.kind = new Uint8Array(count); lane.a = new Float64Array(count); lane.b = new Float64Array(count);
    // The longest bar tells how far before the view one must look for a bar that reaches into it.
    lane.longest = 0;
    lane.bars.forEach(([from, to, kind, a, b], i) => {
      lane.from[i] = from; lane.to[i] = to; lane.kind[i] = kind; lane.a[i] = a; lane.b[i] = b;
      lane.longest = Math.max(lane.longest, to - from);
    });
    lane.bars = null;
  }
  const violations = data.marks.filter((mark) => mark[0] === "violation").map((mark) => mark[1]);

  const PALETTE = ["#0072b2", "#e69f00", "#009e73", "#56b4e9", "#cc79a7", "#b3a600"];
  const color = (index) => (index === 0 ? "#999999" : PALETTE[(index - 1) % PALETTE.length]);
  const x = (time) => GUTTER + ((time - view.from) / (view.to - view.from)) * (width - GUTTER);
  const timeAt = (px) => view.from + ((px - GUTTER) / (width - GUTTER)) * (view.to - view.from);
  const y = (lane) => AXIS + lane * laneHeight + (lane >= workerLanes ? GAP : 0);
  const firstAfter = (values, time) => {
    let low = 0, high = values.length;
    while (low < high) { const mid = (low + high) >> 1; if (values[mid] < time) low = mid + 1; else high = mid; }
    return low;
  };

  function clock(micros, step = 1) {
    const total = Math.max(0, micros) / 1e6;
    const digits = step >= 1e6 ? 0 : Math.min(6, Math.ceil(-Math.log10(step / 1e6)));
    const rounded = Number(total.toFixed(digits));
    const h = Math.floor(rounded / 3600), m = Math.floor((rounded % 3600) / 60), s = rounded % 60;
    const parts = [];
    if (h) parts.push(h + " h");
    if (m) parts.push(m + " min");
    if (s || !parts.length) parts.push(Number(s.toFixed(digits)) + " s");
    return parts.join(" ");
  }

  function resize() {
    const scale = window.devicePixelRatio || 1;
    const style = getComputedStyle(document.documentElement);
    theme = (name) => style.getPropertyValue("--" + name);
    width = canvas.clientWidth;
    laneHeight = Math.max(4, Math.min(20, 560 / Math.max(lanes.length, 1)));
    height = AXIS + lanes.length * laneHeight + GAP + 2;
    canvas.style.height = height + "px";
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    draw();
  }

  function draw() {
    pen.fillStyle = theme("paper");
    pen.fillRect(0, 0, width, height);
    drawAxis();
    lanes.forEach((lane, index) => drawLane(lane, index));
    for (const mark of data.marks) drawMark(mark);
    // What reaches into the gutter is covered, then named.
    pen.fillStyle = theme("paper");
    pen.fillRect(0, 0, GUTTER, height);
    pen.fillStyle = theme("muted");
    pen.font = "11px system-ui, sans-serif";
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    let free = -99;
    lanes.forEach((lane, index) => {
      const middle = y(index) + laneHeight / 2;
      if (lane.name && middle - free >= 11) { pen.fillText(lane.name, GUTTER - 6, middle); free = middle; }
    });
    if (workerLanes) pen.fillText("workers", GUTTER - 6, y(0) + laneHeight / 2);
    range.textContent = clock(view.from, span() / 1000) + " to " + clock(view.to, span() / 1000);
  }

  const span = () => view.to - view.from;

  function drawAxis() {
    const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400];
    const wanted = (span() * 110) / Math.max(width - GUTTER, 110) / 1e6;
    let step = STEPS.find((it) => it >= wanted) || Math.ceil(wanted / 86400) * 86400;
    if (wanted < 1) step = 10 ** Math.ceil(Math.log10(wanted));
    step *= 1e6;
    pen.font = "11px system-ui, sans-serif";
    pen.textBaseline = "middle";
    for (let time = Math.ceil(view.from / step) * step; time <= view.to; time += step) {
      const at = x(time);
      pen.fillStyle = theme("line");
      pen.fillRect(Math.round(at), AXIS - 4, 1, height);
      pen.fillStyle = theme("muted");
      pen.textAlign = at > width - 50 ? "right" : "center";
      if (at > GUTTER + 20) pen.fillText(clock(time, step), at, AXIS / 2);
    }
  }

  function drawLane(lane, index) {
    const top = y(index) + 1, tall = Math.max(laneHeight - 2, 2);
    for (const [from, to, , , starting] of lives[index] || []) {
      if (to < view.from || from > view.to) continue;
      pen.fillStyle = theme(starting === 1 ? "line" : "soft");
      pen.fillRect(x(from), top, Math.max(x(to) - x(from), 1), tall);
    }
    let last = -1;
    pen.font = "10px system-ui, sans-serif";
    pen.textBaseline = "middle";
    pen.textAlign = "left";
    for (let i = firstAfter(lane.from, view.from - lane.longest); i < lane.from.length && lane.from[i] <= view.to; i++) {
      if (lane.to[i] < view.from) continue;
      const left = Math.max(x(lane.from[i]), GUTTER - 2), right = Math.min(x(lane.to[i]), width + 2);
      if (right - left < 1 && Math.floor(left) === last) continue;
      last = Math.floor(left);
      const [fill, label] = look(lane, i);
      pen.fillStyle = fill;
      pen.fillRect(left, top, Math.max(right - left - 0.5, 0.7), tall);
      if (right - left > 34 && tall >= 11) {
        pen.fillStyle = fill === "#0072b2" ? "#fff" : "#111";
        pen.fillText(label, left + 3, top + tall / 2 + 0.5, right - left - 6);
      }
    }
  }

  // The colour and the label of a bar.
  function look(lane, i) {
    if (lane.kind[i] === KIND.attempt) return [color(lane.b[i] % SHIFT), taskName(lane.a[i])];
    const owner = lane.a[i];
    if (owner === -2) return ["#d55e00", "orphaned"];
    if (owner === -1) return [theme("line"), "vacant"];
    return [color(owner + 1), workerName.get(owner)];
  }

  function drawMark([kind, from, until, worker, queue]) {
    if (until < view.from || from > view.to) return;
    const lane = worker >= 0 ? workerLane.get(worker) : queueLane.get(queue);
    const top = lane === undefined ? AXIS : y(lane) + 1, tall = lane === undefined ? 8 : Math.max(laneHeight - 2, 2);
    const at = x(from);
    if (kind === "pause") {
      pen.fillStyle = "rgba(60,60,60,0.75)";
      pen.fillRect(at, top, Math.max(x(until) - at, 1), tall);
      return;
    }
    if (kind === "cut off") {
      pen.fillStyle = theme("ink");
      pen.fillRect(at, top + tall - 2, Math.max(x(until) - at, 1), 3);
      return;
    }
    const wrong = kind === "violation" || kind === "crash" || kind === "killed";
    pen.fillStyle = wrong ? theme("wrong") : theme("ink");
    const half = kind === "violation" ? 6 : 3;
    pen.beginPath();
    pen.moveTo(at - half, top); pen.lineTo(at + half, top); pen.lineTo(at, top + Math.min(tall, 2 * half));
    pen.fill();
    if (kind === "violation") pen.fillRect(at - 0.5, AXIS - 4, 1.5, height);
  }

  // What lies under a point, in words.
  function told(px, py) {
    const time = timeAt(px), near = (span() / width) * 5;
    const index = lanes.findIndex((_, lane) => py >= y(lane) && py < y(lane) + laneHeight);
    const mark = data.marks.find(([kind, from, until, worker, queue]) => {
      const lane = worker >= 0 ? workerLane.get(worker) : queueLane.get(queue);
      const hit = time >= from - near && time <= until + near;
      return hit && (lane === index || kind === "violation") && (kind !== "pause" || lane === index);
    });
    const parts = mark ? [mark[5] + ", at " + clock(mark[1], 1e3)] : [];
    const lane = lanes[index];
    if (lane) {
      let best = -1;
      for (let i = firstAfter(lane.from, time - lane.longest - near); i < lane.from.length && lane.from[i] <= time + near; i++) {
        const covers = lane.from[i] <= time && lane.to[i] > time;
        if (covers || (best < 0 && lane.to[i] >= time - near)) best = i;
        if (covers) break;
      }
      if (best >= 0) parts.push(words(lane, best));
      else if (lives[index]) {
        const life = lives[index].find(([from, to]) => from <= time && to > time);
        if (life) parts.push(workerName.get(life[3]) + " is idle or starts");
      }
    }
    return parts.join("; ");
  }

  function words(lane, i) {
    const when = clock(lane.from[i], 1e3) + " to " + clock(lane.to[i], 1e3) + " (" + clock(lane.to[i] - lane.from[i], 1e3) + ")";
    if (lane.kind[i] === KIND.attempt) {
      const queue = lane.b[i] % SHIFT, worker = Math.floor(lane.b[i] / SHIFT);
      return workerName.get(worker) + " executes " + taskName(lane.a[i]) + " of " + queueName(queue) + ", " + when;
    }
    const owner = lane.a[i];
    const state = owner >= 0 ? "is owned by " + workerName.get(owner) : owner === -2 ? "is orphaned" : "is vacant";
    return queueName(lane.b[i]) + " " + state + ", " + when;
  }

  function show(from, to) {
    const least = Math.min(1000, end);
    const length = Math.min(Math.max(to - from, least), end);
    view.from = Math.min(Math.max(from, 0), end - length);
    view.to = view.from + length;
    draw();
  }
  const zoom = (factor, px = (width + GUTTER) / 2) => {
    const time = timeAt(px);
    show(time - (time - view.from) * factor, time + (view.to - time) * factor);
  };
  const pan = (share) => show(view.from + span() * share, view.to + span() * share);
  function jump(time) {
    const length = Math.min(span(), Math.max(end / 40, Math.min(end, 120e6)));
    show(time - length / 2, time + length / 2);
    const mark = data.marks.find((it) => it[0] === "violation" && it[1] === time);
    tip.textContent = mark ? mark[5] + ", at " + clock(mark[1], 1e3) : "";
    canvas.scrollIntoView({ block: "nearest" });
  }
  let current = -1;
  const step = (by) => {
    if (!violations.length) return;
    current = (current + by + violations.length) % violations.length;
    jump(violations[current]);
  };

  canvas.addEventListener("pointermove", (event) => {
    if (!(event.buttons & 1) || dragged === null) { tip.textContent = told(event.offsetX, event.offsetY) || "\u00a0"; return; }
    const moved = ((dragged - event.offsetX) / (width - GUTTER)) * span();
    dragged = event.offsetX;
    show(view.from + moved, view.to + moved);
  });
  let dragged = null;
  canvas.addEventListener("pointerdown", (event) => { dragged = event.offsetX; });
  window.addEventListener("pointerup", () => { dragged = null; });
  // A plain wheel scrolls the page; a pinch arrives as a wheel with the control key.
  canvas.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    zoom(Math.exp(Math.max(-60, Math.min(60, event.deltaY)) * 0.01), event.offsetX);
  }, { passive: false });
  canvas.addEventListener("dblclick", (event) => zoom(0.5, event.offsetX));
  const KEYS = {
    "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), ArrowLeft: () => pan(-0.25), ArrowRight: () => pan(0.25),
    Home: () => show(0, end), n: () => step(1), p: () => step(current < 0 ? 0 : -1),
  };
  canvas.addEventListener("keydown", (event) => {
    const act = KEYS[event.key];
    if (act && !event.ctrlKey && !event.metaKey && !event.altKey) { event.preventDefault(); act(); }
  });
  const on = (id, act) => document.getElementById(id).addEventListener("click", act);
  on("tl-in", () => zoom(0.5)); on("tl-out", () => zoom(2)); on("tl-all", () => show(0, end));
  on("tl-prev", () => step(current < 0 ? 0 : -1)); on("tl-next", () => step(1));
  for (const id of ["tl-prev", "tl-next"]) document.getElementById(id).disabled = !violations.length;
  document.querySelectorAll(".jump").forEach((button) => button.addEventListener("click", () => jump(Number(button.dataset.at))));
  window.addEventListener("resize", resize);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", resize);
  resize();
  selfCheck({ canvas, view, lanes, lives, x, y, tip, violations, end, span });
})();

// Asked for by the fragment #self-check: the page looks at itself and writes what it found into the document.
function selfCheck(timeline) {
  if (location.hash !== "#self-check") return;
  // Everything is drawn and listens: the page is interactive from here on.
  document.documentElement.dataset.ready = performance.now().toFixed(0);
  const found = [];
  const must = (holds, what) => { if (!holds) found.push(what); };
  const named = (it) => it.getAttribute("aria-label") || it.getAttribute("aria-labelledby") || it.textContent.trim();
  document.querySelectorAll("button, a, summary, [role=img], [role=region], canvas").forEach((it) => must(named(it), "no name: " + it.outerHTML.slice(0, 80)));
  document.querySelectorAll("[aria-labelledby]").forEach((it) => must(document.getElementById(it.getAttribute("aria-labelledby")), "a label is missing"));
  must(performance.getEntriesByType("resource").length === 0, "something was requested");
  must(document.documentElement.scrollWidth <= window.innerWidth, "the page is wider than the window: " + document.documentElement.scrollWidth);
  document.querySelectorAll(".wide").forEach((it) => must(it.classList.contains("more") === it.scrollWidth > it.clientWidth + 1, "what is cut does not show it"));
  let slices = 0;
  if (timeline) {
    const { canvas, view, lanes, x, y, tip, violations, end, span } = timeline;
    slices = lanes.reduce((sum, lane) => sum + lane.from.length, 0);
    const key = (name) => canvas.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true, cancelable: true }));
    key("+");
    must(Math.abs(span() - end / 2) < 1, "the key + does not zoom");
    key("ArrowRight");
    must(view.from > end / 4, "an arrow does not move");
    key("Home");
    canvas.dispatchEvent(new WheelEvent("wheel", { deltaY: -60, ctrlKey: true, clientX: 300, cancelable: true }));
    must(span() < end, "a pinch does not zoom");
    key("Home");
    const lane = lanes.findIndex((it) => it.from.length);
    if (lane >= 0) {
      const bar = lanes[lane], box = canvas.getBoundingClientRect();
      const at = { clientX: box.left + (x(bar.from[0]) + x(bar.to[0])) / 2, clientY: box.top + y(lane) + 2 };
      canvas.dispatchEvent(new PointerEvent("pointermove", { ...at, bubbles: true }));
      must(/executes|owned|vacant|orphaned/.test(tip.textContent), "pointing at a bar says: " + tip.textContent);
    }
    if (violations.length) {
      document.getElementById("tl-next").click();
      must(view.from <= violations[0] && violations[0] <= view.to && tip.textContent.trim(), "a violation is not shown");
    }
    key("Home");
    const begun = performance.now();
    for (let i = 0; i < 10; i++) key(i % 2 ? "-" : "+");
    const frame = (performance.now() - begun) / 10;
    document.documentElement.dataset.frame = frame.toFixed(1);
  }
  document.documentElement.dataset.slices = slices;
  document.documentElement.dataset.selfCheck = found.length ? found.join(" | ") : "pass";
}
