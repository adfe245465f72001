// A WebAssembly binary as its sections: read, changed, put together again. It knows the few sections
// that the build touches (imports, exports, code, data, names) and nothing of what is in them for.

export const IMPORT = 2;
export const EXPORT = 7;
export const CODE = 10;
export const DATA = 11;
const CUSTOM = 0;
const HEADER_BYTES = 8;
const I32_CONST = 0x41;

/** Reads a module's bytes one after the other. */
class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }
  byte() {
    return this.bytes[this.at++];
  }
  number() {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }
  slice(length) {
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
  text() {
    return Buffer.from(this.slice(this.number())).toString();
  }
}

export function number(value) {
  const bytes = [];
  for (; value >= 0x80; value = Math.floor(value / 0x80)) bytes.push((value % 0x80) | 0x80);
  return Buffer.from([...bytes, value]);
}

export const text = (value) => Buffer.concat([number(Buffer.byteLength(value)), Buffer.from(value)]);

/** Entries as a section has them: how many, and one after the other. */
export const list = (entries) => Buffer.concat([number(entries.length), ...entries]);

/** The sections as [{ id, body }]. */
export function sections(wasm) {
  const reader = new Reader(wasm);
  reader.slice(HEADER_BYTES);
  const found = [];
  while (reader.at < wasm.length) found.push({ id: reader.byte(), body: reader.slice(reader.number()) });
  return found;
}

/** The module again, with another body for each section that `bodies` names by its id. */
export function withBodies(wasm, bodies) {
  const parts = sections(wasm).flatMap(({ id, body }) => {
    const bytes = bodies[id] ?? body;
    return [Buffer.of(id), number(bytes.length), bytes];
  });
  return Buffer.concat([wasm.subarray(0, HEADER_BYTES), ...parts]);
}

function entries(wasm, id, read) {
  const reader = new Reader(sections(wasm).find((section) => section.id === id).body);
  return Array.from({ length: reader.number() }, () => read(reader));
}

/** The imports; wasm-bindgen's are functions only. */
export function imports(wasm) {
  return entries(wasm, IMPORT, (reader) => {
    const [module, name, kind] = [reader.text(), reader.text(), reader.byte()];
    if (kind !== 0) throw new Error(`${module}.${name} is imported, but is no function`);
    return { module, name, type: reader.number() };
  });
}

export function exports(wasm) {
  return entries(wasm, EXPORT, (reader) => ({ name: reader.text(), kind: reader.byte(), index: reader.number() }));
}

/** The bodies of the module's own functions; the first has the index after the last import. */
export function functions(wasm) {
  return entries(wasm, CODE, (reader) => reader.slice(reader.number()));
}

/** The parts of memory that are not zero at the start: where, and what (a view: writing to it changes the module). */
export function memory(wasm) {
  return entries(wasm, DATA, (reader) => {
    const active = reader.number();
    if (active !== 0 || reader.byte() !== I32_CONST) throw new Error("a data segment is not at a fixed place");
    // Signed, but what is at such an address would not fit into a browser's memory.
    const at = reader.number();
    reader.byte();
    return { at, bytes: reader.slice(reader.number()) };
  });
}

/** The functions' names by index, from the name section. */
export function functionNames(wasm) {
  for (const { body } of sections(wasm).filter(({ id }) => id === CUSTOM)) {
    const reader = new Reader(body);
    if (reader.text() !== "name") continue;
    while (reader.at < body.length) {
      const kind = reader.byte();
      const part = new Reader(reader.slice(reader.number()));
      if (kind === 1) return new Map(Array.from({ length: part.number() }, () => [part.number(), part.text()]));
    }
  }
  throw new Error("the module has no function names");
}
