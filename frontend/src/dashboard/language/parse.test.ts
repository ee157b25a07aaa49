import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExactNumber } from '../json/value.ts';
import { compile } from './compile.ts';
import { FAULTS_DE, FAULTS_EN, faultText, type FaultCode } from './faults.ts';
import type { JobFilter } from './job-filter.ts';
import { writeFilter } from './write.ts';

const NOW = Date.parse('2026-11-26T14:00:00Z');
const READING = { now: NOW, timeZone: 'Asia/Kathmandu' };
const ID = '01890000-0000-7000-8000-00000000000a';
const SOURCES = { sources: [{ id: `source:${ID}`, name: 'river main' }] };

const MEANINGS: readonly (readonly [text: string, filter: JobFilter])[] = [
  ['', {}],
  ['status:failed,dead', { status: ['FAILED', 'DEAD_LETTER'] }],
  ['Status:Dead-Letter,cancelled', { status: ['DEAD_LETTER', 'CANCELED'] }],
  ['health:stuck,late', { health: ['STUCK', 'LATE'] }],
  ['type:email.*', { type: { startsWith: 'email.' } }],
  ['type:*mail*', { type: { contains: 'mail' } }],
  ['type:~mail', { type: { containsIgnoreCase: 'mail' } }],
  ['type:a,b', { type: { in: ['a', 'b'] } }],
  ['type:a,b*', { or: [{ type: { eq: 'a' } }, { type: { startsWith: 'b' } }] }],
  ['-type:a -type:b', { type: { notIn: ['a', 'b'] } }],
  ['-type:a*', { not: { type: { startsWith: 'a' } } }],
  ['type:"a b*"', { type: { eq: 'a b*' } }],
  ['type:"a b"*', { type: { startsWith: 'a b' } }],
  ['by:none', { requestedBy: { isNull: true } }],
  ['by:"none"', { requestedBy: { eq: 'none' } }],
  ['by:*', { requestedBy: { isNull: false } }],
  ['-by:none', { requestedBy: { isNull: false } }],
  ['-by:a,none', { requestedBy: { notIn: ['a'], isNull: false } }],
  ['error:SMTP_TIMEOUT', { lastErrorCode: { eq: 'SMTP_TIMEOUT' } }],
  ['message:"timed out"', { lastErrorMessage: { containsIgnoreCase: 'timed out' } }],
  ['message:="timed out"', { lastErrorMessage: { eq: 'timed out' } }],
  ['queue:mail worker:w1 batch:b external:e key:k', { queue: { eq: 'mail' }, worker: { eq: 'w1' }, batch: { eq: 'b' }, externalId: { eq: 'e' }, idempotencyKey: { eq: 'k' } }],
  ['tag:eu tag:vip', { tags: ['eu', 'vip'] }],
  ['tag:eu,vip', { or: [{ tags: ['eu'] }, { tags: ['vip'] }] }],
  [`id:${ID}`, { ids: [ID] }],
  [ID.toUpperCase(), { ids: [ID] }],
  [`parent:${ID}`, { parentId: ID }],
  [`errorgroup:${ID}`, { errorGroup: `error-group:${ID}` }],
  [`errorgroup:error-group:${ID}`, { errorGroup: `error-group:${ID}` }],
  ['source:"river main"', { source: `source:${ID}` }],
  ['attempt:>2', { attempt: { gte: 3 } }],
  ['attempt:2..4', { attempt: { gte: 2, lte: 4 } }],
  ['attempt:1,3', { attempt: { in: [1, 3] } }],
  ['attempt:<3 priority:>0', { attempt: { lte: 2 }, priority: { gte: 1 } }],
  ['priority:-5', { priority: { eq: -5 } }],
  ['waiting:>5m running:>1h', { waitingLongerThan: 300, runningLongerThan: 3600 }],
  ['took:>10s wait:1s..1m30s', { runSeconds: { gte: 10 }, waitSeconds: { gte: 1, lt: 90 } }],
  ['created:-24h', { createdAt: { gte: '2026-11-25T14:00:00.000Z' } }],
  ['created:-7d..-1d', { createdAt: { gte: '2026-11-19T14:00:00.000Z', lt: '2026-11-25T14:00:00.000Z' } }],
  ['scheduled:+1h', { scheduledAt: { gte: '2026-11-26T14:00:00.000Z', lt: '2026-11-26T15:00:00.000Z' } }],
  ['updated:<-1h', { updatedAt: { lt: '2026-11-26T13:00:00.000Z' } }],
  ['finished:none', { finishedAt: { isNull: true } }],
  ['started:*', { startedAt: { isNull: false } }],
  // In Kathmandu it is already 19:45.
  ['created:today', { createdAt: { gte: '2026-11-25T18:15:00.000Z', lt: '2026-11-26T18:15:00.000Z' } }],
  ['created:today,2026-11-26', { createdAt: { gte: '2026-11-25T18:15:00.000Z', lt: '2026-11-26T18:15:00.000Z' } }],
  ['created:2026-11-01..2026-11-02', { createdAt: { gte: '2026-10-31T18:15:00.000Z', lt: '2026-11-02T18:15:00.000Z' } }],
  ['created:>2026-11-01', { createdAt: { gte: '2026-11-01T18:15:00.000Z' } }],
  ['created:>=2026-11-26T10:00:00.123456Z', { createdAt: { gte: '2026-11-26T10:00:00.123456Z' } }],
  ['payload.customer.id=cus_1042', { payloadContains: { customer: { id: 'cus_1042' } } }],
  ['payload.n=42 payload.s="42" payload.b=true', { payloadContains: { n: 42, s: '42', b: true } }],
  ['payload.items[].sku=a-1', { payloadContains: { items: [{ sku: 'a-1' }] } }],
  ['payload."odd key"["a.b"]=null', { payloadContains: { 'odd key': { 'a.b': null } } }],
  ['payload={"a": [1, {"b": 2}]}', { payloadContains: { a: [1, { b: 2 }] } }],
  ['payload.n=12345678901234567890', { payloadContains: { n: new ExactNumber('12345678901234567890') } }],
  ['payload.a=1,2', { or: [{ payloadContains: { a: 1 } }, { payloadContains: { a: 2 } }] }],
  ['payload.a={"b":1},2', { or: [{ payloadContains: { a: 2 } }, { payloadContains: { a: { b: 1 } } }] }],
  ['payload.a={"b":1} payload.a.b=1', { payloadContains: { a: { b: 1 } } }],
  ['payload.a=1 payload.a=2', { payloadContains: { a: 1 }, and: [{ payloadContains: { a: 2 } }] }],
  ['payload.a.b=1 payload.a.c=2 payload.a.b=3', { payloadContains: { a: { b: 1, c: 2 } }, and: [{ payloadContains: { a: { b: 3 } } }] }],
  ['"free text"', { search: 'free text' }],
  ['smtp timeout', { search: 'smtp', and: [{ search: 'timeout' }] }],
  ['(type:a OR queue:b) -status:failed', { or: [{ type: { eq: 'a' } }, { queue: { eq: 'b' } }], not: { status: ['FAILED'] } }],
  ['type:a queue:b OR tag:c', { or: [{ type: { eq: 'a' }, queue: { eq: 'b' } }, { tags: ['c'] }] }],
  ['type:a AND NOT (queue:b tag:c)', { type: { eq: 'a' }, not: { queue: { eq: 'b' }, tags: ['c'] } }],
  ['status:failed status:dead', { status: ['FAILED'], and: [{ status: ['DEAD_LETTER'] }] }],
];

