/** Arbitrary jobs, whose values are often those of arbitrary filters. */

import fc from 'fast-check';
import { instant, json, ODD_TEXTS } from './arbitrary.ts';
import { STATUSES, VERDICTS } from './job-filter.ts';
import { KEYS, type KeySpec } from './keys.ts';
import type { TestJob } from './matches.ts';

const text = fc.oneof(fc.constantFrom(...ODD_TEXTS), fc.string({ maxLength: 3 }));
const uuid = fc.constantFrom('01890000-0000-7000-8000-00000000000a', '01890000-0000-7000-8000-00000000000b');

function valueOf(spec: KeySpec): fc.Arbitrary<string | number | null> {
  switch (spec.kind) {
    case 'text':
      return fc.option(text);
    case 'id':
      return fc.option(uuid.map((id) => spec.prefix + id));
    case 'integer':
      return fc.integer({ min: -4, max: 7 });
    case 'time':
      return fc.option(instant);
    case 'seconds':
    case 'longer':
      return fc.option(fc.constantFrom(0, 0.1, 0.25, 1, 1.5, 60, 90, 100_000));
    default:
      return fc.constant(null);
  }
}

/** Any job. */
export const job: fc.Arbitrary<TestJob> = fc.record({
  id: uuid,
  status: fc.constantFrom(...STATUSES),
  health: fc.constantFrom(...VERDICTS),
  tags: fc.array(text, { maxLength: 3 }),
  payload: fc.option(json, { nil: undefined }),
  searched: text.map((each) => each.toLowerCase()),
  fields: fc.record(Object.fromEntries(KEYS.map((spec) => [spec.field, valueOf(spec)]))),
});
