// The scales of charts of lines: where a value stands between the bottom (0) and the top (1), and the marks.

export interface Scale {
  /** The place of a value, from 0 to 1. */
  at: (value: number) => number;
  marks: readonly number[];
}

/** Powers of ten around all values. What is 0 stands at the bottom. */
export function logScale(values: readonly number[]): Scale {
  const positive = values.filter((value) => value > 0);
  const [least, most] = positive.length === 0 ? [0.1, 1] : [Math.min(...positive), Math.max(...positive)];
  const bottom = Math.floor(Math.log10(least));
  const top = Math.max(bottom + 1, Math.ceil(Math.log10(most)));
  const every = Math.ceil((top - bottom) / 5);
  const marks: number[] = [];
  for (let power = bottom; power <= top; power += every) marks.push(10 ** power);
  return {
    at: (value) => (value <= 0 ? 0 : clamp((Math.log10(value) - bottom) / (top - bottom))),
    marks,
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
