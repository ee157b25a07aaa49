import assert from 'node:assert/strict';
import { test } from 'node:test';

import { readDetail } from './detail.ts';

test('who did it and why is read, and what else there is stays JSON', () => {
  const detail = readDetail({ by: 'alice', reason: 'too late', ticket: 7 });
  assert.equal(detail.by, 'alice');
  assert.equal(detail.reason, 'too late');
  assert.equal(detail.rest, '{"ticket":7}');
});

test('an error has its code and its message', () => {
  assert.equal(readDetail({ error_code: 'E', error_message: 'no' }).error, 'E: no');
  assert.equal(readDetail({ error_message: 'no' }).error, 'no');
});

test('progress is a share and a step', () => {
  const { progress, step, rest } = readDetail({ progress: { fraction: 0.4, step: 'write' } });
  assert.deepEqual([progress, step, rest], [0.4, 'write', null]);
});

test('values of other types than expected stay JSON', () => {
  assert.equal(readDetail({ by: 7, progress: 'half' }).rest, '{"by":7,"progress":"half"}');
  assert.equal(readDetail([1]).rest, '[1]');
  assert.equal(readDetail(null).rest, null);
});