test('texts mean what they say', () => {
  for (const [text, filter] of MEANINGS) {
    const compiled = compile(text, READING, SOURCES);
    assert.deepEqual(compiled.faults, [], text);
    assert.deepEqual(compiled.filter, filter, text);
  }
});

const WRITTEN: readonly (readonly [filter: JobFilter, text: string])[] = [
  [{}, ''],
  [{ ids: [] }, '-()'],
  [{ or: [{}, { status: ['FAILED'] }] }, ''],
  [{ ids: [], type: { eq: 'a' } }, '-()'],
  [{ or: [{ ids: [] }, { type: { eq: 'a' } }] }, 'type:a'],
  [{ type: { startsWith: '' } }, 'type:*'],
  [{ search: ID }, `"${ID}"`],
  [{ type: { in: ['b', 'a', 'b'], notIn: [] } }, 'type:b,a'],
  [{ status: ['DEAD_LETTER'], search: 'a "b"' }, 'status:dead "a \\"b\\""'],
  [{ not: { or: [{ type: { eq: 'a' } }, { queue: { eq: 'b' } }] } }, '-(type:a OR queue:b)'],
  [{ or: [{ type: { eq: 'a' }, queue: { eq: 'b' } }, { search: 'x' }] }, '(type:a queue:b) OR x'],
  [{ createdAt: { gte: '2026-11-26T10:00:00Z', lt: '2026-11-27T10:00:00Z' } }, 'created:2026-11-26T10:00:00Z..2026-11-27T10:00:00Z'],
  [{ payloadContains: { a: { b: '1', c: [1, 2] } } }, 'payload.a.b="1" payload.a.c=[1,2]'],
  [{ source: `source:${ID}`, lastErrorMessage: { contains: 'a' } }, 'message:*a* source:"river main"'],
];

