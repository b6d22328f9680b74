// A host of instrumented modules for JavaScript engines: all that the package comment says a module sees, and nothing more. It
// grants fuel all at once. It reads an array of runs as JSON from its input and writes an array of what came of each.
//
//   {"wasm": base64, "steps": [{"call": name, "params": [integers as strings]} | {"exchange": name, "input": base64, "most": bytes}],
//    "stdin": base64, "stdout": bytes}
//   {"steps": [{"ended": "", "results": [integers as strings], "output": base64}], "fuel": used, "stack": left, "stdout": base64}
//
// Ended is empty where a step came to its end, and otherwise fuel, stack, exit or trap, and nothing follows; overflow says that
// the engine's own stack was too small. A first step that went wrong before any other is named "start".
import { readFileSync } from "node:fs";

const CALL = 128n;
const LAST = 2n ** 63n - 1n;
const SUCCESS = 0, BADF = 8, FAULT = 21, INVAL = 28, NOSYS = 52, SPIPE = 70;

class Exit extends Error {
  constructor(code) {
    super(`exited with code ${code}`);
    this.code = code;
  }
}

/** World is all that one instance can see of its surroundings. */
class World {
  clock = 0n;
  seed = 1n;
  written = [];
  length = 0;

  constructor(stdin, most) {
    this.stdin = stdin;
    this.most = most;
  }

  attach(exports) {
    this.x = exports;
  }

  charge(units) {
    const fuel = this.x.barnraise_fuel;
    fuel.value -= BigInt(units);
    if (fuel.value < 0n) throw new Error("out of fuel");
  }

  has(at, n) {
    return at + n <= this.x.memory.buffer.byteLength;
  }

  bytes(at, n) {
    return new Uint8Array(this.x.memory.buffer, at, n);
  }

  u32(at) {
    return new DataView(this.x.memory.buffer).getUint32(at, true);
  }

  write(at, bytes) {
    if (!this.has(at, bytes.length)) return false;
    this.bytes(at, bytes.length).set(bytes);
    return true;
  }

  write32(at, value) {
    return this.write(at, new Uint8Array(new Uint32Array([value]).buffer));
  }

  write64(at, value) {
    return this.write(at, new Uint8Array(new BigUint64Array([value]).buffer));
  }

  vectors(list, n, out, size, move) {
    this.charge(n);
    let moved = 0;
    for (const end = list + 8 * n; list < end; list += 8) {
      if (!this.has(list, 8)) return FAULT;
      const at = this.u32(list), length = this.u32(list + 4);
      if (!this.has(at, length)) return FAULT;
      const part = size(length);
      this.charge(Math.floor(part / 8));
      move(at, part);
      moved += part;
    }
    return done(this.write32(out, moved));
  }

  read(list, n, out) {
    return this.vectors(list, n, out, (length) => Math.min(length, this.stdin.length), (at, n) => {
      this.bytes(at, n).set(this.stdin.subarray(0, n));
      this.stdin = this.stdin.subarray(n);
    });
  }

  print(fd, list, n, out) {
    return this.vectors(list, n, out, (length) => length, (at, n) => {
      if (fd == 2 || this.most == 0) return;
      if (n > this.most - this.length) throw new Error("writes more output than it may");
      this.written.push(this.bytes(at, n).slice());
      this.length += n;
    });
  }

  random(at, n) {
    this.charge(n);
    if (!this.has(at, n)) return FAULT;
    const b = this.bytes(at, n);
    for (let i = 0; i < n; i++) {
      this.seed = BigInt.asUintN(64, this.seed + 0x9e3779b97f4a7c15n);
      b[i] = Number(BigInt.asUintN(64, (this.seed ^ (this.seed >> 30n)) * 0xbf58476d1ce4e5b9n) >> 56n);
    }
    return SUCCESS;
  }

  poll(input, output, n, count) {
    this.charge(10 * n);
    if (n == 0) return INVAL;
    const length = Math.min(48 * n, 2 ** 32 - 1);
    if (!this.has(input, length)) return FAULT;
    const events = [];
    let earliest = LAST;
    for (let at = input; at + 48 <= input + length; at += 48) {
      const e = this.event(new DataView(this.x.memory.buffer, at, 48));
      if (e.kind > 2) return INVAL;
      events.push(e);
      if (e.at < earliest) earliest = e.at;
    }
    if (earliest > this.clock) this.clock = earliest;
    const ready = events.filter((e) => e.at <= this.clock);
    const out = new DataView(new ArrayBuffer(32 * ready.length));
    ready.forEach((e, i) => {
      out.setBigUint64(32 * i, e.user, true);
      out.setUint16(32 * i + 8, e.errno, true);
      out.setUint8(32 * i + 10, e.kind);
      out.setBigUint64(32 * i + 16, e.bytes, true);
    });
    return done(this.write(output, new Uint8Array(out.buffer)) && this.write32(count, ready.length));
  }

  event(s) {
    const e = { user: s.getBigUint64(0, true), kind: s.getUint8(8), errno: SUCCESS, bytes: 0n, at: 0n };
    const id = s.getUint32(16, true), timeout = s.getBigUint64(24, true), absolute = s.getUint8(40) & 1;
    const sum = absolute ? timeout : this.clock + timeout;
    if (e.kind == 0 && id > 3) e.errno = INVAL;
    else if (e.kind == 0) e.at = sum < LAST ? sum : LAST;
    else if (e.kind == 1 && id == 0) e.bytes = BigInt(this.stdin.length);
    else if (!(e.kind == 2 && (id == 1 || id == 2))) e.errno = BADF;
    return e;
  }
}

