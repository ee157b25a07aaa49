/** From a search text to the filter that it stands for, and what keeps it from being one. */

import type { Fault, FaultCode } from './faults.ts';
import { toFilter } from './filter.ts';
import type { JobFilter } from './job-filter.ts';
import { parse, type Parsed } from './parse.ts';
import type { Reading } from './times.ts';
import type { Names } from './values.ts';

/** As many, and as deep, as the API takes them. */
const MAX_FILTERS = 500;
const MAX_FILTER_DEPTH = 50;

export interface Compiled {
  /** Null if there are faults: then it is not known what is wanted. */
  filter: JobFilter | null;
  faults: readonly Fault[];
  parsed: Parsed;
}

/** Make a filter of a text, whose relative times refer to `now`. */
export function compile(text: string, reading: Reading, names: Names = {}): Compiled {
  const parsed = parse(text, names);
  if (parsed.faults.length > 0) return { filter: null, faults: parsed.faults, parsed };
  return withSizeChecked(toFilter(parsed.expr, reading), parsed);
}

/** The filter of a text, unless the API would refuse it as too large. */
export function withSizeChecked(filter: JobFilter, parsed: Parsed): Compiled {
  const code = sizeFault(filter);
  if (code === null) return { filter, faults: [], parsed };
  return { filter: null, faults: [{ code, start: 0, end: parsed.text.length, params: {} }], parsed };
}

function sizeFault(filter: JobFilter): FaultCode | null {
  let count = 0;
  let level = [filter];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth >= MAX_FILTER_DEPTH) return 'tooDeep';
    count += level.length;
    if (count > MAX_FILTERS) return 'tooMany';
    level = level.flatMap(({ and, or, not }) => [...(and ?? []), ...(or ?? []), ...(not ? [not] : [])]);
  }
  return null;
}
