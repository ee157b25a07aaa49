import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { filter as anyFilter, searchText } from './arbitrary.ts';
import { compile } from './compile.ts';
import { toFilter } from './filter.ts';
import { fromFilter } from './from-filter.ts';
import type { JobFilter } from './job-filter.ts';
import { matches } from './matches.ts';
import { job as anyJob } from './arbitrary-job.ts';
import { writeFilter } from './write.ts';

const READING = { now: Date.parse('2026-11-26T14:00:00Z'), timeZone: 'Asia/Kathmandu' };
const normal = (filter: JobFilter): JobFilter => toFilter(fromFilter(filter), READING);

test('any filter has a text, which stands for the same filter', () => {
  fc.assert(
    fc.property(anyFilter, (filter) => {
      const text = writeFilter(filter);
      const { filter: read, faults } = compile(text, READING);
      assert.deepEqual(faults, [], text);
      assert.deepEqual(read, normal(filter), text);
    }),
    { numRuns: 1_000 },
  );
});

test('a filter in its normal form stays as it is, and so does its text', () => {
  fc.assert(
    fc.property(anyFilter, (filter) => {
      const once = normal(filter);
      const text = writeFilter(once);
      assert.deepEqual(normal(once), once);
      assert.equal(writeFilter(compile(text, READING).filter ?? {}), text);
    }),
    { numRuns: 1_000 },
  );
});

test('the normal form matches the same jobs', () => {
  fc.assert(
    fc.property(anyFilter, fc.array(anyJob, { minLength: 8, maxLength: 8 }), (filter, jobs) => {
      const form = normal(filter);
      for (const job of jobs) assert.equal(matches(form, job), matches(filter, job));
    }),
    { numRuns: 1_000 },
  );
});

test('a text that is read and written again is stable, and means the same', () => {
  fc.assert(
    fc.property(searchText, (text) => {
      const { filter, faults } = compile(text, READING);
      assert.equal(filter === null, faults.length > 0);
      if (filter === null) return;
      const written = writeFilter(filter);
      const again = compile(written, READING);
      assert.deepEqual(again.faults, [], written);
      assert.deepEqual(again.filter, filter, written);
      assert.equal(writeFilter(again.filter ?? {}), written);
    }),
    { numRuns: 1_000 },
  );
});

test('any text at all is read, with places inside of it', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), searchText), (text) => {
      const { faults, parsed } = compile(text, READING);
      for (const { start, end } of [...faults, ...parsed.terms, ...parsed.items]) {
        assert.ok(0 <= start && start <= end && end <= text.length);
      }
      let before = 0;
      for (const { start, end } of parsed.items) {
        assert.ok(before <= start && start < end);
        before = end;
      }
    }),
    { numRuns: 1_000 },
  );
});
