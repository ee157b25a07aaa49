// The scales of charts of lines: where a value stands between the bottom (0) and the top (1), and the marks.

export interface Scale {
  /** The place of a value, from 0 to 1. */
  at: (value: number) => number;
  marks: readonly number[];
}

/** The marks of durations in seconds: powers of ten, but of minutes, hours and days as people count them. */
const DURATIONS: readonly number[] = [
  1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 1, 10,
  60, 600, 3_600, 36_000, 86_400, 864_000, 8_640_000, 86_400_000, 864_000_000, 8_640_000_000,
];
const MOST_MARKS = 6;

/** Durations on a log axis, from the mark below the shortest to that above the longest. 0 is at the bottom. */
export function logScale(seconds: readonly number[]): Scale {
  const positive = seconds.filter((value) => value > 0);
  const [least, most] = positive.length === 0 ? [0.1, 1] : [Math.min(...positive), Math.max(...positive)];
  const first = Math.max(0, DURATIONS.findLastIndex((mark) => mark <= least));
  const above = DURATIONS.findIndex((mark) => mark >= most);
  const last = Math.max(first + 1, above < 0 ? DURATIONS.length - 1 : above);
  const [bottom, top] = [Math.log10(DURATIONS[first] ?? 0.1), Math.log10(DURATIONS[last] ?? 1)];
  const every = Math.ceil((last - first + 1) / MOST_MARKS);
  return {
    at: (value) => (value <= 0 ? 0 : clamp((Math.log10(value) - bottom) / (top - bottom))),
    marks: DURATIONS.slice(first, last + 1).filter((_, index) => index % every === 0),
  };
}

/** From 0 to a round number, at most `limit`. */
export function linearScale(values: readonly number[], limit = Number.POSITIVE_INFINITY): Scale {
  const most = Math.max(0, ...values);
  const power = 10 ** Math.floor(Math.log10(most || 1));
  const factor = [1, 2, 5, 10].find((each) => each * power >= most) ?? 10;
  const top = Math.min(limit, factor * power);
  return { at: (value) => clamp(value / top), marks: [0, top / 2, top] };
}

function clamp(part: number): number {
  return Math.min(1, Math.max(0, part));
}

/** The runs of values that are there, by their indices: a line is not drawn over what is missing. */
export function segments(values: readonly (number | null)[]): number[][] {
  const found: number[][] = [];
  let current: number[] = [];
  values.forEach((value, index) => {
    if (value !== null) current.push(index);
    if ((value === null || index === values.length - 1) && current.length > 0) {
      found.push(current);
      current = [];
    }
  });
  return found;
}
