// Makes instances of the module trap on purpose, as a panic would: inside an import that Rust called, or in a function of Rust that finds
// its memory ruined. It rigs `WebAssembly` itself, so the package under test is the one that is shipped.

// (module (func (export "trap") unreachable))
const TRAP = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 8, 1, 4, 116, 114, 97, 112, 0, 0, 10, 5, 1, 3, 0, 0, 11]);
const { Instance } = WebAssembly;
const { trap } = new Instance(new WebAssembly.Module(TRAP)).exports;

/**
 * `at` is the crossing out of wasm that traps, `entry` the function that finds its memory ruined: each once. `late` counts entries into
 * an instance that trapped.
 */
export const rig = {};

export function arm({ at = 0, entry = "", onTrap = () => {} } = {}) {
  Object.assign(rig, { at, entry, onTrap, crossings: 0, entries: new Set(), instances: 0, wentOff: 0, late: 0 });
}
arm();

function goOff() {
  rig.wentOff = performance.now();
  rig.at = 0;
  rig.entry = "";
  rig.onTrap();
}

const each = (object, wrap) =>
  Object.fromEntries(Object.entries(object).map(([name, one]) => [name, typeof one === "function" ? wrap(name, one) : one]));

function rigged(module, imports) {
  rig.instances += 1;
  let isDead = false;
  const watched = Object.fromEntries(
    Object.entries(imports).map(([name, functions]) => [
      name,
      each(functions, (_, run) => (...args) => {
        rig.crossings += 1;
        if (rig.crossings !== rig.at) return run(...args);
        goOff();
        isDead = true;
        return trap();
      }),
    ]),
  );
  const { exports } = new Instance(module, watched);
  const memory = Object.values(exports).find((one) => one instanceof WebAssembly.Memory);
  return {
    exports: each(exports, (name, run) => (...args) => {
      rig.entries.add(name);
      if (isDead) rig.late += 1;
      if (name !== rig.entry) return run(...args);
      goOff();
      isDead = true;
      new Uint8Array(memory.buffer).fill(255);
      run(...args);
      // It looked at no memory, so it did not notice.
      return trap();
    }),
  };
}

WebAssembly.Instance = function (module, imports) {
  return rigged(module, imports);
};
WebAssembly.instantiate = async (source, imports) =>
  rigged(source instanceof WebAssembly.Module ? source : await WebAssembly.compile(source), imports);