const done = (ok) => (ok ? SUCCESS : FAULT);
const standard = (fd, errno) => (fd > 2 ? BADF : errno);

/** wasi is wasi_snapshot_preview1. What it does not name gives 8. */
function wasi(w) {
  const tick = (id, at, value) => (id > 3 ? INVAL : done(w.write64(at, value())));
  const stat = (fd, at, n, kind, rights) => {
    if (fd > 2) return BADF;
    const b = new DataView(new ArrayBuffer(n));
    b.setUint8(kind, 2); // a character device
    if (rights) b.setBigUint64(8, (fd == 0 ? 1n << 1n : 1n << 6n) | (1n << 27n), true);
    return done(w.write(at, new Uint8Array(b.buffer)));
  };
  const strings = (a, b) => done(w.write32(a, 0) && w.write32(b, 0));
  const functions = {
    args_get: () => SUCCESS, environ_get: () => SUCCESS, args_sizes_get: strings, environ_sizes_get: strings, sched_yield: () => SUCCESS,
    clock_res_get: (id, at) => tick(id, at, () => 1n),
    clock_time_get: (id, _, at) => tick(id, at, () => (w.clock = w.clock < LAST ? w.clock + 1n : LAST)),
    fd_close: (fd) => standard(fd, SUCCESS), fd_fdstat_set_flags: (fd) => standard(fd, SUCCESS),
    fd_seek: (fd) => standard(fd, SPIPE), fd_tell: (fd) => standard(fd, SPIPE),
    fd_fdstat_get: (fd, at) => stat(fd, at, 24, 0, true), fd_filestat_get: (fd, at) => stat(fd, at, 64, 16, false),
    fd_read: (fd, list, n, out) => (fd == 0 ? w.read(list, n, out) : BADF),
    fd_write: (fd, list, n, out) => (fd == 1 || fd == 2 ? w.print(fd, list, n, out) : BADF),
    poll_oneoff: (a, b, n, out) => w.poll(a, b, n, out), random_get: (at, n) => w.random(at, n), proc_raise: () => NOSYS,
    proc_exit: (code) => { throw new Exit(code); },
  };
  const unsigned = (p) => (typeof p == "number" ? p >>> 0 : p);
  return new Proxy({}, {
    get: (_, name) => (...params) => {
      w.charge(CALL);
      const f = functions[name];
      return f ? f(...params.map(unsigned)) : BADF;
    },
  });
}

function begin(job) {
  const module = new WebAssembly.Module(Buffer.from(job.wasm, "base64"));
  const w = new World(Buffer.from(job.stdin ?? "", "base64"), job.stdout ?? 0);
  const abort = (...params) => {
    w.charge(CALL);
    throw new Error(`abort called in line ${params[2] >>> 0}`);
  };
  const x = new WebAssembly.Instance(module, { env: { abort }, wasi_snapshot_preview1: wasi(w) }).exports;
  w.attach(x);
  return { w, x };
}

function ending(x, error) {
  if (x.barnraise_fuel.value < 0n) return "fuel";
  if (x.barnraise_stack.value < 0) return "stack";
  if (error instanceof RangeError) return "overflow";
  return error instanceof Exit ? "exit" : error ? "trap" : "";
}

const text = (results) => [results].flat().filter((r) => r !== undefined).map((r) =>
  String(BigInt.asUintN(64, typeof r == "number" ? BigInt(r >>> 0) : r)));

function call(x, name, params) {
  // A number is taken as an i32, and so is what fits one; the module says what it takes.
  const f = x[name];
  try {
    return f(...params.map((p) => Number(BigInt.asIntN(32, BigInt(p)))));
  } catch (e) {
    if (!(e instanceof TypeError)) throw e;
    return f(...params.map((p) => BigInt.asIntN(64, BigInt(p))));
  }
}

function exchange(w, x, step) {
  const input = Buffer.from(step.input, "base64");
  const at = x.alloc(input.length) >>> 0;
  if (x.barnraise_fuel.value < 0n) throw new Error("out of fuel");
  if (at == 0 || !w.write(at, input)) throw new Error("no room");
  const r = BigInt.asUintN(64, x[step.exchange](at | 0, input.length));
  const p = Number(r >> 32n), n = Number(r & 0xffffffffn);
  if (n > step.most || !w.has(p, n)) throw new Error("answers outside of its bounds");
  return w.bytes(p, n).slice();
}

function run(job) {
  const { w, x } = begin(job);
  const all = x.barnraise_fuel.value, steps = [];
  const take = (does) => {
    const step = { ended: "", results: [], output: "" };
    try {
      does(step);
      step.ended = ending(x);
    } catch (e) {
      step.ended = ending(x, e);
    }
    steps.push(step);
    return step.ended == "";
  };
  const started = take(() => {
    if (x.barnraise_start) x.barnraise_start();
    if (x.barnraise_fuel.value >= 0n && x._initialize) x._initialize();
  });
  if (started) {
    steps.pop();
    job.steps.every((s) => take((step) => {
      if (s.call) step.results = text(call(x, s.call, s.params ?? []));
      else step.output = Buffer.from(exchange(w, x, s)).toString("base64");
    }));
  }
  const left = x.barnraise_fuel.value;
  const fuel = String(all - (left > 0n ? left : 0n));
  return { steps, fuel, stack: x.barnraise_stack.value, stdout: Buffer.concat(w.written).toString("base64") };
}

process.stdout.write(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(run)));