test('filters are written briefly', () => {
  for (const [filter, text] of WRITTEN) assert.equal(writeFilter(filter, SOURCES), text);
});

const FAULTS: readonly (readonly [text: string, code: FaultCode, part: string])[] = [
  ['a foo:bar', 'unknownKey', 'foo'],
  ['statsu:failed', 'unknownKeyLike', 'statsu'],
  ['status: failed', 'valueMissing', ''],
  ['status:failed,', 'valueMissing', ''],
  ['status:broken', 'unknownValue', 'broken'],
  ['attempt:two', 'notANumber', 'two'],
  ['attempt:99999999999', 'numberTooLarge', '99999999999'],
  ['attempt:>2147483647', 'numberTooLarge', '>2147483647'],
  ['created:2026-02-30', 'notATime', '2026-02-30'],
  ['created:-24', 'notATime', '-24'],
  ['created:..', 'notATime', '..'],
  ['run:long', 'notADuration', 'long'],
  ['waiting:-5m', 'notADuration', '-5m'],
  ['id:abc', 'notAnId', 'abc'],
  ['source:celery', 'unknownSource', 'celery'],
  ['waiting:<5m', 'operatorNotAllowed', '<'],
  ['type:>a', 'operatorNotAllowed', '>'],
  ['status:f*', 'starNotAllowed', 'f*'],
  ['type:~a*', 'starNotAllowed', '~a*'],
  ['type:*a', 'starAtWrongPlace', '*a'],
  ['type:a*b', 'starAtWrongPlace', 'a*b'],
  ['type:"a b', 'quoteNotClosed', '"a b'],
  ['(type:a', 'parenthesisNotClosed', '('],
  ['type:a)', 'parenthesisNotOpened', ')'],
  ['type:a OR', 'operandMissing', 'OR'],
  ['OR type:a', 'operandMissing', 'OR'],
  ['AND type:a', 'operandMissing', 'AND'],
  ['type:a NOT', 'operandMissing', 'NOT'],
  ['payload.a', 'pathNotReadable', 'payload.a'],
  ['payload.a[0]=1', 'indexInPath', '[0]'],
  ['payload={"a":}', 'jsonNotReadable', '{"a":}'],
  ['payload=null', 'payloadNull', 'payload=null'],
  ['('.repeat(60), 'tooDeep', '('],
  [Array.from({ length: 260 }, (_, index) => `(a${index} OR b${index})`).join(' '), 'tooMany', ''],
];

test('each fault has a code, and a place that shows what is meant', () => {
  for (const [text, code, part] of FAULTS) {
    const { filter, faults } = compile(text, READING, SOURCES);
    const fault = faults.find((each) => each.code === code);
    assert.ok(fault, `${text}: ${faults.map((each) => each.code).join()}`);
    assert.equal(filter, null);
    if (code !== 'tooMany') assert.equal(text.slice(fault.start, fault.end), part, text);
  }
});

test('each fault has a sentence without gaps in each language', () => {
  for (const [text, code] of FAULTS) {
    const fault = compile(text, READING, SOURCES).faults.find((each) => each.code === code);
    for (const sentences of [FAULTS_EN, FAULTS_DE]) {
      assert.ok(fault && !/[{}]/.test(faultText({ ...fault, params: { ...fault.params, value: '' } }, sentences)), code);
    }
  }
  assert.deepEqual(Object.keys(FAULTS_EN), Object.keys(FAULTS_DE));
  assert.deepEqual(new Set(Object.keys(FAULTS_EN)), new Set(FAULTS.map(([, code]) => code)));
});

test('a text may be as deep as its length without an end of the stack', () => {
  for (const text of ['('.repeat(50_000), '-'.repeat(50_000) + 'a', `payload=${'['.repeat(50_000)}${']'.repeat(50_000)}`]) {
    assert.ok(compile(text, READING).faults.length > 0);
  }
});
