import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatBriefly, formatTime, formatWithZone, localInputText } from './format.ts';
import { instantOf, isTimeZone, localTimeAt, offsetAt, offsetText, startOfDay } from './zones.ts';

const KATHMANDU = 'Asia/Kathmandu';
const NEW_YORK = 'America/New_York';
const ZONES = [KATHMANDU, 'UTC', NEW_YORK, 'Australia/Lord_Howe', 'Europe/Berlin', 'Pacific/Apia'];
const HOUR = 3_600_000;
const at = (text: string): number => Date.parse(text);

test('a time is that of the zone', () => {
  const style = { locale: 'en', zone: KATHMANDU };
  assert.equal(formatTime('2026-11-26T18:20:05Z', style), 'Nov 27, 2026, 00:05:05');
  assert.equal(formatTime('2026-11-26T18:20:05Z', { ...style, zone: 'UTC' }), 'Nov 26, 2026, 18:20:05');
  assert.equal(formatTime('2026-11-26T18:20:05Z', { locale: 'de', zone: NEW_YORK }), '26. Nov. 2026, 13:20:05');
  assert.equal(formatTime('nothing', style), '–');
});

test('the distance from UTC is named', () => {
  assert.equal(formatWithZone('2026-11-26T18:20:05.25Z', { locale: 'en', zone: KATHMANDU }), 'Nov 27, 2026, 00:05:05.250 UTC+05:45');
  assert.equal(offsetText(at('2026-07-01T00:00:00Z'), NEW_YORK), 'UTC−04:00');
  assert.equal(offsetText(at('2026-12-01T00:00:00Z'), NEW_YORK), 'UTC−05:00');
  assert.equal(offsetText(0, 'UTC'), 'UTC');
});

test('a time is as short as the day allows', () => {
  const style = { locale: 'en', zone: KATHMANDU };
  const now = at('2026-11-26T19:00:00Z');
  assert.equal(formatBriefly('2026-11-26T18:20:05Z', now, style), '00:05:05');
  assert.equal(formatBriefly('2026-11-26T18:10:05Z', now, style), 'Nov 26, 23:55');
  assert.equal(formatBriefly('2025-11-26T18:10:05Z', now, style), 'Nov 26, 2025, 23:55');
});

test('a field for times shows those of the zone', () => {
  assert.equal(localInputText(at('2026-11-26T18:20:05Z'), KATHMANDU), '2026-11-27T00:05:05');
});

test('clocks that are put forward skip an hour', () => {
  // On 2026-03-08 in New York 02:00 EST is 03:00 EDT.
  const skipped = instantOf({ year: 2026, month: 3, day: 8, hour: 2, minute: 30 }, NEW_YORK);
  assert.equal(skipped, at('2026-03-08T07:30:00Z'));
  assert.equal(localTimeAt(skipped, NEW_YORK).hour, 3);
  assert.equal(startOfDay(skipped, NEW_YORK, 1) - startOfDay(skipped, NEW_YORK), 23 * HOUR);
});

test('of an hour that comes twice the first is meant', () => {
  const twice = instantOf({ year: 2026, month: 11, day: 1, hour: 1, minute: 30 }, NEW_YORK);
  assert.equal(twice, at('2026-11-01T05:30:00Z'));
  assert.equal(localTimeAt(twice + HOUR, NEW_YORK).hour, 1);
  assert.equal(startOfDay(twice, NEW_YORK, 1) - startOfDay(twice, NEW_YORK), 25 * HOUR);
});

test('days may be past the end of their month', () => {
  assert.equal(instantOf({ year: 2026, month: 12, day: 32 }, 'UTC'), at('2027-01-01T00:00:00Z'));
  assert.equal(startOfDay(at('2026-12-31T12:00:00Z'), KATHMANDU, 1), at('2026-12-31T18:15:00Z'));
});

test('early years are not those of the last century', () => {
  assert.equal(instantOf({ year: 26, month: 1, day: 1 }, 'UTC'), at('0026-01-01T00:00:00Z'));
  assert.equal(localTimeAt(at('0026-01-01T00:00:00Z'), 'UTC').year, 26);
});

test('what the clocks show leads back to when they show it', () => {
  const instants = fc.integer({ min: at('1975-01-01T00:00:00Z'), max: at('2037-01-01T00:00:00Z') });
  fc.assert(
    fc.property(instants, fc.constantFrom(...ZONES), (instant, zone) => {
      const local = localTimeAt(instant, zone);
      const back = instantOf(local, zone);
      assert.deepEqual(localTimeAt(back, zone), local);
      assert.ok(back <= instant);
      assert.ok(startOfDay(instant, zone) <= instant);
      assert.equal(offsetAt(instant, 'UTC'), 0);
    }),
    { numRuns: 2_000 },
  );
});

test('zones are those of the database', () => {
  assert.ok(isTimeZone(KATHMANDU));
  assert.ok(!isTimeZone('Mars/Olympus'));
});
