// Geometry of the drawn link: a laid rope as slanted strands along a curve. Pure functions from lengths
// to SVG path data; what the link is doing is decided elsewhere.

export const HEIGHT = 96;
export const MIDDLE = 40;
const PITCH = 9;

type Curve = (x: number) => number;

/** The strands of a rope that follows `curve` from `from` to `to`. */
function strands(from: number, to: number, curve: Curve): string {
  let path = "";
  for (let x = from; x <= to; x += PITCH) {
    const y = curve(x);
    const slope = (curve(x + 1) - y) * 4.5;
    path += `M${x - 4.5} ${y + 4.5 - slope}C${x - 1} ${y + 4.5 - slope} ${x + 1} ${y - 4.5 + slope} ${x + 4.5} ${y - 4.5 + slope}`;
  }
  return path;
}

/** Three loose yarns at the end of a parted rope; `way` is the direction they point in. */
function yarns(x: number, y: number, way: 1 | -1): string {
  return [-9, 1, 11].map((dy, i) => `M${x} ${y}q${way * 7} ${dy * 0.2} ${way * (14 + i * 3)} ${dy}`).join("");
}

export interface Drawing {
  readonly pieces: readonly { strands: string; yarns: string }[];
  /** The thin line that is thrown across while there is no rope. */
  readonly messenger: string;
}

export function whole(width: number): Drawing {
  const sag: Curve = (x) => MIDDLE + 5 * Math.sin((Math.PI * x) / width);
  return { pieces: [{ strands: strands(14, width - 14, sag), yarns: "" }], messenger: "" };
}

export function parted(width: number): Drawing {
  const reach = width * 0.27;
  const fall: Curve = (x) => MIDDLE + 34 * Math.min(1, x / reach) ** 2;
  const mirrored: Curve = (x) => fall(width - x);
  const left = 14 + Math.floor((reach - 14) / PITCH) * PITCH;
  return {
    pieces: [
      { strands: strands(14, left, fall), yarns: yarns(left + 4, fall(left), 1) },
      { strands: strands(width - left, width - 14, mirrored), yarns: yarns(width - left - 4, fall(left), -1) },
    ],
    messenger: messenger(width),
  };
}

export function none(width: number): Drawing {
  return { pieces: [], messenger: messenger(width) };
}

/** Along the whole rope to its far end and back again. */
export function roundTrip(width: number): string {
  const [near, far, control] = [`14 ${MIDDLE}`, `${width - 14} ${MIDDLE}`, `${width / 2} ${MIDDLE + 10}`];
  return `M${near}Q${control} ${far}Q${control} ${near}`;
}

function messenger(width: number): string {
  return `M14 ${MIDDLE}Q${width / 2} ${MIDDLE - 30} ${width - 14} ${MIDDLE}`;
}
